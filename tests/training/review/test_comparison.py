"""A retrained model beside its base: the verdict, its words, and what a run's page is handed."""

from typing import Any

import pytest

from tillside.ranking import Interval
from training.review.champion import Champion
from training.review.comparison import Beside, Compared
from training.review.markdown import GAP


def metric(champion: float, challenger: float, *, low: float, high: float) -> dict[str, Any]:
    gain = {"value": challenger - champion, "low": low, "high": high}
    return {"champion": champion, "challenger": challenger, "gain": gain}


def compared(*, low: float, high: float, role: str = "champion") -> Compared:
    """80 cases: recall@20 rises from 0.50 to 0.75, mrr@20 from 0.25 to 0.50."""
    part = {"cases": 80, "recall@20": metric(0.5, 0.75, low=low, high=high)}
    part["mrr@20"] = metric(0.25, 0.5, low=0.1, high=0.4)
    document = {
        "parent": "models:/shop/3",
        "cases": 80,
        "window_begins": "2023-11-22 10:13:24",
        "targets_by_attributes": 0.125,
        "targets_missed": 0.0625,
        "items": {"kept": 1200, "described": 2, "fresh": 3, "gone": 4},
        "slices": {"all": part},
    }
    return Compared(document, Champion("shop", "3", "run", None, role=role))


@pytest.mark.parametrize(
    ("low", "high", "role", "words"),
    [
        (0.1, 0.4, "champion", "above the champion's, +0.2500 (+0.1000 to +0.4000)."),
        (-0.1, 0.6, "parent", "level with the parent's, +0.2500 (-0.1000 to +0.6000)."),
    ],
)
def test_the_verdict_names_the_base_and_how_sure_it_is(low: float, high: float, role: str, words: str) -> None:
    told = compared(low=low, high=high, role=role).sentence()
    assert told == f"Retrained from models:/shop/3: on the 80 newest cases recall@20 is {words}"


def test_the_page_is_handed_the_base_the_gain_and_the_same_words() -> None:
    found = compared(low=0.1, high=0.4)
    beside = found.beside()
    assert beside == Beside(found.champion, Interval(0.25, 0.1, 0.4), ["### Retrained", "", *found.markdown()])
    lines = [line.replace(GAP, "") for line in beside.lines]
    assert "| all | 80 | recall@20 | 0.5000 | 0.7500 | +0.2500 (+0.1000 to +0.4000) |" in lines
    assert "| all | 80 | mrr@20 | 0.2500 | 0.5000 | +0.2500 (+0.1000 to +0.4000) |" in lines


def test_the_note_says_what_was_carried_over_and_what_could_not_be_ranked() -> None:
    assert compared(low=0.1, high=0.4).note() == (
        "1,200 items went on from what the champion had learned, 2 began with their attributes, 3 at random; 4 are not "
        "trained any more. Of the targets 12.5% are items that the champion has not learned and ranks by their "
        "attributes; 6.2% it cannot rank at all, and they count as misses."
    )


def test_what_is_printed_is_the_table_and_the_note(capsys: pytest.CaptureFixture[str]) -> None:
    compared(low=0.1, high=0.4).show()
    said = " ".join(capsys.readouterr().out.split())
    assert "models:/shop/3 and the retrained model, sessions from 2023-11-22 10:13:24" in said
    assert "recall@20" in said
    assert "1,200 items went on from what the champion had learned" in said
