"""To which slot a click and an order line belong, worked out by hand.

A join costs a second or two whatever its size, so that all scenarios stand in one log, each with a shopper of its own.
"""

import pytest
from msgspec import structs

from tests.feedback_logs import DAY, HOUR, MINUTE, NOON, event, exposure, order, rows, settings, write
from training.feedback.attribution import Windows
from training.feedback.joining import join
from training.settings.attribution import AttributionConfig, ViewThrough


def scenarios():
    """Exposures and events; ids begin with the name of the scenario."""
    exposures, events = [], []

    def story(name, answers, acts):
        who = {"shopper": name, "session": f"visit-{name}"}
        exposures.extend(exposure(f"{name}-{rec}", items, time, **who) for rec, items, time in answers)
        for number, act in enumerate(acts):
            kind, what, time, more = (*act, {})[:4]
            known = dict(more)
            if "recommendation_id" in known:
                known["recommendation_id"] = f"{name}-{known['recommendation_id']}"
            if kind in ("purchase", "return"):
                made = order(f"{name}-{known.pop('id', 'o')}", what, time, kind=kind, **(who | known))
                made = structs.replace(made, event_id=f"{name}-{number}")
                events.append(made)
            else:
                events.append(event(f"{name}-{number}", kind, what, time, **(who | known)))

    r1, r2 = {"recommendation_id": "r1"}, {"recommendation_id": "r2"}
    case, once, twice = (
        [("case", 1, 10.0)],
        [("r1", ["case"], NOON)],
        [("r1", ["case"], NOON), ("r2", ["case"], NOON + HOUR)],
    )
    story(
        "plain",
        [("r1", ["case", "film"], NOON)],
        [
            ("impression", "case", NOON, r1),
            ("click", "case", NOON + MINUTE, r1),
            ("purchase", [("case", 2, 10.0), ("pen", 1, 1.0)], NOON + HOUR),
            ("return", case, NOON + DAY),
        ],
    )
    story("named", once, [("purchase", case, NOON + HOUR, {**r1, "shopper": "another", "session": "elsewhere"})])
    story("latest", twice, [("click", "case", NOON + 2 * HOUR)])
    story("expired", twice, [("click", "case", NOON + 26 * HOUR)])
    story("visit", once, [("click", "case", NOON + HOUR, {"shopper": None})])
    story("unknown", once, [("click", "case", NOON + HOUR, {"recommendation_id": "never"})])
    story(
        "last",
        twice,
        [
            ("click", "case", NOON + MINUTE, r1),
            ("click", "case", NOON + HOUR + MINUTE, r2),
            ("purchase", case, NOON + 2 * HOUR),
        ],
    )
    story("said", twice, [("click", "case", NOON + HOUR + MINUTE, r2), ("purchase", case, NOON + 2 * HOUR, r1)])
    story("soon", once, [("click", "case", NOON, r1), ("purchase", case, NOON + 7 * DAY - MINUTE)])
    story("late", once, [("click", "case", NOON, r1), ("purchase", case, NOON + 7 * DAY + MINUTE)])
    story(
        "seen",
        [*twice, ("r3", ["case"], NOON + HOUR)],
        [
            ("impression", "case", NOON, r1),
            ("impression", "case", NOON + HOUR, r2),
            ("purchase", case, NOON + 2 * HOUR),
        ],
    )
    story(
        "touched",
        twice,
        [
            ("impression", "case", NOON + HOUR, r2),
            ("click", "case", NOON + MINUTE, r1),
            ("purchase", case, NOON + 2 * HOUR),
        ],
    )
    story(
        "skew",
        [("r1", ["case", "film"], NOON)],
        [
            ("click", "case", NOON - 9 * MINUTE, r1),
            ("click", "film", NOON - 11 * MINUTE, r1),
        ],
    )
    story("whole", [("r1", ["case", "film"], NOON)], [("dismiss", None, NOON, {**r1, "reason": "pushed"})])
    story("place", [("r1", ["case", "film"], NOON)], [("dismiss", None, NOON, {**r1, "position": 2})])
    story(
        "again",
        once,
        [
            ("purchase", [("case", 2, 10.0), ("case", 1, 10.0)], NOON + HOUR),
            ("purchase", [("case", 9, 99.0)], NOON + 3 * HOUR),
            ("purchase", [("pen", 3, None)], NOON + 2 * HOUR),
        ],
    )
    story("copied", [("r1", ["case"], NOON), ("r1", ["case"], NOON + MINUTE)], [("click", "case", NOON + HOUR, r1)])
    story("stayed", [("r1", ["case"], NOON)], [("click", "elsewhere", NOON + 29 * MINUTE)])
    story(
        "bounced",
        [("r1", ["case"], NOON)],
        [
            ("impression", "case", NOON, r1),
            ("click", "elsewhere", NOON + 31 * MINUTE),
            ("click", "before", NOON - 1),
        ],
    )
    return exposures, events


def joined(folder, **rules):
    write(folder / "feedback", *scenarios())
    join(settings(folder, **rules))
    tables = {name: rows(folder / "out", name) for name in ("outcomes", "lines", "orders", "answers")}
    return tables | {
        "slots": {(row["recommendation_id"], row["item"]): row for row in tables["outcomes"]},
        "sold": {(row["order_id"], row["item"]): row for row in tables["lines"]},
    }


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return joined(tmp_path_factory.mktemp("usual"))


