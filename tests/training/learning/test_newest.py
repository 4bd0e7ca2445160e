"""What a refit cannot learn of the newest part, by hand."""

from pathlib import Path

from tests.datasets import make_dataset
from training.learning.newest import NotLearned


def test_untrained_items_of_the_validation_part_are_told_with_the_sessions_they_leave_without_a_target(
    tmp_path: Path,
) -> None:
    """Items 2 and 3 are untrained: three events of seven; of three sessions two have one trained event."""
    newest = [[0, 2], [0, 1, 3], [2, 1]]
    dataset = make_dataset(tmp_path / "d", train=[[0, 1]], validation=newest, trained=2, newcomers=2)
    found = NotLearned.of(dataset)
    assert found == NotLearned(items=2, events_share=3 / 7, sessions=2)
    assert found.sentence() == (
        "of the validation part the refit cannot learn 2 untrained items (42.9% of its events) and 2 sessions that "
        "hold fewer than two trained ones"
    )
    known = make_dataset(tmp_path / "known", train=[[0, 1]], validation=[[1, 0]], trained=2)
    assert NotLearned.of(known).sentence() == ""
