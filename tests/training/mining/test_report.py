"""What a merchandiser reads: names, figures, and not the same items over and over."""

import numpy as np

from tests.datasets import make_catalogue, make_sessions
from tillside.relations import ALWAYS, RELATIONS, ManualPairs
from training.mining.bundling import Sets
from training.mining.pairing import Mined
from training.mining.report import report

NOTHING = Mined(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
NO_SETS = Sets([], np.zeros(0), np.zeros(0, int), np.zeros(0), np.zeros(0))


def read(mined=NOTHING, sets=NO_SETS, manual=(), *, shown=30) -> list[str]:
    catalogue = make_catalogue(make_sessions([[0]]), trained=6)
    relations = dict.fromkeys(RELATIONS, NOTHING) | {"complement": mined}
    return report(
        relations, sets, ManualPairs.of(list(manual)), catalogue, title="Relations of a shop", shown=shown
    ).splitlines()


def test_a_pair_stands_there_by_name_with_its_figures():
    one = np.array([1])
    pair = Mined(one, one + 1, one * 0.25, one * 1234, one * 0.3, one * 12.34, one * 1e-9)
    lines = read(pair)
    assert lines[0] == "# Relations of a shop"
    assert "| item 1 | item 2 | 0.250 | 1,234 | 0.300 | 12.3 | 1e-09 |" in lines
    assert "1 pairs of 1 items." in lines


def test_no_pair_stands_there_twice_and_no_item_three_times():
    anchors, items = np.array([[0, 1], [1, 0], [0, 2], [0, 3], [4, 5]]).T
    lines = read(Mined(anchors, items, np.array([0.9, 0.8, 0.7, 0.6, 0.5])))
    rows = [line.split("|")[1:4] for line in lines if line.startswith("| item ") and "with it" not in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["item 0", "item 1", "0.900"],
        ["item 0", "item 2", "0.700"],
        ["item 4", "item 5", "0.500"],
    ]
    assert sum(line.startswith("| item ") for line in read(Mined(anchors, items, np.ones(5)), shown=1)) == 2  # its head


def test_sets_and_pairs_set_by_hand_are_named():
    one = np.ones(1)
    lines = read(sets=Sets([(0, 2, 4)], one * 0.5, np.array([7]), one * 3, one * 0.001))
    assert "| item 0 + item 2 + item 4 | 0.500 | 7 | 3.0 | 1e-03 |" in lines
    assert "- ban gift: item 3 → item 1" in read(manual=[("gift", 3, 1, "ban", None, *ALWAYS)])
