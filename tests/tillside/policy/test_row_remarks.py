"""Of rows set by hand, those that are over and those that the compatibility rules refuse are told; others are not."""

from datetime import date

from tests.shops import Item, Shop
from tillside.fitting.rules import Rule, Side, Terms
from tillside.policy import parse_policy
from tillside.policy.file.offers import OwnBundle
from tillside.policy.merchandising import ByHand, Pair, PlacedBan, PlacedPin
from tillside.policy.row_remarks import row_remarks

RULE = Rule("made for", Side("tech.phone", "series"), Side("tech.case", "fits"))
SHOP = Shop(
    [
        Item("phone-1", 400, "tech.phone", attributes={"series": "p1"}),
        Item("case-1", 20, "tech.case", attributes={"fits": "p1"}),
        Item("case-2", 20, "tech.case", attributes={"fits": "p2"}),
        Item("film", 5, "tech.film"),
    ],
    fitting=Terms((RULE,)),
)
POLICY = parse_policy("placements: {here: {sources: {model: 1}}}")
TODAY = date(2026, 5, 28)


def remarks(by_hand: ByHand, *, policy: str | None = None, shop: Shop = SHOP) -> list[str]:
    return row_remarks(by_hand, parse_policy(policy) if policy else POLICY, shop.facts(), day=TODAY)


def test_a_row_of_any_part_whose_until_has_come_is_told() -> None:
    """``until`` is the first day on which something no longer holds."""
    over, today, ahead = date(2026, 5, 1), TODAY, date(2026, 5, 29)
    by_hand = ByHand(
        pins=(PlacedPin(name="p", item="film", until=ahead), PlacedPin(name="q", item="film", until=over)),
        bans=(PlacedBan(name="b", item="film", until=today), PlacedBan(name="c", item="film", since=ahead)),
        pairs=(Pair(item="phone-1", other="film", until=over),),
        bundles=(OwnBundle(name="d", items=("phone-1", "film"), until=over),),
    )
    assert remarks(by_hand) == [
        "pins[1].until: 2026-05-01 lies in the past (today is 2026-05-28), so it never holds",
        "bans[0].until: 2026-05-28 has come (today is 2026-05-28), so it never holds",
        "pairs[0].until: 2026-05-01 lies in the past (today is 2026-05-28), so it never holds",
        "bundles[0].until: 2026-05-01 lies in the past (today is 2026-05-28), so it never holds",
    ]


def test_items_that_the_rules_refuse_with_one_another_are_told_where_fits_holds_somewhere() -> None:
    by_hand = ByHand(
        pairs=(
            Pair(item="phone-1", other="case-1"),
            Pair(item="phone-1", other="case-2"),
            Pair(item="case-2", other="phone-1", action="add", relation="bundle"),
            Pair(item="phone-1", other="case-2", action="ban"),
            Pair(item="phone-1", other="later"),
        ),
        bundles=(
            OwnBundle(name="right", items=("phone-1", "case-1", "film")),
            OwnBundle(name="wrong", items=("film", "phone-1", "case-2")),
        ),
    )
    told = [
        "pairs[1]: the compatibility rules refuse case-2 with phone-1, so it is hidden wherever fits holds",
        "pairs[2]: the compatibility rules refuse phone-1 with case-2, so it is hidden wherever fits holds",
        "bundles[1]: the compatibility rules refuse case-2 with phone-1, so it is not offered beside either wherever "
        "fits holds",
    ]
    nowhere = "placements: {here: {sources: {model: 1}, rules: {fits: none}}}"
    segment = f"{nowhere}\nsegments: {{new: {{placements: {{here: {{rules: {{fits: anchors}}}}}}}}}}"
    assert remarks(by_hand) == remarks(by_hand, policy=segment) == told
    assert remarks(by_hand, policy=nowhere) == []
    assert remarks(by_hand, shop=Shop(SHOP.items)) == []
