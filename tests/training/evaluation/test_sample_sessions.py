"""Sessions shown with what each system would have shown, by hand on a tiny scorer. Its page is tested with a run's."""

import json

from tests.datasets import make_dataset
from tests.models import SPEC
from tests.training.evaluation.tiny import LastItemPlusOne
from training.evaluation.sample_sessions import (
    HIT,
    Example,
    examples_page,
    examples_row,
    examples_title,
    show_examples,
    write_examples,
)
from training.inputs.cases import cases_of


def test_an_example_holds_what_was_seen_what_came_and_what_was_shown(tmp_path):
    rows = [[0, (1, "cart"), (2, "purchase")]]
    dataset = make_dataset(tmp_path / "shop", train=[[0, 1, 2, 3]], test=rows, trained=4)
    (example,) = show_examples({"tiny": LastItemPlusOne()}, dataset, cases_of(dataset, "test", spec=SPEC))
    # prices run evenly from 1 to 9; after 1 the scorer says 2, then 0, 1 and 3
    assert example.before == ["click: item 0, 1.00", "cart: item 1, 3.67"]
    assert (example.asked, example.target) == ("purchase", "item 2, 6.33")
    assert example.shown["tiny"] == [
        ("item 2, 6.33", True),
        ("item 0, 1.00", False),
        ("item 1, 3.67", False),
        ("item 3, 9.00", False),
    ]
    assert examples_title(dataset) == "shop: test sessions"


def test_a_row_of_the_table_numbers_the_places_and_marks_the_hit():
    example = Example(["click: a", "cart: b"], "purchase", "c", {"tiny": [("d", False), ("c", True)]})
    assert examples_row(example) == {
        "session": "click: a\ncart: b",
        "asked for": "purchase",
        "what came": "c",
        "tiny": f"1. d\n2. {HIT} c",
    }


def test_no_examples_are_an_empty_page_and_an_empty_table(tmp_path):
    write_examples([], tmp_path, title="t")
    assert json.loads((tmp_path / "sessions.json").read_text()) == {"columns": [], "data": []}
    assert (tmp_path / "sessions.html").read_text() == examples_page([], title="t")
    assert "<tbody></tbody>" in examples_page([], title="t")
