"""Steps of a promotion and bundles set by hand: what must be given, and what must fit together."""

import pytest

from tillside.policy.file.offers import OwnBundle, Promotion, Step


def test_a_step_s_height_is_its_items_or_its_spend() -> None:
    assert Step(items=2, percent=5).height == 2
    assert Step(spend=50.0, amount=5).height == 50.0
    assert Promotion(name="p", steps=(Step(items=2, gift="a"),)).by_items
    assert not Promotion(name="p", steps=(Step(spend=2, gift="a"),)).by_items


def test_the_steps_of_a_promotion_rise_and_count_one_thing() -> None:
    with pytest.raises(ValueError, match="the items of the steps must rise"):
        Promotion(name="p", steps=(Step(items=2, percent=5), Step(items=2, percent=9)))
    with pytest.raises(ValueError, match="the spend of the steps must rise"):
        Promotion(name="p", steps=(Step(spend=20, percent=5), Step(spend=10, percent=9)))
    with pytest.raises(ValueError, match="must all count items or all a spend, got both"):
        Promotion(name="p", steps=(Step(items=2, percent=5), Step(spend=10, percent=9)))


def test_the_items_of_a_bundle_differ() -> None:
    with pytest.raises(ValueError, match="the items of a bundle must differ, got a, a"):
        OwnBundle(name="b", items=("a", "a"))
