"""All tables of a report of a tiny shop, worked out by hand."""

import pytest

from tests.feedback_logs import DAY, HOUR, NOON, event, exposure, order, settings, write
from training.feedback.joining import join
from training.feedback.report import figure, report
from training.settings.effects import EffectsConfig

pytestmark = pytest.mark.slow

ITEMS = (
    "item_id,name,category,cost,full_item_id\nphone,Phone,phones,200,\ncase,<b>Case</b>,cases,4,\nsample,,,1,cream\n"
)
SHOPPERS = 40


def shop(folder, **fields):
    """Forty shoppers; every fourth is held out. The others see case and film, click the case, and every second buys
    phone and case; the held out ones buy the phone. One takes a sample and buys the cream later."""
    exposures, events = [], []
    for number in range(SHOPPERS):
        who = {"shopper": f"s{number}", "session": f"v{number}"}
        held, rec, time = number % 4 == 0, f"r{number}", NOON + number * HOUR
        part = {"experiment": "slots|words", "arm": f"{'two' if number % 3 else 'four'}|soft"}
        arm = {"experiment": "holdout", "arm": "holdout"} if held else part
        exposures.append(exposure(rec, [] if held else ["case", "film"], time, **arm, **who))
        named = {"recommendation_id": rec, **who}
        lines = [("phone", 1, 300.0)]
        if not held:
            events += [event(f"i{number}{item}", "impression", item, time, **named) for item in ("case", "film")]
            events.append(event(f"c{number}", "click", "case", time + 1, **named))
            lines.append(("case", 1, 10.0))
        if number % 2 == 0:
            events.append(order(f"o{number}", lines, time + HOUR, **who))
    exposures.append(exposure("gift", ["sample"], NOON, shopper="g", session="g", source="gift", anchor="cream"))
    events += [
        order("taken", [("sample", 1, 0.0)], NOON + HOUR, shopper="g", session="g", recommendation_id="gift"),
        order("full", [("cream", 1, 50.0)], NOON + 3 * DAY, shopper="g", session="g"),
        event("end", "click", "case", NOON + 5 * DAY, shopper="s0", session="v0"),
        order("last", [("pen", 1, 1.0)], NOON + 9 * DAY, shopper="z", session="z"),
    ]
    write(folder / "feedback", exposures, events)
    (folder / "items.csv").write_text(ITEMS, encoding="utf-8")
    effects = EffectsConfig(min_orders=2, gift_days=5, min_seen=10, min_clicks=10)
    config = settings(folder, items=str(folder / "items.csv"), effects=effects, **fields)
    join(config)
    return config


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return report(shop(tmp_path_factory.mktemp("shop")))


def test_rates_are_of_what_was_seen_and_have_intervals(made):
    """30 shoppers saw two items each and clicked one; the sample was never seen. 10 of the 30 clicks became purchases:
    every second shopper buys, and half of those with an even number are held out."""
    effects = made.tables["effects"]
    view, click, conversion = (figure(effects, name) for name in ("view_rate", "click_rate", "conversion"))
    assert (view["above"], view["below"]) == (60, 61)
    assert (click["above"], click["below"], click["estimate"], click["subjects"]) == (30, 60, 0.5, 30)
    assert (conversion["above"], conversion["below"]) == (10, 30)
    assert conversion["low"] < 1 / 3 < conversion["high"]
    assert figure(effects, "click_rate", dimension="position", value="2")["estimate"] == 0
    assert figure(effects, "bounce_rate", dimension="arm", value="two|soft")["above"] == 0


def test_money_is_net_and_margin_takes_the_costs(made):
    """Ten cases at 10 that cost 4, among 60 seen: 100 and 60, times 1000 / 60."""
    effects = made.tables["effects"]
    assert figure(effects, "revenue_per_1000", dimension="source", value="complement")["estimate"] == pytest.approx(
        1e5 / 60
    )
    assert figure(effects, "margin_per_1000", dimension="source", value="complement")["estimate"] == pytest.approx(
        6e4 / 60
    )


def test_lift_is_told_against_the_holdout_or_another_arm_alone(made):
    """Held out: 10 of 10 bought, 300 each. All others: 10 of the 30 and both who are in no experiment bought: 10 times
    310, the sample and the cream (50 in two orders) and a pen. Of the experiment with one arm nothing can be said."""
    rows = {(row["experiment"], row["arm"], row["metric"]): row for row in made.tables["lift"].to_pylist()}
    assert {(experiment, arm) for experiment, arm, _ in rows} == {("holdout", "shown"), ("slots", "two")}
    buyers, value = (rows["holdout", "shown", name] for name in ("buyers", "order_value"))
    assert (buyers["value"], buyers["reference_value"]) == (pytest.approx(11 / 31), 1.0)
    assert value["value"] == pytest.approx((10 * 310 + 50) / 12)
    assert rows["slots", "two", "buyers"]["reference"] == "four"
    assert rows["slots", "two", "buyers"]["subjects"] + rows["slots", "two", "buyers"]["reference_subjects"] == 30


def test_order_value_with_and_without(made):
    value = made.tables["order_value"]
    assert figure(value, "order_value", dimension="orders", value="with")["estimate"] == pytest.approx(10 * 310 / 11)
    assert figure(value, "attach_rate")["above"] == 11


def test_a_pair_that_nobody_clicks_is_weak_for_its_display(made):
    found = {row["item"]: row for row in made.tables["pairs"].to_pylist()}
    assert (found["film"]["seen"], found["film"]["click_rate"], found["film"]["diagnosis"]) == (
        30,
        0.0,
        "display or item",
    )
    assert (found["case"]["clicks"], found["case"]["diagnosis"]) == (30, None)


def test_what_sells_together_and_what_could_be_a_bundle(made):
    """Ten orders hold case and phone, twenty a phone: attach rate .5 one way, 1 the other; 23 orders in all, so that
    chance would have 20/23 of the cases' orders hold a phone."""
    rates = {(row["anchor"], row["other"]): row for row in made.tables["sold_together"].to_pylist()}
    assert rates["phone", "case"]["attach_rate"] == pytest.approx(0.5)
    assert rates["case", "phone"]["lift"] == pytest.approx(23 / 20)
    assert {(row["anchor"], row["other"]) for row in made.tables["category_pairs"].to_pylist()} == {
        ("cases", "phones"),
        ("phones", "cases"),
    }
    assert [(row["first"], row["second"]) for row in made.tables["bundles"].to_pylist()] in ([], [("case", "phone")])
    assert made.tables["best_sellers"].to_pylist()[-1]["category"] == "phones"


def test_a_gift_is_judged_by_the_purchase_of_the_full_product(made):
    """The sample of the cream was taken nine days before the log ends, and the cream was bought three days later."""
    [gift] = made.tables["gifts"].to_pylist()
    assert [gift[name] for name in ("gift", "full", "taken", "followed", "too_recent")] == ["sample", "cream", 1, 1, 0]


def test_a_log_without_anything_has_empty_tables(tmp_path):
    write(tmp_path / "feedback", events=[event("e1", "view", "case")])
    join(settings(tmp_path))
    empty = report(settings(tmp_path))
    assert empty.days is None
    assert all(table.num_rows == 0 for table in empty.tables.values())
