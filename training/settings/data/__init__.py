"""Settings of a log: the group ``data``, a class for each kind; importing this registers each as a choice.

The readers stand in :mod:`training.data.readers`: their libraries take seconds to import, and ``--help`` needs none.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, ClassVar

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from tillside.events import DEFAULT_BEHAVIOURS


class DuplicateRows(Enum):
    """Handling of rows with the same session, item, behaviour and time."""

    auto = "auto"
    drop = "drop"
    keep = "keep"


@dataclass
class LogConfig:
    """Settings common to all logs."""

    name: ClassVar[str]
    split_is_given: ClassVar[bool] = False
    has_clock: ClassVar[bool] = True
    """Whether events have timestamps; without them sessions cannot be split by time."""

    behaviours: list[str] = field(default_factory=lambda: list(DEFAULT_BEHAVIOURS))
    """Behaviours to keep, weakest first; the last one is the goal. Events of one that is left out are skipped."""
    duplicates: DuplicateRows = DuplicateRows.auto
    """Rows with the same session (or user), item, behaviour and time. drop: the first one stays. keep: they are real.
    auto: drop; but where no time tells seconds they are kept, since the same can happen twice within a minute or a day,
    unless each row of the log stands there as often. Always counted and told; a log without a clock has none."""


@dataclass
class FileLogConfig(LogConfig):
    """A log in a single file, or in the folder of its publisher."""

    path: str = MISSING
    """The file or folder of the log."""


@dataclass
class EventColumns:
    """Source column of each canonical column; null takes the column of the canonical name, if any. A field inside a
    value is named by its path, such as items.item_id."""

    session_id: str | None = None
    """The log's column of session ids; it or ``user_id`` is needed. With both a session is of one user."""
    user_id: str | None = None
    """The log's column of shoppers; sessions are cut where they pause."""
    item_id: str | None = None
    """The log's column of items; needed."""
    behaviour: str | None = None
    """The log's column of event types; not needed with one behaviour."""
    timestamp: str | None = None
    """The log's column of times; needed."""
    price: str | None = None
    """The log's column of prices."""
    quantity: str | None = None
    """The log's column of quantities."""
    scene_id: str | None = None
    """The log's column of live rooms or other scenes."""
    category: str | None = None
    """The log's column of categories: a path from coarse to fine, its levels parted by dots."""
    brand: str | None = None
    """The log's column of brands."""
    name: str | None = None
    """The log's column of the items' names."""


@dataclass
class ItemColumns:
    """Item-file column of each canonical column; null takes the column of the canonical name, if any."""

    item_id: str | None = None
    """The item file's column of items."""
    category: str | None = None
    """The item file's column of categories: a path from coarse to fine, its levels parted by dots."""
    brand: str | None = None
    """The item file's column of brands."""
    price: str | None = None
    """The item file's column of prices."""
    name: str | None = None
    """The item file's column of names."""


@dataclass
class EventsConfig(FileLogConfig):
    """``data=events``."""

    name: ClassVar[str] = "events"

    path: Any = MISSING
    """The log: a file, a folder of files, a pattern such as 'logs/*.csv', or a list of such; CSV, TSV, JSONL or
    Parquet, packed by gzip, bzip2, xz, zstd or zip or not at all."""
    columns: EventColumns = field(default_factory=EventColumns)
    attributes: list[str] = field(default_factory=list)
    """Further columns of the log that describe the item."""
    behaviour_map: Any = None
    """The log's event types to names in ``behaviours``, or to null to leave such events out: ``{view: click, add: cart,
    order: purchase}``; a name that is not mapped means itself. null: the log uses those names itself."""
    timestamp_format: str = "auto"
    """auto (ISO 8601, a date such as 20231115, or epoch seconds, milliseconds, microseconds or nanoseconds by size and
    from 1990 on), iso, epoch_s, epoch_ms, epoch_us, epoch_ns, or a pattern such as '%d/%m/%Y %H:%M'."""
    missing: list[str] | None = None
    """Words that mean nothing is there. null: (not set), nan, NaN, NULL, N/A and the like."""
    ignore: list[str] = field(default_factory=list)
    """Canonical columns that are not taken though the file has them, such as price."""
    encoding: str | None = None
    """Of a text file, such as cp1252. null: UTF-8, or UTF-16 with a byte order mark."""
    delimiter: str | None = None
    """Of a text file. null: whichever of comma, semicolon, bar and tab its header has most of."""
    items: str | None = None
    """A file of items in one of the same formats; its columns beyond ``item_columns`` become attributes."""
    item_columns: ItemColumns = field(default_factory=ItemColumns)


