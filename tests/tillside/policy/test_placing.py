"""One placement, worked out by hand: sources, hard and soft rules, needs, diversity, pins, and what an answer says."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.shops import Item, Shop
from tillside.policy import ModelCandidates, origin, parse_policy, place, prepare

HOUR_MS = 3_600_000
PHONE = Item("phone", 400, "tech.phone", "acme", name="Acme Phone", stock=5)
SHOP = Shop(
    items=[
        PHONE,
        Item("case", 20, "tech.case", "acme", stock=5),
        Item("film", 10, "tech.film", "other", stock=5),
        Item("cable", 15, "tech.cable", "other", stock=5),
        Item("kettle", 40, "home.kettle", "other", stock=5),
        Item("laptop", 900, "tech.laptop", "acme", stock=5),
    ],
    pairs=[("complement", "phone", "case", 0.8), ("complement", "phone", "film", 0.6), ("gift", "phone", "cable", 0.5)],
)
PLAIN = "placements: {here: {sources: {complement: 1, gift: 1, model: 1}}}"


def policy(rules: str, *, sources: str = "complement: 1, gift: 1, model: 1", more: str = "") -> str:
    return f"placements: {{here: {{sources: {{{sources}}}, rules: {{{rules}}}{', ' + more if more else ''}}}}}"


def test_scores_are_weights_times_strengths() -> None:
    """case: 2 * .8; cable: 1 * .5 and, second of the model (10 / 11), 1 * .909; film: 2 * .6."""
    answer = SHOP.place(
        "placements: {here: {sources: {complement: 2, gift: 1, model: 1}, steering: 0, fill: false}}",
        cart=["phone"],
        model={"phone": 9.0, "cable": 3.0},
        explain=True,
    )
    assert SHOP.ids(item.item for item in answer.items) == ["case", "cable", "film"]
    assert [item.score for item in answer.items] == pytest.approx([1.6, 0.5 + 10 / 11, 1.2])
    assert answer.items[1].parts == pytest.approx({"gift": 0.5, "model": 10 / 11, "boost": 1.0, "diversity": 0.0})
    assert (answer.items[1].source, answer.items[1].anchor) == ("gift", SHOP.numbers(["phone"])[0])  # what sells it
    assert answer.dropped == {"cart": 1}


def test_two_anchors_add_up_like_independent_chances() -> None:
    """The later cart item comes first: 1 - (1 - .5) * (1 - .85 * .8) = .84 for case."""
    shop = Shop(SHOP.items, pairs=[("complement", "laptop", "case", 0.5), ("complement", "phone", "case", 0.8)])
    answer = shop.place("placements: {here: {sources: {complement: 1}, steering: 0}}", cart=["phone", "laptop"], k=1)
    assert answer.items[0].score == pytest.approx(0.84)
    facts = shop.facts()
    assert origin(answer.items[0], facts) == "complement of phone"  # .85 * .8 = .68 is more than .5


def test_level_scores_go_by_item_id() -> None:
    answer = SHOP.shown(PLAIN, model={"laptop": 1.0, "case": 1.0, "film": 1.0, "cable": 2.0}, k=4)
    assert answer == ["cable", "case", "film", "laptop"]


def test_boosts_multiply_within_their_bound() -> None:
    """1 + .5 * .4 clearance + 1 * .3 margin + .2 new + .1 season = 1.8, bounded to 1.5 where that is asked."""
    shop = Shop([Item("a", category="x", clearance=0.4, margin=0.3, new=True, stock=1)])
    season = "seasons: [{name: s, categories: [x], from: 2026-05-01, until: 2026-06-01, boost: 0.1}]"
    for bound, factor in ((3, 1.8), (1.5, 1.5)):
        rules = f"boosts: {{clearance: 0.5, margin: 1, new: 0.2, {season}, at_most: {bound}}}"
        answer = shop.place(policy(rules, sources="model: 1"), model={"a": 1.0})
        assert answer.items[0].score == pytest.approx(factor)


def test_accessories_of_the_anchor_s_own_brand_come_first_where_that_is_asked() -> None:
    """The film is stronger, .8 to .7; the case is of the phone's brand: .7 * 1.5 = 1.05. Some anchor has no brand."""
    shop = Shop(
        [Item("phone", brand="aster"), Item("bare"), Item("case", brand="aster"), Item("film", brand="birk")],
        pairs=[
            ("complement", each, item, s) for each in ("phone", "bare") for item, s in (("film", 0.8), ("case", 0.7))
        ],
    )
    own = policy("boosts: {same_brand: 0.5}", sources="complement: 1")
    assert shop.shown(policy("", sources="complement: 1"), cart=["phone"], k=2) == ["film", "case"]
    assert shop.shown(own, cart=["phone"], k=2) == ["case", "film"]
    assert shop.shown(own, cart=["bare"], k=2) == ["film", "case"]
    assert shop.place(own, cart=["phone"], k=1).items[0].score == pytest.approx(1.05)
    bounded = policy("boosts: {same_brand: 9, at_most: 1.2}", sources="complement: 1")
    assert shop.place(bounded, cart=["phone"], k=1).items[0].score == pytest.approx(0.84)


