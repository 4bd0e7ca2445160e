"""A run's end: the store is told once what came of the block, and what ended it comes out unchanged."""

from typing import Any

import pytest

from training.tracking.ending import ending
from training.tracking.store import StoreAwayError
from training.tracking.unrecorded import Unrecorded


class Noting:
    """A tracker that notes how its run ended; its store may be away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.statuses: list[str] = []

    def end(self, status: str = "FINISHED") -> None:
        self.statuses.append(status)
        if self.away:
            raise StoreAwayError("away")


def test_a_block_that_comes_to_its_end_finishes_the_run() -> None:
    tracker: Any = Noting()
    with ending(tracker):
        assert tracker.statuses == []
    assert tracker.statuses == ["FINISHED"]


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("bad"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(1), "KILLED")]
)
@pytest.mark.parametrize("away", [False, True], ids=["store there", "store away"])
def test_what_ended_the_run_is_told_and_goes_on(error: BaseException, status: str, away: bool) -> None:
    """Also where the store cannot be told: its absence must not hide the reason."""
    tracker: Any = Noting(away=away)
    with pytest.raises(type(error)) as caught, ending(tracker):
        raise error
    assert caught.value is error
    assert tracker.statuses == [status]


def test_a_run_that_cannot_be_finished_has_failed() -> None:
    tracker: Any = Noting(away=True)
    with pytest.raises(StoreAwayError, match="away"), ending(tracker):
        pass
    assert tracker.statuses == ["FINISHED", "FAILED"]


def test_a_process_that_records_nothing_ends_as_its_block_does() -> None:
    with ending(Unrecorded("r")):
        pass
    with pytest.raises(ValueError, match="bad"), ending(Unrecorded("r")):
        raise ValueError("bad")
