"""A policy file with a mistake names file, line, key and what is allowed; the example policies read."""

from pathlib import Path

import pytest

from tillside.policy import ConflictError, Policy, parse_policy, policy_version, read_policy
from tillside.policy.file.spelling import SUGGESTED
from tillside.policy.file.values import TermError

CONFIGS = Path(__file__).parents[4] / "configs/policy"
GOOD = """\
defaults:
  rules:
    cap: {shown: 3}
placements:
  checkout:
    sources: {model: 1, complement: 2}
    rules:
      stock: {feed_max_age_minutes: 30}
      pins:
        - {name: opening, item: 0123, from: 2026-11-01, until: 2026-11-02}
segments:
  new:
    placements:
      checkout: {sources: {complement: 0}, rules: {cap: {shown: 9}}}
"""


def test_the_version_is_that_of_the_bytes(tmp_path: Path) -> None:
    """Of "abc" the standard (FIPS 180-2, appendix B.1) gives ba7816bf 8f01cfea ..."""
    (tmp_path / "policy.yaml").write_bytes(b"abc")
    assert policy_version(tmp_path / "policy.yaml") == "ba7816bf8f01"


@pytest.mark.parametrize("name", ["electronics", "live_fashion"])
def test_the_example_policies_read(name: str) -> None:
    assert isinstance(read_policy(CONFIGS / f"{name}.yaml"), Policy)


def test_defaults_lie_under_placements_and_those_under_segments() -> None:
    policy = parse_policy(GOOD)
    plain, new = policy.placement("checkout"), policy.of("new").placement("checkout")
    assert [each.rules.cap.shown for each in (plain, new) if each.rules.cap] == [3, 9]
    assert (plain.sources, new.sources) == ({"model": 1, "complement": 2}, {"model": 1, "complement": 0})
    assert new.rules.stock == plain.rules.stock


