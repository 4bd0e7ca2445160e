"""A mistake is told with what was meant, for everything that people write who know the shop and not YAML."""

import pytest

from tests.tillside.policy.file.test_names import SHOP
from tillside.policy.file.names import policy_mistakes

FILE = """\
intent: {{cart: {{grew: {grew}}}}}
placements:
  checkout:
    behaviour: {behaviour}
    sources: {sources}
    anchors: {anchors}
    {key}: {value}
    rules: {{{rules}}}
"""
RIGHT = {
    "grew": "0.3",
    "behaviour": "purchase",
    "sources": "{complement: 1}",
    "anchors": "[cart]",
    "key": "slots",
    "value": "3",
    "rules": "hide_viewed: last",
}


@pytest.mark.parametrize(
    ("wrong", "line", "end"),
    [
        ({"grew": "0,3"}, 1, "; a number is written with a point: 0.5, not 0,5"),
        ({"behaviour": "purchse"}, 4, "; did you mean purchase?"),
        ({"sources": "{complment: 1}"}, 5, "; did you mean complement?"),
        ({"sources": "{“complement”: 1}"}, 5, "; did you mean complement?"),
        ({"sources": "{complement:2}"}, 5, "; did you mean complement: 2, with a blank behind the colon?"),
        ({"sources": "{complement：2}"}, 5, "; did you mean complement: 2, with a blank behind the colon?"),
        ({"sources": "{model: 1, complement 2}"}, 5, "; did you mean complement: 2, with a colon?"),
        ({"sources": "[complement, model]"}, 5, "; did you mean {complement: 1, model: 1}?"),
        ({"sources": "complement"}, 5, "; did you mean {complement: 1}?"),
        ({"sources": "{complement: 50%}"}, 5, "; did you mean 0.5?"),
        ({"sources": '{complement: "2"}'}, 5, "; did you mean 2, without quotes?"),
        ({"sources": ""}, 5, "; what belongs to it stands below it, indented by two blanks more"),
        ({"anchors": "cart"}, 6, "; did you mean [cart]?"),
        ({"anchors": "[basket]"}, 6, "allowed: cart, host, last, scene, session"),  # none of them is like it
        ({"key": "bundels"}, 7, "; did you mean bundles?"),
        ({"key": "fits", "value": "anchors"}, 7, "; it belongs into placements.NAME.rules"),
        ({"key": "least_chance", "value": "0,5"}, 7, "; did you mean 0.5?"),
        ({"key": "least_chance", "value": "７%"}, 7, "; did you mean 0.07?"),
        ({"key": "slots", "value": "3,5"}, 7, "allowed: an integer of at least 1 and at most 100"),
        ({"rules": "fits: anchor"}, 8, "; did you mean anchors?"),
        ({"rules": "stock: hide"}, 8, "; did you mean {unknown: hide}?"),
        ({"rules": "categories: {never: tech.phone}"}, 8, "; did you mean [tech.phone]?"),
        ({"rules": "variants: style"}, 8, "'style': no item has this attribute: the catalogue has none at all"),
        (
            {"rules": "bans: {name: a, item: p-1}"},
            8,
            "; did you mean a list of one: [{...}], or a line that begins with a dash?",
        ),
        ({"rules": "bans: [{name: a, item: p-1, from: 01.05.2026}]"}, 8, "; did you mean 2026-05-01?"),
        ({"rules": "bans: [{name: a, item: p-1, from: 2026年5月1日}]"}, 8, "; did you mean 2026-05-01?"),
        ({"rules": "bans: [{name: a, item: “p-1”}]"}, 8, "'“p-1”': no item has this id; did you mean p-1?"),
    ],
)
def test_what_was_meant_is_said(wrong, line, end):
    assert policy_mistakes(FILE.format(**RIGHT), SHOP, behaviours=["click", "cart", "purchase"]) == []
    told = policy_mistakes(FILE.format(**RIGHT | wrong), SHOP, name="p", behaviours=["click", "cart", "purchase"])
    assert len(told) == 1, told
    assert told[0].startswith(f"p:{line}: ")
    assert told[0].endswith(end)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("placements:\n\thome: {sources: {model: 1}}", "p:2: a tab; a line is indented by blanks alone"),
        ("placements:\n  home:\n    slots: 3\n   sources: {}", "p:4: the line is indented otherwise than those it"),
        ("placements:\n  home：\n    slots: 3", "p:3: ： is text to YAML; it knows : and , with a blank behind them"),
        ("placements:\n  home: {slots: 3\n    fill: no}", "p:3: a comma or a bracket } is missing before this"),
        (
            "placements:\n  “home”: {sources: {model: 1}}",
            'p:2: placements.“home”: stands in quotes that are text to YAML; allowed: home, or "home"',
        ),
        (
            "promotions:\n  - {name: a, steps: [{items: 2, percent: 10%}]}\nplacements:\n  home: {sources: {model: 1}}",
            "p:2: promotions[0].steps[0].percent: got '10%'; allowed: a number above 0 and at most 100; "
            "did you mean 10?",
        ),
        (
            "placements:\n  home: {sources: {model: 1}}\nsegments:\n  new:\n    placements:\n      hme: {slots: 2}",
            "p:6: segments.new.placements.hme: no placement of the file is called so; allowed: home; "
            "did you mean home?",
        ),
    ],
)
def test_what_a_file_is_not_is_said_in_words(text, told):
    mistakes = policy_mistakes(text, SHOP, name="p")
    assert len(mistakes) == 1, mistakes
    assert mistakes[0].startswith(told)


def test_a_segment_may_bring_a_placement_of_its_own():
    text = "placements: {home: {sources: {model: 1}}}\nsegments: {new: {placements: {club: {sources: {model: 1}}}}}"
    assert policy_mistakes(text, SHOP) == []
    shared = (
        "defaults: {sources: {model: 1}}\nplacements: {home: {}}\nsegments: {new: {placements: {club: {slots: 2}}}}"
    )
    assert policy_mistakes(shared, SHOP) == []