@pytest.fixture(scope="module")
def generous(tmp_path_factory):
    """View-through counts, and a click must name its answer."""
    return joined(tmp_path_factory.mktemp("other"), view_through=ViewThrough.last, inferred=False)


def flags(tables, name, flag, recs=("r1", "r2"), item="case"):
    return [tables["slots"][f"{name}-{rec}", item][flag] for rec in recs]


def test_a_click_and_the_order_after_it_belong_to_the_slot_that_was_named(usual):
    """Two cases at 10 were bought and one came back: revenue 20, returned 10. The film was neither seen nor clicked."""
    case, film = usual["slots"]["plain-r1", "case"], usual["slots"]["plain-r1", "film"]
    names = ("seen", "clicked", "carted", "bought", "direct", "order_id", "quantity", "revenue", "returned_revenue")
    assert [case[name] for name in names] == [True, True, False, True, False, "plain-o", 2, 20.0, 10.0]
    assert [film[name] for name in names] == [False, False, False, False, False, None, 0, 0.0, 0.0]
    told = {item: usual["sold"]["plain-o", item] for item in ("case", "pen")}
    assert [told[item]["with_tillside"] for item in told] == [True, False]
    assert (told["case"]["source"], told["case"]["recommendation_id"], told["pen"]["source"]) == (
        "complement",
        "plain-r1",
        None,
    )


def test_an_order_that_names_its_recommendation_needs_no_click(usual):
    """Nor need it come from the same shopper, who may have logged in meanwhile."""
    assert (flags(usual, "named", "bought", ["r1"]), flags(usual, "named", "direct", ["r1"])) == ([True], [True])


def test_a_click_without_recommendation_belongs_to_the_latest_answer_with_that_item(usual, generous):
    """Answered at noon and at one, clicked at two: the second; clicked 25 hours after one: none."""
    assert flags(usual, "latest", "clicked") == [False, True]
    assert flags(usual, "expired", "clicked") == [False, False]
    assert flags(generous, "latest", "clicked") == [False, False]


def test_a_visit_is_known_by_its_session_where_the_shopper_is_not(usual):
    assert flags(usual, "visit", "clicked", ["r1"]) == [True]


def test_a_click_of_an_unknown_recommendation_belongs_to_none(usual):
    """It names an answer that is not ours: that the shopper also saw the item here is no reason."""
    assert flags(usual, "unknown", "clicked", ["r1"]) == [False]


def test_a_line_belongs_to_the_item_that_was_clicked_last_and_counts_once(usual):
    assert flags(usual, "last", "clicked") == [True, True]
    assert flags(usual, "last", "revenue") == [0.0, 10.0]


def test_a_named_answer_goes_before_a_later_click(usual):
    assert flags(usual, "said", "revenue") == [10.0, 0.0]


def test_the_window_from_click_to_purchase_is_kept(usual):
    assert flags(usual, "soon", "bought", ["r1"]) == [True]
    assert flags(usual, "late", "bought", ["r1"]) == [False]


def test_what_was_only_seen_counts_only_if_asked_for_and_after_all_else(usual, generous):
    """The third answer was never seen; where an earlier one was clicked it goes before the later one that was seen."""
    answers = ("r1", "r2", "r3")
    assert flags(usual, "seen", "bought", answers) == [False, False, False]
    assert flags(generous, "seen", "bought", answers) == [False, True, False]
    assert flags(generous, "touched", "bought") == [True, False]


def test_an_event_may_seem_a_little_earlier_than_its_answer_and_not_more(usual):
    assert [usual["slots"]["skew-r1", item]["clicked"] for item in ("case", "film")] == [True, False]


def test_a_dismissal_without_an_item_is_of_the_whole_answer_or_of_its_position(usual):
    assert [usual["slots"]["whole-r1", item]["dismissed"] for item in ("case", "film")] == ["pushed", "pushed"]
    assert [usual["slots"]["place-r1", item]["dismissed"] for item in ("case", "film")] == [None, "unsaid"]


def test_an_order_sent_twice_or_line_by_line_is_one_order(usual):
    """Sent again with another event_id: the first stands. Each line in an event of its own: they add up, and one
    without a price brings nothing."""
    lines = {item: usual["sold"]["again-o", item] for item in ("case", "pen")}
    assert [(row["quantity"], row["revenue"]) for row in lines.values()] == [(3, 30.0), (3, 0.0)]
    [whole] = [row for row in usual["orders"] if row["order_id"] == "again-o"]
    names = ("lines", "quantity", "value", "time", "with_tillside")
    assert [whole[name] for name in names] == [2, 6, 30.0, NOON + HOUR, False]


def test_an_answer_that_stands_twice_in_the_log_counts_once(usual):
    [row] = [row for row in usual["outcomes"] if row["recommendation_id"] == "copied-r1"]
    assert (row["time"], row["clicked"]) == (NOON, True)


def test_a_shopper_who_does_nothing_for_half_an_hour_has_bounced(usual):
    """A click elsewhere counts as doing something; an impression, or what was done before, does not."""
    bounced = {row["recommendation_id"]: row["bounced"] for row in usual["answers"]}
    assert [bounced[f"{name}-r1"] for name in ("stayed", "bounced")] == [False, True]


def test_an_event_reaches_as_far_as_its_windows_and_a_day():
    """A day and a week, and another day for what does not begin at midnight."""
    assert Windows.of(AttributionConfig()).reach == 9
    assert Windows.of(AttributionConfig(click_hours=1, purchase_days=0.5)).reach == 2