@dataclass
class Rees46Config(FileLogConfig):
    """``data=rees46``: ``path`` is the file of one month, such as 2019-Oct.csv.gz."""

    name: ClassVar[str] = "rees46"


@dataclass
class RetailrocketConfig(FileLogConfig):
    """``data=retailrocket``: ``path`` is the folder that holds events.csv."""

    name: ClassVar[str] = "retailrocket"


@dataclass
class YoochooseConfig(FileLogConfig):
    """``data=yoochoose``: ``path`` is the folder that holds yoochoose-clicks.dat and yoochoose-buys.dat."""

    name: ClassVar[str] = "yoochoose"
    behaviours: list[str] = field(default_factory=lambda: ["click", "purchase"])


@dataclass
class DigineticaConfig(FileLogConfig):
    """``data=diginetica``: ``path`` is the folder that holds train-item-views.csv."""

    name: ClassVar[str] = "diginetica"
    behaviours: list[str] = field(default_factory=lambda: ["click", "purchase"])


@dataclass
class OttoConfig(FileLogConfig):
    """``data=otto``: ``path`` is one file, such as otto-recsys-train.jsonl."""

    name: ClassVar[str] = "otto"


@dataclass
class OnlineRetailConfig(FileLogConfig):
    """``data=online_retail``: ``path`` is the CSV file with the columns in COLUMNS."""

    name: ClassVar[str] = "online_retail"
    behaviours: list[str] = field(default_factory=lambda: ["purchase"])


@dataclass
class SessionsSplitConfig(LogConfig):
    """``data=sessions_split``."""

    name: ClassVar[str] = "sessions_split"
    split_is_given: ClassVar[bool] = True
    has_clock: ClassVar[bool] = False

    train: str = MISSING
    """File of training sessions: one a line, its items parted by blanks."""
    test: str = MISSING
    """File of test cases: the items so far, a tab, the next item."""
    behaviours: list[str] = field(default_factory=lambda: ["click"])


@dataclass
class SequencesConfig(FileLogConfig):
    """``data=sequences``: ``path`` is the file of sequences."""

    name: ClassVar[str] = "sequences"
    has_clock: ClassVar[bool] = False

    attributes: str | None = None
    """JSON file, an object of item to a list of attributes, which become tokens of the catalogue. null: none."""
    behaviours: list[str] = field(default_factory=lambda: ["click"])


@dataclass
class FeedbackConfig(LogConfig):
    """``data=feedback``: the events that ``serving.collector`` keeps."""

    name: ClassVar[str] = "feedback"

    path: str | None = None
    """The feedback folder, which holds events/*.seg; usually typed as ``feedback=DIR``."""
    late_days: float = 90.0
    """An event that is received longer after it happened is left out, and counted."""
    items: str | None = None
    """A file of items, as of ``data=events``; events know no categories, brands or names."""
    item_columns: ItemColumns = field(default_factory=ItemColumns)


def with_feedback(data: LogConfig, feedback: str | None) -> LogConfig:
    """A log's settings with the folder that the key ``feedback`` names.

    Raises:
        ValueError: the log is of another kind.
    """
    if feedback is None:
        return data
    if not isinstance(data, FeedbackConfig):
        raise ValueError(f"feedback can be given with data=feedback alone, got data={data.name}")
    return replace(data, path=feedback)


READERS: tuple[type[LogConfig], ...] = (
    EventsConfig,
    FeedbackConfig,
    Rees46Config,
    RetailrocketConfig,
    YoochooseConfig,
    DigineticaConfig,
    OttoConfig,
    OnlineRetailConfig,
    SessionsSplitConfig,
    SequencesConfig,
)

for reader in READERS:
    ConfigStore.instance().store(group="data", name=f"{reader.name}_schema", node=reader)
