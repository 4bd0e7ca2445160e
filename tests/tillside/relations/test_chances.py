"""What a strength is worth, by hand: curves, columns, documents, and the answers of a policy on one scale."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.policy import parse_policy, place
from tillside.policy.fusion import SOURCES
from tillside.relations import Relations
from tillside.relations.chances import FAINT, Chances, Evidence, Scale, Together, as_they_are

DOCUMENT = {"attach": {"model": [0.0, 1.0], "related": [0.0, 1.0], "complement": [math.log(3), 0.0]}}


def test_a_strength_becomes_a_chance_by_its_source_s_curve() -> None:
    """Level 0 and slope 1 make of .25 the odds .25, a chance of .2; level log 3 and slope 0 make odds of 3, or .75."""
    scale = Scale(np.array([0.0, math.log(3), np.nan]), np.array([1.0, 0.0, np.nan]))
    found = scale.chances(np.array([0.25, 0.25, 0.25, 0.0]), np.array([0, 1, 2, 0]))
    assert found.tolist() == pytest.approx([0.2, 0.75, 0.25, 0.0])
    raw = as_they_are(3).chances(np.array([0.5, 0.1]), np.array([0, 2]))
    assert raw.tolist() == [0.5, 0.1]


def test_relations_without_a_curve_take_the_one_of_all_and_shelves_that_of_popular_items() -> None:
    curves = {"model": (0.0, 1.0), "related": (1.0, 2.0), "popular": (3.0, 4.0), "gift": (5.0, 6.0)}
    scale = Chances({"next": curves}).scale("next", ("model", "gift", "scene", "new", "popular"))
    assert scale is not None
    assert scale.levels_S.tolist() == [0, 5, 1, 3, 3]
    assert scale.slopes_S.tolist() == [1, 6, 2, 4, 4]


@pytest.mark.parametrize("missing", ["model", "related"])
def test_there_is_no_scale_unless_both_the_model_and_relations_have_a_curve(missing: str) -> None:
    curves = {"model": (0.0, 1.0), "related": (1.0, 2.0)}
    del curves[missing]
    chances = Chances({"attach": curves})
    assert chances.scale("attach", SOURCES) is None
    assert chances.scale("next", SOURCES) is None


def test_curves_are_joined_and_survive_a_document() -> None:
    chances = Chances({"attach": {"gift": (0.5, 1.0)}}).joined(Chances({"attach": {"model": (0.0, 1.0)}, "next": {}}))
    assert chances.curves == {"attach": {"gift": (0.5, 1.0), "model": (0.0, 1.0)}, "next": {}}
    assert Chances.of_document(chances.document()) == chances
    assert Chances.of_document(None) == Chances()


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"elsewhere": {}},
        {"next": {"gift": [1.0]}},
        {"next": {"gift": [0, 1e9]}},
        {"together": {"next": {"base": 0}}},
        {"together": {"elsewhere": {"base": 0, "slopes": {}}}},
        {"together": {"next": {"base": 0, "slopes": {"model": 1e9}}}},
    ],
)
def test_a_document_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="chances must give a level and a slope of at most 100 by purpose"):
        Chances.of_document(wrong)


def test_relations_carry_their_curves_to_disk_and_refuse_damaged_ones(tmp_path) -> None:
    for number, (about, fault) in enumerate((({"chances": DOCUMENT}, False), ({"chances": {"x": 1}}, True))):
        folder = tmp_path / str(number)
        folder.mkdir()
        replace(Relations.empty(items=3), about=about).save(folder)
        if fault:
            with pytest.raises(ValueError, match=r"chances must give .*; relate again"):
                Relations.load(folder, items=3)
        else:
            assert Relations.load(folder, items=3).chances == Chances.of_document(DOCUMENT)


def test_a_policy_s_weights_multiply_chances_where_there_are_curves() -> None:
    """The model's best, with all of the list but 1 / (1 + e^3), is worth about .49; the case, whatever its strength,
    .75, and with half the weight .375. By rank and strength the model's best would have 1 and the case .05.
    """
    shop = Shop([Item("phone"), Item("lamp"), Item("case")], pairs=[("complement", "phone", "case", 0.1)])
    policy = parse_policy("placements: {here: {sources: {model: 1, complement: 0.5}, steering: 0, anchors: [cart]}}")
    request = shop.request(cart=["phone"], k=2)
    model = shop.model({"lamp": 3.0, "phone": 0.0})
    plain = place(policy, request, shelves=shop.shelves(), relations=shop.relations(), model=model)
    assert [item.score for item in plain.items] == pytest.approx([1.0, 0.05])
    known = replace(shop.relations(), about={"chances": DOCUMENT})
    scaled = place(policy, request, shelves=shop.shelves(), relations=known, model=model)
    share = 1 / (1 + math.exp(-3))
    assert [item.score for item in scaled.items] == pytest.approx([share / (1 + share), 0.375])
    elsewhere = parse_policy("placements: {here: {sources: {model: 1, complement: 0.5}, steering: 0, anchors: [last]}}")
    other = place(elsewhere, shop.request(session=["phone"], k=2), shelves=shop.shelves(), relations=known, model=model)
    assert other.items[0].score == pytest.approx(1.0)  # there is no curve for what one goes on to
    # but the page's own item was just put into the cart, so what is shown there is to be taken along
    taken = shop.request(session=["phone"], cart=["phone"], k=2)
    decided = place(elsewhere, taken, shelves=shop.shelves(), relations=known, model=model)
    assert [item.score for item in decided.items] == pytest.approx([share / (1 + share), 0.375])


def test_what_speaks_for_an_item_adds_up_and_weights_share_its_chance_out() -> None:
    """Strengths of FAINT and 3 FAINT tell log 2 and log 4; with slopes 1 and .5 both make odds of 4 * e^-log 4 = 1.

    Item 0 has both, so a chance of .5, half of it told by either: with weights 1 and 3 the parts are .25 and .75.
    Item 1 has the second alone: odds of 2 / 4, a chance of 1/3.
    """
    known = Evidence(-float(np.log(4)), np.array([1.0, 0.5]))
    cells = np.array([FAINT, 3 * FAINT, 3 * FAINT]), np.array([0, 1, 1]), np.array([0, 2, 3])
    chances, parts = known.fused(*cells, np.array([1.0, 3.0]))
    assert chances.tolist() == pytest.approx([0.5, 0.5, 1 / 3])
    assert parts.tolist() == pytest.approx([0.25, 0.75, 1.0])


def test_the_context_adds_to_the_log_odds_and_the_sources_share_it_out() -> None:
    """A strength of FAINT tells log 2: odds of 2 e^-log 4, times 6 by the context of the first item, make 3."""
    known = Evidence(-float(np.log(4)), np.array([1.0, 1.0]))
    cells = np.array([FAINT, FAINT]), np.array([0, 0]), np.array([0, 1, 2])
    chances, parts = known.fused(*cells, np.array([2.0, 1.0]), np.log([6.0, 1.0]))
    assert chances.tolist() == pytest.approx([0.75, 1 / 3])
    assert parts.tolist() == pytest.approx([1.5, 2 / 3])


def test_the_context_has_the_slopes_that_were_learned_or_none() -> None:
    slopes = {"model": 1.0, "related": 0.5, "lift": 0.75, "viewed": -1.0}
    known = Chances(together={"attach": Together(-3.0, slopes), "next": Together(-3.0, {"model": 1.0})})
    here, there = known.scale("attach", ("model",)), known.scale("next", ("model",))
    assert isinstance(here, Evidence)
    assert isinstance(there, Evidence)
    assert (here.lift, here.viewed, there.lift, there.viewed) == (0.75, -1.0, 0.0, 0.0)


def test_a_source_that_tells_nothing_lowers_no_score_and_keeps_it_finite() -> None:
    known = Evidence(0.0, np.array([1.0, 0.0]))
    _, parts = known.fused(np.array([FAINT, 0.5, 0.5]), np.array([0, 1, 1]), np.array([0, 2, 3]), np.array([1.0, 0.0]))
    assert parts.tolist() == pytest.approx([2 / 3, 0.0, 0.0])


def test_a_relation_that_was_not_heard_has_the_slope_of_all_and_a_shelf_that_of_popular_items() -> None:
    chances = Chances(together={"next": Together(-3.0, {"model": 1.0, "related": 0.5, "popular": 0.25})})
    scale = chances.scale("next", ("model", "gift", "new", "popular"))
    assert isinstance(scale, Evidence)
    assert scale.slopes_S.tolist() == [1, 0.5, 0.25, 0.25]
    assert chances.scale("attach", SOURCES) is None
    assert Chances({"next": {"model": (0.0, 1.0)}}).joined(chances).scale("next", SOURCES) is not None
    assert Chances.of_document(chances.document()) == chances


def test_an_item_that_the_model_and_a_relation_bring_goes_before_the_better_one_of_either() -> None:
    shop = Shop(
        [Item("phone"), Item("lamp"), Item("case"), Item("film")],
        pairs=[
            ("complement", "phone", "case", 0.1),
            ("complement", "phone", "film", 0.2),
        ],
    )
    policy = parse_policy("placements: {here: {sources: {model: 1, complement: 1}, steering: 0, anchors: [cart]}}")
    together = Chances(together={"attach": Together(-6.0, {"model": 0.6, "related": 0.4})})
    relations = replace(shop.relations(), about={"chances": together.document()})
    model = shop.model({"lamp": 1.0, "case": 0.5})
    found = place(policy, shop.request(cart=["phone"], k=3), shelves=shop.shelves(), relations=relations, model=model)
    assert [shop.items[each.item].id for each in found.items] == ["case", "lamp", "film"]
    assert [each.source for each in found.items] == ["complement", "model", "complement"]
    lamp = 1 / (1 + np.exp(-0.5))
    assert found.items[1].score == pytest.approx(1 / (1 + np.exp(6 - 0.6 * np.log1p(lamp / FAINT))))
