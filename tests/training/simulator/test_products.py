"""The table of kinds is sound: every name in it can be found, and every match can be made."""

import pytest

from training.simulator.products import BRANDS, CONNECTOR_NAMES, KINDS, LINES, Kind

BY_KEY = {kind.key: kind for kind in KINDS}


def test_each_kind_has_its_own_key_and_path_and_comes_after_what_it_is_made_for() -> None:
    assert len(BY_KEY) == len({kind.path for kind in KINDS}) == len(KINDS)
    keys = list(BY_KEY)
    for kind in KINDS:
        assert not kind.made_for or keys.index(kind.made_for) < keys.index(kind.key)
        assert kind.made_for or not kind.same_series
        assert kind.path.split(".")[0] in BRANDS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_a_complement_can_be_found_the_way_that_it_is_said_to_match(kind: Kind) -> None:
    for goes in kind.goes:
        other = BY_KEY[goes.kind]
        assert other is not kind
        assert 0 < goes.strength <= 1
        if goes.match == "fits":  # made for this kind, or for the same third one: a case's film is the phone's
            assert other.made_for in {kind.key, kind.made_for}
        elif goes.match == "connector":
            assert set(kind.connectors) <= set(other.connectors)
        elif goes.match == "series":
            series = {kind.key, kind.made_for}
            assert {other.key, other.made_for} & series
            assert kind.same_series or other.same_series


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_a_name_tells_the_models_of_the_shop_apart(kind: Kind) -> None:
    words = {"brand": "<brand>", "line": "<line>", "number": 7, "connector": "<connector>", "fits": "<fits>"}
    names = [kind.name.format(rung=rung, **words) for rung in kind.rungs]
    assert len(set(names)) == len(kind.rungs) > 1
    assert "<brand>" in names[0]
    assert ("<fits>" in names[0]) == bool(kind.made_for and not kind.same_series)
    assert 0 < kind.low < kind.high
    assert set(kind.connectors) <= set(CONNECTOR_NAMES)


def test_no_brand_and_no_line_stands_twice() -> None:
    brands = [brand for names in BRANDS.values() for brand in names]
    assert len(set(brands)) == len(brands)
    assert len(set(LINES)) == len(LINES)
