"""Parsing of ids, times and numbers as Ibis expressions; malformed values become null.

Surprising: DuckDB's timestamp cast accepts words such as ``infinity`` and time zone names, so times are matched against
a regular expression first. Ibis's ``epoch_seconds`` keeps the fraction on DuckDB, so milliseconds are computed as a
time difference.
"""

from typing import Final

import ibis
import ibis.expr.types as ir

TIMESTAMP_FORMATS: Final = ("auto", "iso", "epoch_s", "epoch_ms")
LATEST: Final = 7_258_118_400_000
"""The year 2200 in epoch milliseconds: a later time means a wrong unit."""
SECONDS_BELOW: Final = 100_000_000_000
"""A bare number below it is epoch seconds (until the year 5138), from it on epoch milliseconds (from 1973)."""
_ISO: Final = r"^\s*\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|[+-]\d\d(:?\d\d)?)?)?\s*$"


@ibis.udf.scalar.builtin
def try_strptime(text: str, pattern: str) -> "ibis.expr.datatypes.timestamp":
    """DuckDB's ``try_strptime``: null where the text does not match the pattern."""


def check_timestamp_format(timestamp_format: str) -> None:
    """Raise ValueError unless the format is one of TIMESTAMP_FORMATS or a strptime pattern (``%d/%m/%Y %H:%M``)."""
    if timestamp_format not in TIMESTAMP_FORMATS and "%" not in timestamp_format:
        allowed = ", ".join(TIMESTAMP_FORMATS)
        raise ValueError(
            f"data.timestamp_format must be {allowed}, or a pattern such as '%d/%m/%Y %H:%M', got {timestamp_format!r}"
        )


@ibis.udf.scalar.builtin
def trim(text: str) -> str:
    """DuckDB's ``trim``, for spaces only; Ibis's ``strip`` lists six kinds of whitespace and is five times slower."""


def words(column: ir.Value) -> ir.StringValue:
    """Trimmed text; null if empty."""
    return trim(column.cast("string")).nullif("")


def number(column: ir.Value) -> ir.FloatingValue:
    """Float64; null where not a number. NaN and infinity pass, for the caller to reject."""
    return column.cast("float64") if column.type().is_numeric() else words(column).try_cast("float64")


def milliseconds(column: ir.Value, timestamp_format: str = "auto") -> ir.IntegerValue:
    """Epoch milliseconds, UTC; null where the time is malformed. Times without an offset are taken as UTC."""
    kind = column.type()
    if kind.is_timestamp() or kind.is_date():
        return _of_timestamp(column)
    if kind.is_numeric():
        return _of_number(column.cast("float64"), timestamp_format)
    text = column.cast("string")
    if "%" in timestamp_format:
        return _of_timestamp(try_strptime(text.strip(), timestamp_format))
    if timestamp_format == "iso":
        return _of_text(text)
    bare = text.try_cast("float64")
    if timestamp_format != "auto":
        return _of_number(bare, timestamp_format)
    return ibis.ifelse(bare.isnull(), _of_text(text), _of_number(bare, timestamp_format))


def _of_timestamp(time: ir.Value) -> ir.IntegerValue:
    return time.cast("timestamp").delta(ibis.timestamp("1970-01-01 00:00:00"), unit="millisecond").cast("int64")


def _of_number(value: ir.FloatingValue, timestamp_format: str) -> ir.IntegerValue:
    if timestamp_format == "auto":
        factor: ir.Value = ibis.ifelse(value < SECONDS_BELOW, 1000.0, 1.0)
    else:
        factor = ibis.literal(1000.0 if timestamp_format == "epoch_s" else 1.0)
    sane = (value >= 0) & (value <= LATEST)
    return ibis.ifelse(sane, value * factor, None).round().cast("int64")


def _of_text(text: ir.StringValue) -> ir.IntegerValue:
    return _of_timestamp(ibis.ifelse(text.re_search(_ISO), text, None).try_cast("timestamp('UTC')"))
