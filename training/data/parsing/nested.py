"""Fields inside the values of a log, by path: ``properties.product_id``, ``items.item_id``, ``event_params.session``.

A list of objects on the way is unrolled, one row an element; a list of ``key`` and ``value`` pairs, as in GA4's export,
is looked up by key. Surprising: an event whose list is empty stays one row, with EMPTY set, so that it can be counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.data.columns import ELEMENT

KEY, VALUE = "key", "value"


@dataclass(frozen=True)
class Nested:
    """SQL of nested fields over a table with a JSON column.

    Attributes:
        columns: SQL by path.
        unrolled: path in JSON of the list that is unrolled, or None.
    """

    columns: dict[str, str]
    unrolled: str | None


def nested(structure: dict[str, Any], paths: Sequence[str], *, line: str, name: str) -> Nested:
    """SQL of the paths.

    Args:
        structure: as DuckDB's ``json_group_structure`` gives it.
        line: SQL of the JSON column.
        name: of the file, for error messages.

    Raises:
        ValueError: there is no such path, it ends at a list or an object, or the paths unroll two lists.
    """
    columns: dict[str, str] = {}
    lists: dict[str, str] = {}
    for path in paths:
        columns[path], way = _column(structure, path, line, name)
        if way is not None:
            lists[way] = path
    if len(lists) > 1:
        one, other = list(lists.values())[:2]
        raise ValueError(f"{name}: {one} and {other} lie in two lists; of one event only one list can be unrolled")
    return Nested(columns, next(iter(lists), None))


def kind(structure: Any) -> str | None:
    """``a list of objects``, ``a list``, ``an object``, or None for a plain value."""
    if isinstance(structure, list):
        return "a list of objects" if structure and isinstance(structure[0], dict) else "a list"
    return "an object" if isinstance(structure, dict) else None


def fields_of(structure: Any) -> list[str]:
    """Fields of an object, or of the objects in a list."""
    inner = structure[0] if isinstance(structure, list) and structure else structure
    return list(inner) if isinstance(inner, dict) else []


def _column(structure: dict[str, Any], path: str, line: str, name: str) -> tuple[str, str | None]:
    here: Any = structure
    way, start, unrolled = "$", line, None
    steps = path.split(".")
    for number, step in enumerate(steps):
        if isinstance(here, list) and here and isinstance(here[0], dict):
            inner = here[0]
            if step not in inner and {KEY, VALUE} <= set(inner):
                return _by_key(start, way, step, inner[VALUE], steps[number + 1 :], path, name), unrolled
            if unrolled is not None:
                raise ValueError(f"{name}: {path} leads through a list in a list, which cannot be unrolled")
            unrolled, start, way, here = way, ELEMENT, "$", inner
        if not isinstance(here, dict) or step not in here:
            raise ValueError(_no_such(name, path, ".".join(steps[:number]), here))
        way, here = f"{way}.{_quoted(step)}", here[step]
    if kind(here):
        raise ValueError(_no_value(name, path, here))
    return f"{start}->>{_literal(way)}", unrolled


def _by_key(start: str, way: str, key: str, value: Any, rest: list[str], path: str, name: str) -> str:
    """SQL of the value of the pair with this key; of a value with one field a type, whichever is given."""
    pair = f"list_filter(json_extract({start}, {_literal(way + '[*]')}), lambda e: (e->>'$.key') = {_literal(key)})[1]"
    if rest:
        field = ".".join(map(_quoted, rest))
        return f"({pair})->>{_literal('$.value.' + field)}"
    fields = fields_of(value)
    if not fields:
        return f"({pair})->>'$.value'"
    values = [f"({pair})->>{_literal('$.value.' + _quoted(each))}" for each in fields]
    return f"coalesce({', '.join(values)})"


def no_scalar(name: str, setting: str, column: str, structure: Any) -> ValueError:
    """The error of a column that holds no plain value."""
    return ValueError(f"{setting}: {_no_value(name, column, structure)}")


def _no_value(name: str, path: str, here: Any) -> str:
    inside = fields_of(here)
    told = f"; name a field in it, such as {path}.{inside[0]} (it has: {', '.join(inside[:20])})" if inside else ""
    return f"{path} of {name} is {kind(here)} and no plain value{told}"


def _no_such(name: str, path: str, before: str, here: Any) -> str:
    inside = ", ".join(fields_of(here)[:20]) or "no fields"
    return f"{name} has no {path}; {before or 'a line'} has: {inside}"


def _quoted(step: str) -> str:
    return '"' + step.replace('"', '\\"') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