def test_pins_stand_in_their_slots_and_name_their_rule() -> None:
    pins = "pins: [{name: r3, item: kettle, slot: 3}, {name: r1, item: laptop}, {name: past, item: film, slot: 9}]"
    answer = SHOP.place(policy(pins), cart=["phone"], k=4)
    assert SHOP.ids(item.item for item in answer.items) == ["laptop", "case", "kettle", "film"]
    assert [origin(item, SHOP.facts()) for item in answer.items][::2] == ["pinned by rule r1", "pinned by rule r3"]
    over = "pins: [{name: p, item: phone}], bans: [{name: b, item: laptop}]"
    assert SHOP.shown(policy(over), cart=["phone"], k=2) == ["case", "film"]


def test_pairs_set_by_hand_come_before_all_scores() -> None:
    shop = Shop(
        SHOP.items,
        pairs=SHOP.pairs,
        manual=[("gift", "phone", "kettle", "pin"), ("complement", "phone", "case", "ban")],
    )
    answer = shop.place("placements: {here: {sources: {complement: 9, gift: 0.1}}}", cart=["phone"], k=2)
    assert [origin(item, shop.facts()) for item in answer.items] == [
        "pinned by rule manual pair",
        "complement of phone",
    ]
    assert shop.ids(item.item for item in answer.items) == ["kettle", "film"]


def test_the_rung_that_answered_is_the_source() -> None:
    answer = SHOP.place(policy("", sources="model: 1"), model={"case": 1.0}, tier="covisitation", k=1)
    assert (answer.items[0].source, answer.items[0].reason) == ("covisitation", "Often viewed together")


def test_shelves_of_the_anchors_categories() -> None:
    """Clearance and new are taken from the categories of what was looked at; new by likeness: .2 + .5, and + .3."""
    shop = Shop(
        [
            Item("seen", category="x.a", brand="m"),
            Item("sale", category="x.a", clearance=0.5, stock=1),
            Item("sale elsewhere", category="y", clearance=0.5, stock=1),
            Item("new", category="x.a", brand="other", new=True),
            Item("new of the brand", category="x.a", brand="m", new=True),
        ]
    )
    sources = (
        "placements: {here: {sources: {new: 1, clearance: 0.9}, steering: 0, fill: false, rules: {hide_viewed: last}}}"
    )
    answer = shop.place(sources, session=["seen"])
    assert shop.ids(item.item for item in answer.items) == ["new of the brand", "sale", "new"]
    assert [item.score for item in answer.items] == pytest.approx([1.0, 0.9, 0.7])
    assert shop.shown(sources, session=[]) == ["sale", "sale elsewhere", "new", "new of the brand"]  # .9, .818, .2, .2


