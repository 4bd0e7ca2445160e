"""Terms of an experiments file: what cannot be is refused where it is built."""

from datetime import date

import pytest

from tillside.experiments.terms import Arm, Experiment, Experiments, Slice

HALVES = {"a": Arm(share=0.5), "b": Arm(share=0.5)}


def test_shares_sum_to_one() -> None:
    """Three thirds written with four digits sum to .9999, which is not all."""
    with pytest.raises(ValueError, match=r"must sum to 1, got 0.9999"):
        Experiment(arms={name: Arm(share=0.3333) for name in "abc"})
    assert Experiment(arms={name: Arm(share=1 / 3) for name in "abc"}).control == "a"


def test_slices_that_touch_do_not_meet() -> None:
    assert not Slice(low=0, high=0.5).meets(Slice(low=0.5, high=1))
    assert Slice(low=0, high=0.6).meets(Slice(low=0.5, high=1))
    with pytest.raises(ValueError, match="until must be above from"):
        Slice(low=0.5, high=0.5)


def test_spans_that_follow_each_other_share_no_day() -> None:
    first = Experiment(arms=HALVES, until=date(2026, 11, 1))
    assert not first.same_days(Experiment(arms=HALVES, since=date(2026, 11, 1)))
    assert first.same_days(Experiment(arms=HALVES))


def test_a_file_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one of holdout, experiments must be given"):
        Experiments()
