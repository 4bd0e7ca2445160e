"""What fits what, by hand, and each mistake of a rules file by its line."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import Catalogue
from training.mining.compatibility import Compatibility, read_rules

PHONE, CASE, BELT, WAIST = (f"category={name}" for name in ("shop.phone", "shop.case", "shop.belt", "shop.waist"))
ITEMS = [
    ["category=shop", PHONE, "series=p1"],
    ["category=shop", PHONE, "series=p2"],
    ["category=shop", CASE, "fits=p1"],
    ["category=shop", CASE, "fits=p1", "fits=p2"],
    ["category=shop", CASE],
    ["category=shop", BELT, "length=90"],
    ["category=shop", WAIST, "girth=85"],
    ["category=shop", WAIST, "girth=100"],
]
RULES = """\
rules:
  - name: made for
    one: {category: shop.phone, attribute: series}
    other: {category: shop.case, attribute: fits}
    unknown: refused
  - name: long enough
    one: {category: shop.waist, attribute: girth}
    other: {category: shop.belt, attribute: length}
    compare: at_most
"""


def catalogue(items=ITEMS) -> Catalogue:
    return make_catalogue(make_sessions([]), trained=len(items), tokens=items)


def rules_of(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    return read_rules(path)


def fits(tmp_path, *pairs, text=RULES):
    anchors, items = np.array(pairs).T
    return Compatibility.of(rules_of(tmp_path, text), catalogue()).fits(anchors, items).tolist()


def test_an_accessory_fits_what_it_is_made_for_whichever_is_the_anchor(tmp_path):
    assert fits(tmp_path, (0, 2), (2, 0), (1, 2), (2, 1), (1, 3)) == [True, True, False, False, True]


def test_what_does_not_say_is_judged_by_the_rule(tmp_path):
    assert fits(tmp_path, (0, 4)) == [False]
    assert fits(tmp_path, (0, 4), text=RULES.replace("    unknown: refused\n", "")) == [True]


def test_numbers_are_compared(tmp_path):
    assert fits(tmp_path, (6, 5), (5, 6), (7, 5), (5, 7)) == [True, True, False, False]


def test_what_no_rule_speaks_of_fits(tmp_path):
    assert fits(tmp_path, (0, 1), (2, 4), (0, 5)) == [True] * 3


def test_a_set_fits_if_each_two_of_it_do(tmp_path):
    compatibility = Compatibility.of(rules_of(tmp_path, RULES), catalogue())
    assert compatibility.fits_together([(0, 2), (0, 3, 5), (1, 3, 2), ()]).tolist() == [True, True, False, True]
    assert compatibility.fits_together([]).tolist() == []


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("compare: at_most", "compare: less", ["yaml:9: rules[1].compare: is 'less'; allowed: equal, at_most, at_l"]),
        ("unknown: refused", "unknown: maybe", ["yaml:5: rules[0].unknown: is 'maybe'; allowed: fits, refused"]),
        ("attribute: fits}", "attribut: fits}", ["yaml:4: rules[0].other.attribut: is not a key; allowed: category",
                                                 "yaml:4: rules[0].other.attribute: is missing"]),
        ("name: long enough", "name: made for", ["yaml:6: rules[1].name: 'made for' stands there twice"]),
        ("    one: {category: shop.waist, attribute: girth}\n", "", ["yaml:6: rules[1].one: is missing"]),
        ("{category: shop.phone, attribute: series}", "phone", ["yaml:3: rules[0].one: must have the keys category"]),
        ("compare: at_most", "compare: [at_most]", ["yaml:9: rules[1].compare: must be a text"]),
        ("rules:", "rule:", ["yaml:1: file.rule: is not a key; allowed: rules", "yaml:1: file.rules: is missing"]),
        ("  - name: made for", "  - nam: {", ["not YAML"]),
        (RULES, "rules: {}", ["yaml:1: rules: must be a list of rules"]),
        (RULES, "", ["yaml:1: file: must have the keys rules"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path, old, new, messages):
    with pytest.raises(ValueError) as caught:
        rules_of(tmp_path, RULES.replace(old, new, 1))
    for message in messages:
        assert message in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"yaml:5: .*; .*yaml:9: "):
        rules_of(tmp_path, RULES.replace("refused", "x").replace("at_most", "y"))


def test_rules_that_the_catalogue_cannot_follow_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'made for': no item has the attribute 'model'; the catalogue has: category"):
        Compatibility.of(rules_of(tmp_path, RULES.replace("series", "model")), catalogue())
    items = [*ITEMS[:-1], ["category=shop", WAIST, "girth=wide"]]
    with pytest.raises(ValueError, match="'long enough': at_most compares numbers, but girth is 'wide'"):
        Compatibility.of(rules_of(tmp_path, RULES), catalogue(items))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"rules: .*none\.yaml cannot be read"):
        read_rules(tmp_path / "none.yaml")
