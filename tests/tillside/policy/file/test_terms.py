"""Terms of a policy file: spans of days, the shop's own day, and parts that must fit together."""

from datetime import date

import pytest

from tests.shops import NOW_MS
from tillside.policy import parse_policy
from tillside.policy.file.terms import Intent, PlacementPolicy, Point, Policy

HERE = {"here": PlacementPolicy(sources={"model": 1.0})}


@pytest.mark.parametrize(("hours", "day"), [(0, 28), (3.5, 28), (4, 29), (14, 29), (-12, 28), (-20.5, 27)])
def test_the_shop_s_day_goes_by_its_offset(hours: float, day: int) -> None:
    """NOW is 2026-05-28, 20:26 UTC."""
    assert Policy(placements=HERE, utc_offset_hours=hours).day(NOW_MS) == date(2026, 5, day)


@pytest.mark.parametrize("hours", [-12, 0, 14])
def test_the_latest_moment_that_a_request_may_name_has_a_day(hours):
    """The last millisecond of the year 9999, UTC, is in the year 10000 further east, which no calendar here has."""
    assert Policy(placements=HERE, utc_offset_hours=hours).day(253_402_300_799_999) == date(9999, 12, 31)


def test_a_segment_that_the_file_does_not_name_has_the_shop_s_own_policy() -> None:
    policy = parse_policy(
        "placements: {here: {sources: {model: 1}}}\nsegments: {new: {placements: {here: {slots: 2}}}}"
    )
    assert policy.of("new").placement("here").slots == 2
    assert policy.of(None) is policy.of("dormant") is policy
    with pytest.raises(ValueError, match="placement 'there' is unknown; allowed: here"):
        policy.placement("there")


def test_what_must_rise_rises() -> None:
    level = (Point(intent=0.5, decided=0), Point(intent=0.5, decided=1))
    with pytest.raises(ValueError, match="the intents of the curve must rise"):
        Intent(curve=level)
    with pytest.raises(ValueError, match=r"down_sell_to must be below cross_sell_from, got 0\.7"):
        Intent(down_sell_to=0.7)
