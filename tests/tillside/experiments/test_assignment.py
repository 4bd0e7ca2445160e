"""Assignment is a pure function of salt and key: published draws, shares, layers that tell nothing of each other."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from tillside.experiments.assignment import TEST_VECTORS, arm_of, assign, bits, drawn, held_out, parted
from tillside.experiments.reader import parse_experiments
from tillside.experiments.terms import Experiments

NOON = int(datetime(2026, 11, 10, 12, tzinfo=UTC).timestamp() * 1000)
KEYS = [f"shopper-{number}" for number in range(20_000)]
FILE = """\
utc_offset_hours: 8
holdout: {share: 0.05, salt: holdout}
experiments:
  slots:
    layer: page
    slice: {from: 0, until: 0.5}
    from: 2026-11-10
    until: 2026-11-20
    placements: [cart]
    arms: {eight: {share: 0.2}, four: {share: 0.8}}
  wording:
    layer: page
    slice: {from: 0.5, until: 1}
    arms: {short: {share: 0.5}, long: {share: 0.5}}
  ranking:
    layer: rank
    arms: {old: {share: 0.5}, new: {share: 0.5}}
"""


def of(**given: object) -> object:
    return assign(parse_experiments(FILE), **{"session": None, "placement": "cart", "now_ms": NOON, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(("salt", "key", "first"), TEST_VECTORS)
def test_the_published_draws_come_out(salt: str, key: str, first: int) -> None:
    """``printf %s SALT:KEY | sha256sum | cut -c1-8`` gives them; a client in another language must agree."""
    assert bits(salt, key) == first == int(hashlib.sha256(f"{salt}:{key}".encode()).hexdigest()[:8], 16)


def test_a_draw_is_its_bits_as_a_share() -> None:
    """0x06b931eb = 112,800,235; / 2**32 = .026263... The same shopper is in a holdout of 3 %, not in one of 2 %."""
    assert drawn("holdout", "shopper-1") == pytest.approx(112_800_235 / 4_294_967_296, abs=0)
    for share, expected in ((0.03, True), (0.02, False)):
        file = parse_experiments(f"holdout: {{share: {share}}}")
        assert held_out(file, "shopper-1") is expected


def test_the_arm_is_where_the_shares_reach_the_draw() -> None:
    """The draw of shopper-1 under cart_slots is 0x511c7a8b / 2**32 = .3168: past an arm of .3, within one of .32."""
    for share, expected in ((0.3, "b"), (0.32, "a")):
        file = parse_experiments(
            f"experiments: {{cart_slots: {{arms: {{a: {{share: {share}}}, b: {{share: {1 - share}}}}}}}}}"
        )
        assert arm_of("cart_slots", file.experiments["cart_slots"], "shopper-1") == expected


def test_draws_are_uniform_and_salts_independent() -> None:
    holdout, page = (np.array([drawn(salt, key) for key in KEYS]) for salt in ("holdout", "layer.page"))
    assert kstest(holdout, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(holdout, page)[0, 1]) < 4 / len(KEYS) ** 0.5


def test_shares_are_kept_and_layers_are_independent() -> None:
    file = parse_experiments(FILE)
    found = [arm_of("slots", file.experiments["slots"], key) for key in KEYS]
    counts = [found.count("eight"), found.count("four"), found.count(None)]
    assert chisquare(counts, np.array([0.1, 0.4, 0.5]) * len(KEYS)).pvalue > 0.001
    new = [arm_of("ranking", file.experiments["ranking"], key) for key in KEYS]
    both = [
        [sum((a, b) == (left, right) for a, b in zip(found, new, strict=True)) for right in ("old", "new")]
        for left in ("eight", "four")
    ]
    expected = [[0.05, 0.05], [0.2, 0.2]]
    assert chisquare(np.ravel(both), np.ravel(expected) * sum(map(sum, both)) / 0.5).pvalue > 0.001


def test_experiments_of_one_layer_share_nobody() -> None:
    file = parse_experiments(FILE)
    for key in KEYS[:2000]:
        found = assign(file, shopper=key, session=None, placement="cart", now_ms=NOON)
        names = {name for name, _, _ in found.arms}
        assert found.held_out or (len(names & {"slots", "wording"}) == 1 and "ranking" in names)
        assert found.held_out == held_out(file, key)


def test_the_holdout_comes_before_every_experiment() -> None:
    held = next(key for key in KEYS if held_out(parse_experiments(FILE), key))
    found = of(shopper=held)
    assert (found.held_out, found.arms, found.experiment, found.arm) == (True, (), "holdout", "holdout")  # type: ignore[attr-defined]


def test_widening_a_slice_moves_nobody_who_is_in() -> None:
    wide = parse_experiments(FILE.replace("until: 0.5}", "until: 0.6}").replace("from: 0.5, ", "from: 0.6, "))
    narrow = parse_experiments(FILE)
    for key in KEYS[:2000]:
        before = arm_of("slots", narrow.experiments["slots"], key)
        assert before is None or before == arm_of("slots", wide.experiments["slots"], key)


def test_days_are_the_shops() -> None:
    """At 8 hours east the 10th begins at 16:00 UTC of the 9th."""
    key = next(key for key in KEYS if (found := of(shopper=key)).arms and found.arms[0][0] == "slots")  # type: ignore[attr-defined]
    for text, expected in (("2026-11-09T15:59", False), ("2026-11-09T16:00", True), ("2026-11-19T16:00", False)):
        at = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
        assert ("slots" in str(of(shopper=key, now_ms=at).experiment)) is expected  # type: ignore[attr-defined]


def test_a_visit_without_a_shopper_is_drawn_by_its_session_and_said_to_be_anonymous() -> None:
    known, anonymous = of(shopper="shopper-7", session="s"), of(shopper=None, session="shopper-7")
    assert (known.subject, known.anonymous) == ("shopper-7", False)  # type: ignore[attr-defined]
    assert (anonymous.subject, anonymous.anonymous, anonymous.arm) == ("shopper-7", True, known.arm)  # type: ignore[attr-defined]
    assert of(shopper="", session=None).arms == ()  # type: ignore[attr-defined]


def test_names_of_several_layers_are_joined_and_parted_again() -> None:
    found = next(found for key in KEYS if len((found := of(shopper=key)).arms) == 2)  # type: ignore[attr-defined]
    assert parted(found.experiment, found.arm) == {name: arm for name, arm, _ in found.arms}  # type: ignore[attr-defined]
    assert parted(None, None) == {}


def test_an_experiment_of_other_placements_does_not_assign() -> None:
    assert isinstance(parse_experiments(FILE), Experiments)
    assert all("slots" not in str(of(shopper=key, placement="checkout").experiment) for key in KEYS[:500])  # type: ignore[attr-defined]