def test_an_unknown_placement_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="placement 'there' is unknown; allowed: here"):
        SHOP.place(PLAIN, placement="there")


def test_a_prepared_request_knows_all_that_needs_no_candidates() -> None:
    text = """
utc_offset_hours: 9
placements: {here: {sources: {complement: 1}, slots: 4, anchors: [cart], rules: {hide_viewed: all}}}
segments: {new: {placements: {here: {sources: {model: 1}, slots: 2, anchors: [last]}}}}
"""
    given = {"session": ["film", "kettle"], "cart": ["phone"]}
    shop_wide, of_the_new = (
        prepare(parse_policy(text), SHOP.request(segment=segment, **given), SHOP.facts()) for segment in (None, "new")
    )
    assert str(shop_wide.day) == "2026-05-29"  # 20:26 UTC is past midnight in Tokyo
    assert [SHOP.ids(each.anchors) for each in (shop_wide, of_the_new)] == [["phone"], ["kettle"]]
    assert [(each.k, each.asks_model) for each in (shop_wide, of_the_new)] == [(4, False), (2, True)]
    assert SHOP.ids(sorted(shop_wide.rulebook.viewed)) == ["film", "kettle"]


def test_a_prepared_request_is_placed_with_what_each_tier_proposes() -> None:
    """Both halves give what ``place`` gives in one; an intent of the model takes the place of the request's own."""
    text = """
intent: {curve: [{intent: 0, decided: 0}, {intent: 1, decided: 1}]}
placements: {here: {sources: {model: 1, complement: 1}, anchors: [cart]}}
"""
    shelves, relations, request = SHOP.shelves(), SHOP.relations(), SHOP.request(cart=["phone"], k=3, intent=0.1)
    prepared = prepare(parse_policy(text), request, shelves.facts)
    for model in (SHOP.model({"laptop": 2.0, "kettle": 1.0}), SHOP.model({"film": 1.0}, "popularity"), None):
        whole = place(parse_policy(text), request, shelves=shelves, relations=relations, model=model)
        assert prepared.place(shelves=shelves, relations=relations, model=model) == whole
    decided = prepared.place(shelves=shelves, relations=relations, intent=0.9)
    assert (decided.mode, decided.decided, decided.why[0]) == ("cross_sell", 0.9, "intent 0.90")
    assert prepared.place(shelves=shelves, relations=relations).why[0] == "intent 0.10"


def test_k_defaults_to_the_slots_and_never_passes_them() -> None:
    assert len(SHOP.shown(policy("", more="slots: 3"))) == 3
    assert len(SHOP.shown(policy("", more="slots: 3"), k=5)) == 3
    assert len(SHOP.shown(policy("", more="slots: 3"), k=2)) == 2


def test_numbers_that_the_facts_do_not_know_are_left_out() -> None:
    """A model or relations of a newer catalogue, a session of items that are gone."""
    strange = np.array([-1, 0, 99])
    text = """
intent: {repeat_views: {}, dwell: {}, cart: {}}
promotions: [{name: p, steps: [{items: 9, percent: 1}]}]
placements: {here: {sources: {model: 1, complement: 1, new: 1}, bundles: 1, rules: {hide_viewed: all, price_band: {}}}}
"""
    request = replace(SHOP.request(), session_L=strange, kinds_L=np.zeros(3, np.int64), cart_M=strange[[0, 2]], host=99)
    model = ModelCandidates(np.array([99, 1, -1, 2]), np.array([4, 3, 2, 1], np.float32))
    asked = replace(request, k=2, excluded=frozenset([99]), impressions={99: (9, 0)}, scene=(99,))
    answer = place(parse_policy(text), asked, shelves=SHOP.shelves(), relations=SHOP.relations(), model=model)
    assert [item.item for item in answer.items] == [1, 2]
