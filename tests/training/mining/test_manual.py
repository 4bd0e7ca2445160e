"""Pairs set by hand: each column, and each mistake by its line."""

import numpy as np
import pytest

from tillside.relations import ACTIONS, ALWAYS, RELATIONS
from training.mining.manual import read_manual

INDEX = {"a": 0, "b": 1, "c": 2}
HEADER = "relation,item_id,other_id,action,strength,from,until"
DAY_ONE = 1_767_225_600_000  # 2026-01-01T00:00Z


def read(tmp_path, *lines, header=HEADER):
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return read_manual(path, INDEX)


def test_every_column_arrives(tmp_path):
    pairs = read(
        tmp_path, "complement,a,b,pin,0.5,2026-01-01,2026-01-02T01:00+01:00", "", ' gift , c,"a",ban,,,2026-01-01 '
    )
    assert [RELATIONS[relation] for relation in pairs.relations] == ["complement", "gift"]
    assert (pairs.anchors.tolist(), pairs.items.tolist()) == ([0, 2], [1, 0])
    assert [ACTIONS[action] for action in pairs.actions] == ["pin", "ban"]
    np.testing.assert_array_equal(pairs.strengths, np.array([0.5, np.nan], np.float32))
    assert pairs.from_ms.tolist() == [DAY_ONE, ALWAYS[0]]
    assert pairs.until_ms.tolist() == [DAY_ONE + 86_400_000, DAY_ONE]


def test_a_pair_of_an_item_that_is_not_in_the_catalogue_waits_for_it(tmp_path):
    """The catalogue is the log's; what came into the shop since is known by the items feed alone."""
    pairs = read(tmp_path, "complement,a,new,pin,,,", "complement,a,b,add,,,", "gift,new,newer,add,0.5,,")
    assert (pairs.items.tolist(), [row[1:3] for row in pairs.later]) == ([1], [("a", "new"), ("new", "newer")])
    arrived = pairs.arrived({**INDEX, "new": 7})
    assert (arrived.anchors.tolist(), arrived.items.tolist()) == ([0, 0], [1, 7])
    assert [row[1:3] for row in arrived.later] == [("new", "newer")]


def test_a_header_alone_sets_nothing(tmp_path):
    assert len(read(tmp_path)) == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("friend,a,b,pin,,,", "relation is 'friend'; allowed: complement, substitute"),
        ("gift,a,b,show,,,", "action is 'show'; allowed: pin, add, ban"),
        ("gift,,b,pin,,,", "item_id is empty; allowed: the id of an item"),
        ("gift,a,,pin,,,", "other_id is empty"),
        ("gift,a,a,pin,,,", "other_id must be another item than item_id, got 'a' for both"),
        ("gift,a,b,pin,2,,", "strength is '2'; allowed: above 0 and at most 1, or nothing"),
        ("gift,a,b,pin,0,,", "strength is '0'"),
        ("gift,a,b,pin,nan,,", "strength is 'nan'"),
        ("gift,a,b,pin,much,,", "strength is 'much'"),
        ("gift,a,b,ban,0.5,,", "strength must be empty for a ban"),
        ("gift,a,b,pin,,soon,", "from is 'soon'; allowed: a date or time such as 2026-11-01"),
        ("gift,a,b,pin,,,2026-13-01", "until is '2026-13-01'"),
        ("gift,a,b,pin,,2026-01-02,2026-01-02", "until must be after from"),
        ("gift,a,b,pin", "must have 7 columns, got 4"),
        ('gift,a,b,"pin"x,,,', "expected after"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, line, message):
    with pytest.raises(ValueError, match=r"pairs\.csv:3: ") as caught:
        read(tmp_path, "gift,a,c,pin,,,", line)
    assert message in str(caught.value)


def test_the_same_pair_twice_at_one_time_is_a_mistake_and_after_one_another_is_not(tmp_path):
    first = "gift,a,b,pin,,2026-01-01,2026-02-01"
    assert len(read(tmp_path, first, "gift,a,b,ban,,2026-02-01,", "gift,b,a,pin,,,", "scene,a,b,pin,,,")) == 4
    with pytest.raises(ValueError, match=r"csv:3: the same pair is set in line 2 for the same time"):
        read(tmp_path, first, "gift,a,b,ban,,2026-01-31,")


def test_all_mistakes_are_named_up_to_ten(tmp_path):
    with pytest.raises(ValueError, match=r"csv:2: .*; .*csv:11: .*; and 2 more$"):
        read(tmp_path, *["friend,a,b,pin,,,"] * 12)


def test_another_header_or_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"csv:1: the header must be relation,item_id,.*, got 'a,b'"):
        read(tmp_path, header="a,b")
    with pytest.raises(ValueError, match="cannot be read"):
        read_manual(tmp_path / "none.csv", INDEX)
