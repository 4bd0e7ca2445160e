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


def count_column(behaviour: int) -> str:
    """Name of the column with an item's training events of one behaviour."""
    return f"__count_{behaviour}"
