"""The history as the shop would have told it, and the sessions that nobody is told of."""

import pyarrow as pa

from benchmarks.rounds import last_items, told_history
from tillside.feedback.events import Line, lacking

LOG = pa.table(
    {
        "session_id": ["s", "s", "t"],
        "item_id": ["phone", "case", "coat"],
        "behaviour": ["click", "purchase", "cart"],
        "timestamp": [1, 2, 3],
        "user_id": ["ann", "ann", None],
        "price": [400.0, 9.5, 80.0],
        "quantity": [1, 2, 1],
    }
)


def test_the_history_is_told_as_events_that_lack_nothing():
    told = told_history(LOG)
    assert [lacking(each) for each in told] == [None, None, None]
    assert [(each.kind, each.item, each.shopper, each.time, each.received) for each in told] == [
        ("click", "phone", "ann", 1, 1),
        ("purchase", None, "ann", 2, 2),
        ("cart", "coat", None, 3, 3),
    ]
    assert told[1].lines == [Line(item="case", quantity=2, price=9.5)]
    assert len({each.event_id for each in told}) == 3


def test_a_session_of_one_event_asks_nothing():
    assert last_items(LOG, ["s", "t"]) == [["phone", "case"]]
    assert last_items(LOG, ["t"]) == []
