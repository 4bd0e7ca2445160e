"""Readers of raw logs, one file a publisher; importing this package registers each with :func:`read_log`."""

from training.data.parsing.canonical import Log, read_log
from training.data.readers import (  # noqa: F401, each registers itself
    diginetica,
    events,
    feedback,
    online_retail,
    otto,
    rees46,
    retailrocket,
    sequences,
    sessions_split,
    yoochoose,
)
from training.settings.data import READERS, LogConfig

__all__ = ["READERS", "Log", "LogConfig", "read_log"]
