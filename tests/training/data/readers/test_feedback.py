"""The log that the shop itself reported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.feedback_logs import DAY, HOUR, NOON, event, order, write
from tests.logs import read_log
from tillside.dataset import load_dataset
from tillside.feedback.events import Event
from training.data.readers.feedback import FeedbackConfig
from training.settings.data import EventsConfig, with_feedback
from training.settings.prepare import PrepareConfig
from training.stages.prepare import prepare


def read(folder: Path, events: Sequence[Event], **settings: Any) -> Any:
    write(folder / "feedback", events=events)
    return read_log(FeedbackConfig(path=str(folder / "feedback"), **settings), folder / "scratch")


def test_clicks_carts_and_the_lines_of_orders_are_the_log_and_all_else_is_counted(tmp_path: Path, capsys: Any) -> None:
    """An order that is sent again counts once, and who does not consent is left out."""
    log = read(
        tmp_path,
        [
            event("e1", "impression", "case"),
            event("e2", "click", "case", NOON + 1),
            event("e3", "cart", "case", NOON + 2),
            order("o1", [("case", 2, 9.5), ("pen", 1, None)], NOON + HOUR),
            event("e4", "purchase", None, NOON + DAY, order_id="o1", lines=order("o1", [("pen", 1, 1.0)], NOON).lines),
            event("e5", "dismiss", "film", NOON + 3),
            event("e6", "click", "film", NOON + 3, consent=False),
            event("e7", "like", "film", NOON + 4),
        ],
    )
    assert log.column("item_id") == ["case", "case", "case", "pen"]
    assert log.column("behaviour") == [0, 1, 2, 2]
    assert log.column("timestamp") == [NOON + 1, NOON + 2, NOON + HOUR, NOON + HOUR]
    assert log.column("price")[2:] == [9.5, None]
    assert log.column("quantity")[2:] == [2, 1]
    assert set(log.column("session_id")) == {"v1"}
    assert log.skipped == {"behaviour left out: like": 1}
    said = capsys.readouterr().out
    assert "5 rows; left out: 1 dismiss, 1 impression, 1 order line sent again, 1 without consent" in " ".join(
        said.split()
    )


def test_where_an_event_names_no_visit_a_shoppers_events_are_cut_where_they_pause(tmp_path: Path) -> None:
    """One event without a visit is enough: a visit is no session then, and shoppers' events are cut by time."""
    events = [
        event("e1", "click", "a"),
        event("e2", "click", "b", NOON + HOUR, session=None),
        event("e3", "click", "c", shopper=None),
    ]
    log = read(tmp_path, events)
    assert "session_id" not in log.events[0]
    assert log.column("user_id") == ["ann", "ann", "v1"]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (FeedbackConfig(), "feedback must be given with data=feedback, as feedback=DIR"),
        (FeedbackConfig(path="nowhere"), r"feedback: nowhere holds no events \(events/\*\.seg\)"),
    ],
)
def test_a_folder_without_events_is_refused(tmp_path: Path, config: FeedbackConfig, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_log(config, tmp_path)


def test_a_folder_with_impressions_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no event of click, cart, purchase"):
        read(tmp_path, [event("e1", "impression", "case")])


def test_the_folder_is_a_key_of_its_own(tmp_path: Path) -> None:
    assert with_feedback(FeedbackConfig(), "DIR") == FeedbackConfig(path="DIR")
    with pytest.raises(ValueError, match="feedback can be given with data=feedback alone, got data=events"):
        with_feedback(EventsConfig(), "DIR")


def test_a_data_set_is_made_from_it_that_names_the_folder_it_came_from(tmp_path: Path) -> None:
    events = [
        event(f"{day}-{place}", "click", item, NOON + day * DAY + place, session=f"v{day}", shopper=f"s{day}")
        for day in range(30)
        for place, item in enumerate(("case", "film", "pen"))
    ]
    write(tmp_path / "feedback", events=events)
    prepare(PrepareConfig(out=str(tmp_path / "out"), data=FeedbackConfig(), feedback=str(tmp_path / "feedback")))
    made = load_dataset(tmp_path / "out")
    assert (made.name, made.about["sources"][0]["path"]) == ("feedback", str(tmp_path / "feedback"))
    assert sum(part["events"] for part in made.about["counts"]["parts"].values()) == 90
