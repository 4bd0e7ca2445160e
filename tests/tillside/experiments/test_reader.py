"""An experiments file with a mistake names file, line, key and what is allowed; the example reads."""

from pathlib import Path

import pytest

from tillside.experiments.reader import parse_experiments, read_experiments
from tillside.policy import parse_policy

EXAMPLE = Path(__file__).parents[3] / "configs/experiments/example.yaml"
GOOD = """\
unit: shopper
holdout: {share: 0.02, salt: first}
experiments:
  slots:
    arms:
      eight: {share: 0.5}
      four: {share: 0.5, policy: {placements: {cart: {slots: 4}}}}
"""
POLICY = """\
placements:
  cart: {sources: {complement: 1}, slots: 8}
"""


def test_the_example_reads() -> None:
    found = read_experiments(EXAMPLE)
    assert found.experiments["cart_slots"].control == "eight"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unit: shopper", "unit: visitor", "file:1: unit: got 'visitor'; allowed: "),
        ("share: 0.02", "share: 0.6", "file:2: holdout.share: got '0.6'; allowed: a number above 0 and at most 0.5"),
        ("salt: first", "salt: 'a:b'", "file:2: holdout.salt: got 'a:b'; allowed: 1 to 64 letters"),
        ("  slots:", "  holdout:", "file:4: experiments.holdout: is no name; allowed: "),
        ("  slots:", "  a|b:", "file:4: experiments.a|b: is no name; allowed: "),
        (
            "eight: {share: 0.5}",
            "eight: {share: 0.4}",
            "experiments.slots: the shares of the arms must sum to 1, got 0.9",
        ),
        ("      eight: {share: 0.5}\n", "", "file:6: experiments.slots.arms: is empty; allowed: at least"),
        ("slots: 4", "slotz: 4", "file:7: experiments.slots.arms.four.policy.placements.cart.slotz: is not known"),
        (
            "{placements: {cart: {slots: 4}}}",
            "12",
            "file:7: experiments.slots.arms.four.policy: got '12'; allowed: a map",
        ),
        (
            "{placements: {cart: {slots: 4}}}",
            "{segments: {news: {}}}",
            "file:7: experiments.slots.arms.four.policy.segments.news: is not known; allowed: new, returning",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError) as error:
        parse_experiments(GOOD.replace(old, new), name="file")
    assert message in str(error.value)


def test_experiments_of_one_layer_may_not_share_subjects() -> None:
    second = "  more:\n    slice: {from: 0.9}\n    arms: {a: {share: 0.5}, b: {share: 0.5}}\n"
    with pytest.raises(ValueError, match=r"file:8: experiments\.more: has subjects of slots on the same days"):
        parse_experiments(GOOD + second, name="file")
    dated = GOOD.replace("    arms:", "    until: 2026-11-01\n    arms:") + second.replace(
        "    slice", "    from: 2026-11-01\n    slice"
    )
    assert len(parse_experiments(dated).experiments) == 2


def test_bundles_of_two_layers_cannot_answer_one_shopper() -> None:
    """Both would have to answer whoever is in both."""
    named = GOOD.replace("policy: {placements: {cart: {slots: 4}}}", "bundle: other")
    second = "  more:\n    layer: second\n    arms: {a: {share: 0.5}, b: {share: 0.5, bundle: third}}\n"
    with pytest.raises(ValueError, match=r"file:8: experiments\.more: names bundles as slots does"):
        parse_experiments(named + second, name="file")
    assert parse_experiments(GOOD + second).experiments["more"].bundles == ("third",)


def test_overrides_lie_over_the_policy_as_a_segments_do() -> None:
    arm = parse_experiments(GOOD).experiments["slots"].arms["four"]
    assert arm.policy is not None
    plain, laid = parse_policy(POLICY), parse_policy(POLICY, overrides=arm.policy.node)
    assert (plain.placement("cart").slots, laid.placement("cart").slots) == (8, 4)
    assert laid.placement("cart").sources == plain.placement("cart").sources


def test_what_arm_and_policy_make_of_each_other_is_told_with_the_arms_line() -> None:
    """The placement is the arm's alone, so its sources are missing there, and nowhere in the policy file."""
    arm = parse_experiments(GOOD.replace("cart:", "page:"), name="trial.yaml").experiments["slots"].arms["four"]
    assert arm.policy is not None
    with pytest.raises(ValueError, match=r"trial.yaml:7: placements.page.sources: is missing"):
        parse_policy(POLICY, name="policy.yaml", overrides=arm.policy.node)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_experiments(tmp_path / "bad.yaml")
