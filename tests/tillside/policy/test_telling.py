"""What an answer says of itself: what each rule removed, what was wanted and not met, why nothing is shown."""

from tests.shops import Item, Shop

SHOP = Shop(
    items=[
        Item("phone", 400, "tech.phone", stock=1),
        Item("case", 20, "tech.case", stock=1),
        Item("film", 10, "tech.film", stock=0),
        Item("lamp", 30, "home.lamp", stock=1),
    ],
    pairs=[("complement", "phone", "case", 0.8), ("complement", "phone", "film", 0.7)],
)


def policy(rules: str, more: str = "") -> str:
    return f"placements: {{here: {{sources: {{complement: 1}}, fill: false, rules: {{{rules}}}{more}}}}}"


def test_explain_counts_what_each_rule_removed_of_the_assortment_and_of_the_candidates() -> None:
    """The film is sold out and the lamp of no category allowed, whoever asks; the case is excluded by this request."""
    rules = policy("categories: {only: [tech]}")
    answer = SHOP.place(rules, cart=["phone"], excluded=["case"], explain=True)
    assert answer.removed == {"excluded": 1, "stock": 1, "categories": 1}
    assert answer.notes == ("nothing is shown: rules removed every candidate (excluded 1, stock 1, categories 1)",)
    told = SHOP.place(rules, cart=["phone"], explain=True)
    assert (told.removed, told.notes) == ({"stock": 1, "categories": 1}, ())
    assert SHOP.place(rules, cart=["phone"]).removed == {}  # nobody asked, and something is shown


def test_an_empty_answer_says_why() -> None:
    late = Shop(SHOP.items, feed_age_ms=None)
    stale = late.place(policy("stock: {feed_max_age_minutes: 30}"), cart=["phone"])
    assert stale.notes == ("nothing is shown: the rule stale_feed hides every item",)
    assert stale.removed == {"stale_feed": 4}
    nobody = Shop([Item("phone"), Item("case")]).place(policy(""), cart=["phone"])
    assert nobody.notes == ("nothing is shown: no source (complement) has a candidate, and fill is false",)


def test_a_need_that_is_not_met_is_said_and_one_that_is_met_is_not() -> None:
    needs = "at_least: [{n: 2, category: tech}, {n: 1, source: complement}, {n: 1, brand: acme}]"
    assert SHOP.place(policy(needs), cart=["phone"]).notes == (
        "at_least 2 of category tech is not met: 1 could be shown",
        "at_least 1 of brand acme is not met: 0 could be shown",
    )
    assert SHOP.place(policy("at_least: [{n: 1, category: tech}]"), cart=["phone"]).notes == ()


def test_what_sells_an_item_names_it_so_that_a_need_of_that_source_is_met() -> None:
    """The model ranks the cheaper phone first too; it is down-sell all the same."""
    shop = Shop(
        [Item("pro", 800, "tech.phone"), Item("lite", 300, "tech.phone"), Item("lamp", 30)],
        pairs=[("substitute", "pro", "lite", 0.9), ("downsell", "pro", "lite", 0.1)],
    )
    text = """
    placements:
      here:
        sources: {model: 5, substitute: 1, downsell: 1}
        anchors: [last]
        rules: {hide_viewed: last, at_least: [{n: 1, source: downsell}]}
    """
    answer = shop.place(text, session=["pro"], model={"lamp": 2.0, "lite": 1.0}, k=1)
    assert (shop.ids([answer.items[0].item]), answer.items[0].source, answer.notes) == (["lite"], "downsell", ())
