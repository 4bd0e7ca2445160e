"""Parsing of ids, times and numbers as Ibis expressions; malformed values become null.

Surprising: DuckDB's timestamp cast accepts words such as ``infinity`` and time zone names, so times are matched against
a regular expression first. Ibis's ``epoch_seconds`` keeps the fraction on DuckDB, so milliseconds are computed as a
time difference.
"""

import functools
import operator
from collections.abc import Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

TIMESTAMP_FORMATS: Final = ("auto", "iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
FACTORS: Final = {"epoch_s": 1e3, "epoch_ms": 1.0, "epoch_us": 1e-3, "epoch_ns": 1e-6}
"""To milliseconds."""
LATEST: Final = 7_258_118_400_000
"""The year 2200 in epoch milliseconds: a later time means a wrong unit."""
LARGEST_WHOLE: Final = 2**53
SECONDS_BELOW: Final = 100_000_000_000
"""A bare number below it is epoch seconds (until the year 5138); from it on milliseconds (from 1973), then by each
further factor of a thousand microseconds and nanoseconds."""
EARLIEST: Final = 631_152_000_000
"""The year 1990 in epoch milliseconds. Among later times an earlier one, such as 0, is a clock gone wrong."""
SERIALS: Final = (32_874_000, 73_051_000)
"""A spreadsheet's serial numbers of the days from 1990 to 2099, taken for seconds, in milliseconds."""
_DAY: Final = r"^(199\d|20\d\d|21\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_CALENDAR: Final = (
    (10**6, "$", "%Y%m%d"),
    (10**10, r"([01]\d|2[0-3])[0-5]\d$", "%Y%m%d%H%M"),
    (10**12, r"([01]\d|2[0-3])[0-5]\d[0-5]\d$", "%Y%m%d%H%M%S"),
)
"""Of a bare number that is a date: what its second digit counts, its end, and its pattern. As seconds or milliseconds
all of them lie before 1990 or past LATEST, so that no time is lost to them."""
NOTHING: Final = ("(not set)", "nan", "NaN", "NULL", "\\N", "N/A", "<NA>", "NaT", "undefined")
"""Words by which exports say that there is nothing."""
_PRICE: Final = r"^[^0-9+-]{0,6}([+-]?[0-9][0-9.,' \x{00A0}]*)[^0-9]{0,6}$"
_PARTED: Final = r"[' \x{00A0}]"
"""What some part thousands with."""
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


def words(column: ir.Value, nothing: Sequence[str] = ()) -> ir.StringValue:
    """Trimmed text; null if empty, or one of the words for nothing.

    A whole number of a column of fractions is written as one: 100010, not 100010.0.
    """
    if column.type().is_floating():
        whole = (column == column.floor()) & (column.abs() < LARGEST_WHOLE)
        text = ibis.ifelse(whole.fill_null(False), column.try_cast("int64").cast("string"), column.cast("string"))
    else:
        text = trim(column.cast("string"))
    text = text.nullif("")
    # Comparisons, since DuckDB makes a join of ``isin``, which costs twice what the text itself does.
    return text.cases(*((word, None) for word in nothing), else_=text) if nothing else text


def number(column: ir.Value) -> ir.FloatingValue:
    """Float64; null where not a number. NaN and infinity pass, for the caller to reject."""
    return column.cast("float64") if column.type().is_numeric() else words(column).try_cast("float64")


def money(column: ir.Value) -> ir.FloatingValue:
    """Float64 of a price as shops write it: ``9.50 EUR``, ``9,50``, ``1.234,50``; null where it is none."""
    if column.type().is_numeric():
        return column.cast("float64")
    text = words(column)
    bare = text.re_extract(_PRICE, 1).re_replace(_PARTED, "")
    comma = bare.re_search(r"^[+-]?[0-9]{1,3}(\.[0-9]{3})*,[0-9]+$|^[+-]?[0-9]+,[0-9]{1,2}$")
    thousands = bare.re_search(r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$")
    european = ibis.ifelse(comma, bare.replace(".", "").replace(",", "."), bare)
    shown = ibis.ifelse(thousands, bare.replace(",", ""), european).try_cast("float64")
    plain = text.try_cast("float64")
    return ibis.ifelse(plain.isnull(), shown, plain)  # no coalesce: DuckDB would match the patterns for every row


def milliseconds(column: ir.Value, timestamp_format: str = "auto") -> ir.IntegerValue:
    """Epoch milliseconds, UTC; null where the time is malformed. Times without an offset are taken as UTC."""
    kind = column.type()
    if kind.is_timestamp() or kind.is_date():
        return _of_timestamp(column)
    if kind.is_numeric():
        value = column.cast("float64")
        return _of_bare(value) if timestamp_format == "auto" else _of_number(value, timestamp_format)
    text = column.cast("string")
    if "%" in timestamp_format:
        return _of_timestamp(try_strptime(text.strip(), timestamp_format))
    if timestamp_format == "iso":
        return _of_text(text)
    bare = text.try_cast("float64")
    if timestamp_format != "auto":
        return _of_number(bare, timestamp_format)
    return ibis.ifelse(bare.isnull(), _of_text(text), _of_bare(bare))


def _of_timestamp(time: ir.Value) -> ir.IntegerValue:
    return time.cast("timestamp").delta(ibis.timestamp("1970-01-01 00:00:00"), unit="millisecond").cast("int64")


def _of_number(value: ir.FloatingValue, timestamp_format: str) -> ir.IntegerValue:
    """Of a unit that was named."""
    time = value * FACTORS.get(timestamp_format, 1.0)
    return ibis.ifelse((time >= 0) & (time <= LATEST), time, None).round().cast("int64")


def _of_bare(value: ir.FloatingValue) -> ir.IntegerValue:
    """Of a number without a unit, by its size; of 20231115, 202311151230 and 20231115123000 the moment named so."""
    steps = [(value < SECONDS_BELOW * 1e3**power, factor) for power, factor in enumerate((1e3, 1.0, 1e-3))]
    time = value * ibis.cases(*steps, else_=1e-6)
    by_size = ibis.ifelse((time >= 0) & ((value < SECONDS_BELOW) | (time <= LATEST)), time, None).round().cast("int64")
    dated = functools.reduce(operator.or_, (value.between(19 * unit, 22 * unit) for unit, _, _ in _CALENDAR))
    digits = ibis.ifelse(dated, value, None).cast("int64").cast("string")
    moment = ibis.cases(
        *((digits.re_search(_DAY + end), _of_timestamp(try_strptime(digits, form))) for _, end, form in _CALENDAR),
        else_=None,
    )
    return moment.coalesce(by_size)


def _of_text(text: ir.StringValue) -> ir.IntegerValue:
    return _of_timestamp(ibis.ifelse(text.re_search(_ISO), text, None).try_cast("timestamp('UTC')"))
