"""The names of the internal columns of preparation's tables, each once; they start with two underscores, so that no
log's own column is hidden by one."""

from typing import Final

FILE: Final = "__file"
ORDER: Final = "__order"
"""Sort key: file, record, then position within the record."""
POSITION: Final = "__position"
REJECT: Final = "__reject"
SKIP: Final = "__skip"
PART: Final = "__part"
"""0 train, 1 validation, 2 test."""
LINE: Final = "line"
RECORD: Final = "__record"
"""Record number within its file, from 0."""
SESSION: Final = "__session"
ITEM: Final = "__item"
END: Final = "__end"
CODE: Final = "__code"
"""Rank of an item; ``build_catalogue`` maps it to the catalogue index."""
TRAINED: Final = "__trained"
COUNT: Final = "__count"

BEHAVIOUR_TEXT: Final = "__behaviour_text"
PRICE_TEXT: Final = "__price_text"
QUANTITY_TEXT: Final = "__quantity_text"
"""The log's own text of a value, kept until the row is judged."""

PIECE: Final = "__piece"
"""Number of the piece that a session is cut into."""
STARTS: Final = "__starts"
"""1 where an event starts a new piece."""
REPEAT: Final = "__repeat"
LENGTH: Final = "__length"
SHORT: Final = "__short"
EVENTS: Final = "__events"
AFTER: Final = "__after"
"""Number of a session's events after this one."""
SECOND_ID: Final = "__second_id"
THIRD_ID: Final = "__third_id"
"""Ids of the further sessions that leave-one-out makes of one."""

RANK: Final = "__rank"
EARLY: Final = "__early"
"""Events before the training part ends."""
LEAF: Final = "__leaf"
PATH: Final = "__path"


def count_column(behaviour: int) -> str:
    """Name of the column with an item's training events of one behaviour."""
    return f"__count_{behaviour}"