def test_text_is_taken_as_written() -> None:
    assert parse_policy(GOOD).placement("checkout").rules.pins[0].item == "0123"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "model: 1",
            "model: -1",
            "6: placements.checkout.sources.model: got '-1'; allowed: a number of at least 0 and at most 100",
        ),
        ("model: 1", "modl: 1", "6: placements.checkout.sources.modl: is not known; allowed: brand, bundle,"),
        (
            "    rules:\n      stock",
            "    rule:\n      stock",
            "7: placements.checkout.rule: is not known; allowed: behaviour, sources,",
        ),
        ("shown: 3", "shown: 2.5", "3: defaults.rules.cap.shown: got '2.5'; allowed: an integer of at least 1"),
        ("shown: 3", "shown: true", "3: defaults.rules.cap.shown: got 'true'; allowed: an integer"),
        (
            "shown: 9",
            "shwn: 9",
            "14: segments.new.placements.checkout.rules.cap.shwn: is not known; allowed: shown, category_shown, "
            "placement_shown, within_hours",
        ),
        ("  new:", "  young:", "12: segments.young: is not known; allowed: new, returning, dormant, high_value"),
        (
            "from: 2026-11-01",
            "from: tomorrow",
            "10: placements.checkout.rules.pins[0].from: got 'tomorrow'; allowed: a date such as",
        ),
        (
            "from: 2026-11-01",
            "from: 2026-13-01",
            "10: placements.checkout.rules.pins[0].from: got '2026-13-01'; allowed: a date",
        ),
        (
            "from: 2026-11-01",
            "from: 2026-11-02",
            "10: placements.checkout.rules.pins[0]: until must be after from (2026-11-02), got 2026-11-02; "
            "allowed: a date after 2026-11-02, or nothing",
        ),
        ("item: 0123, ", "", "10: placements.checkout.rules.pins[0].item: is missing; allowed: text"),
        ("item: 0123", "item:", "10: placements.checkout.rules.pins[0].item: got nothing; allowed: text"),
        (
            "    sources: {model: 1, complement: 2}\n",
            "",
            "6: placements.checkout.sources: is missing; allowed: a mapping of brand,",
        ),
        (
            "sources: {model: 1, complement: 2}",
            "sources: [model]",
            "6: placements.checkout.sources: got a list; allowed: a mapping",
        ),
        (
            "      pins:\n",
            "      pins: {}\n      bans:\n",
            "9: placements.checkout.rules.pins: got a mapping; allowed: a list, each:",
        ),
        ("defaults:\n  rules", "defaults:\n  rulez", "2: defaults.rulez: is not known; allowed: behaviour, sources"),
        (
            "    cap: {shown: 3}",
            "    cap: {shown: 3}\n    cap: {shown: 4}",
            "4: defaults.rules.cap: stands twice; allowed: each key once",
        ),
        (
            "{shown: 3}",
            "&a {shown: 3}\n    stock: *a",
            "4: *a: aliases are not read; allowed: shared values under defaults",
        ),
        ("{shown: 3}", "{? [a] : 3}", "3: a list is used as a key; allowed: text"),
        ("{shown: 3}", "{shown: 3", "4: "),
    ],
)
def test_a_mistake_names_file_line_key_and_what_is_allowed(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        read_policy(file)
    found = str(caught.value).splitlines()
    assert any(line.startswith(f"{file}:{message}") for line in found), found
    assert all("; allowed: " in line for line in found)


def test_all_mistakes_are_listed_once_and_in_order() -> None:
    wrong = GOOD.replace("shown: 3", "shown: 0").replace("model: 1", "model: x").replace("shown: 9", "shown: y")
    with pytest.raises(ValueError) as caught:
        parse_policy(wrong, name="p.yaml")
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == ["p.yaml:3", "p.yaml:6", "p.yaml:14"]


def test_field_and_allowed_are_those_of_the_first_mistake() -> None:
    def refused(rules: str) -> tuple[str, str]:
        with pytest.raises(TermError) as caught:
            parse_policy(f"placements: {{a: {{sources: {{model: 1}}, rules: {{{rules}}}}}}}")
        return caught.value.field, caught.value.allowed

    span = "from: 2026-06-02, until: 2026-06-01"
    until = "placements.a.rules.pins[0].until", "a date after 2026-06-02, or nothing"
    assert refused(f"pins: [{{name: p, item: i, {span}}}], cap: {{shown: 0}}") == until
    assert refused("cap: {shown: 0}") == ("placements.a.rules.cap.shown", "an integer of at least 1 and at most 1000")


def test_a_bundle_of_nine_items_is_refused_as_the_admin_port_refuses_it() -> None:
    """In JSON the bound held, and the published schema says it; a file's was not looked at."""
    items = "[a, b, c, d, e, f, g, h, i]"
    with pytest.raises(ValueError, match=r"bundles\[0\].items: got a list of 9; allowed: a list of 2 to 8, each: text"):
        parse_policy(f"bundles: [{{name: n, items: {items}}}]\nplacements: {{a: {{sources: {{model: 1}}}}}}")


@pytest.mark.parametrize(
    "text", ["", "[]", "x", "{}", "placements: {}", "placements: {a: }", "placements: {a: {sources: }}"]
)
def test_a_file_without_placements_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"policy:1: .*; allowed: ") as refused:
        parse_policy(text)
    assert ("the file is empty" in str(refused.value)) == (text == "")
    assert ("the file is no mapping" in str(refused.value)) == (text in ("[]", "x"))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("bans: [{name: b}]", "exactly one of item, category, brand must be given, got none"),
        ("bans: [{name: b, item: a, brand: c}]", "exactly one of item, category, brand must be given, got item, brand"),
        (
            "price_band: {low: 2, high: 1}",
            "low must be below high (1), got 2; allowed: a number of at least 0 and below 1",
        ),
        ("cap: {}", "category_shown, placement_shown must be given, got none; allowed: one or several of them"),
        ("at_least: [{n: 2}]", "exactly one of category, brand, source must be given, got none"),
    ],
)
def test_rules_that_do_not_fit_together_are_told_with_what_the_field_at_fault_may_hold(
    rules: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        parse_policy(f"placements: {{a: {{sources: {{model: 1}}, rules: {{{rules}}}}}}}")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "intent: {curve: [{intent: 0.5, decided: 1}, {intent: 0.5, decided: 0}]}",
            "the intents of the curve must rise",
        ),
        ("intent: {cross_sell_from: 0.3}", "down_sell_to must be below cross_sell_from"),
        (
            "promotions: [{name: p, steps: [{items: 2, percent: 1}, {items: 2, percent: 5}]}]",
            "the items of the steps must rise",
        ),
    ],
)
def test_parts_that_do_not_fit_together(part: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_policy(f"placements: {{a: {{sources: {{model: 1}}}}}}\n{part}")
    assert str(caught.value).startswith("policy:2: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "conflict"),
    [
        ("until: 2026-11-02", "until: 2026-11-01", True),
        ("until: 2026-11-02", "until: 2026-11-32", False),
        (
            "checkout: {sources: {complement: 0}, ",
            "home: {",
            True,
        ),  # a segment's placement that the file has not, and no sources
        ("{model: 1, complement: 2}", "{model: -1}", False),
        ("    sources: {model: 1, complement: 2}\n", "", True),  # the defaults might have had them
        ("cap: {shown: 3}", "cap: {within_hours: 3}", True),
        ("{sources: {complement: 0}", "{sources: {complement: x}", False),
    ],
)
def test_what_no_single_value_is_to_blame_for_is_a_conflict(old: str, new: str, conflict: bool) -> None:
    assert old in GOOD
    with pytest.raises(ValueError) as caught:
        parse_policy(GOOD.replace(old, new, 1))
    assert isinstance(caught.value, ConflictError) is conflict, caught.value


def test_a_behaviour_of_another_shop_is_a_conflict_and_missing_sources_without_defaults_are_none() -> None:
    with pytest.raises(ConflictError, match="got 'buy'; allowed: click"):
        parse_policy("placements: {a: {sources: {}, behaviour: buy}}", behaviours=["click"])
    with pytest.raises(ValueError, match="sources: is missing") as caught:
        parse_policy("placements: {a: {}}")
    assert not isinstance(caught.value, ConflictError)


def test_what_stands_in_a_list_of_the_defaults_is_complete() -> None:
    """Lists are never merged, so nothing could bring what is missing there; it is told where it was left out."""
    wrong = GOOD.replace("cap: {shown: 3}", "age_limits: [{years: 18}]")
    with pytest.raises(ValueError, match=r"^policy:3: defaults.rules.age_limits\[0\].category: is missing"):
        parse_policy(wrong)


@pytest.mark.parametrize("breaks", ["\\n", "\\r", "\\x85", "\\u2028", "\\x1c"])
def test_a_mistake_is_one_line_though_a_key_or_a_name_holds_a_line_break(breaks: str) -> None:
    text = f'placements: {{"a{breaks}b": {{}}, c: {{sources: {{}}, rules: {{pins: [{{"x{breaks}y": 1}}]}}}}}}'
    with pytest.raises(ValueError) as caught:
        parse_policy(text)
    assert len(str(caught.value).splitlines()) == len(str(caught.value).split("policy:1: ")) - 1


def test_a_list_of_the_defaults_is_read_once_however_many_placements_there_are():
    bans = ", ".join(f"{{name: b{number}, item: i{number}}}" for number in range(3))
    names = [f"p{number}" for number in range(50)]
    policy = parse_policy(
        f"defaults: {{sources: {{model: 1}}, rules: {{bans: [{bans}]}}}}\n"
        f"placements: {{{', '.join(f'{name}: {{}}' for name in names)}, own: {{rules: {{bans: []}}}}}}\n"
        "segments: {new: {placements: {p0: {slots: 1}}}}"
    )
    first = policy.placements["p0"].rules.bans
    assert [ban.item for ban in first] == ["i0", "i1", "i2"]
    assert all(policy.placements[name].rules.bans is first for name in names)
    assert policy.segments["new"].placements["p0"].rules.bans is first
    assert policy.placements["own"].rules.bans == ()


def test_a_mistake_in_a_list_of_the_defaults_refuses_every_placement_and_is_told_once():
    with pytest.raises(ValueError) as caught:
        parse_policy("defaults: {sources: {model: 1}, rules: {bans: [{name: b}, 3]}}\nplacements: {a: {}, b: {}}")
    assert [line.partition(";")[0] for line in str(caught.value).splitlines()] == [
        "policy:1: defaults.rules.bans[0]: exactly one of item, category, brand must be given, got none",
        "policy:1: defaults.rules.bans[1]: got '3'",
    ]


def test_thousands_of_mistyped_placements_are_told_in_short_lines_and_the_first_ones_with_what_was_meant():
    """Each line listed all placements once, and each name was compared with all: 2,000 of both took 20 s."""
    placements = ", ".join(f"home{number}: {{sources: {{model: 1}}}}" for number in range(1000))
    mistyped = ", ".join(f"hame{number}: {{slots: 2}}" for number in range(1000))
    text = f"placements: {{{placements}}}\nsegments: {{new: {{placements: {{{mistyped}}}}}}}"
    with pytest.raises(ConflictError) as caught:
        parse_policy(text)
    told = str(caught.value).splitlines()
    assert len(told) == 1000
    assert max(map(len, told)) < 400
    assert all("980 more" in line for line in told)
    assert ["did you mean home" in line for line in told] == [True] * SUGGESTED + [False] * (1000 - SUGGESTED)
