"""Reader of what is set by hand, lists of rows in JSON, as strict as that of a policy file.

Every mistake is told with its row, its field and what is allowed there: ``pins[2].slot: got 0; allowed: ...``. The same
sentences serve any small document that msgspec reads into a struct.
"""

import re
from typing import Any, Final, NamedTuple, cast

import msgspec
import yaml
from msgspec import Struct, inspect, structs
from yaml.nodes import Node, ScalarNode

from tillside.cli.likeness import did_you_mean
from tillside.policy.file.hints import about_value
from tillside.policy.file.scalars import LONGEST_SHOWN, allowed_text, without_null
from tillside.policy.file.values import ConflictError, TermError, repeated_key, with_whole_numbers
from tillside.policy.merchandising import ROW_OF, Part, Price

MOST_MISTAKES: Final = 20
BLANKS: Final = b" \t\r\n"
"""All that JSON has."""
STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]", re.ASCII)
"""Of a path as msgspec writes it: a key, or a place in a list."""


class Mistake(NamedTuple):
    """What is wrong with a document.

    Attributes:
        sentence: the field, what is wrong, what is allowed and what was meant.
        field: path of the field at fault.
        allowed: what it may hold.
        conflict: whether each value is allowed by itself.
    """

    sentence: str
    field: str
    allowed: str
    conflict: bool = False


def read_rows(part: Part, body: bytes) -> tuple[Any, ...]:
    """Rows of a part from JSON: a list, or an object that holds it under the part's name.

    Raises:
        TermError: the body is no such list; one mistake a line, ``pins[2]: ...``. It is a ConflictError if each value
            is allowed by itself.
    """
    allowed = f"a list of objects with {', '.join(_fields(ROW_OF[part]))}"
    in_json = f"{allowed}, in JSON"
    if not body.strip(BLANKS):
        raise TermError(f"{part}: the body is empty; allowed: {in_json}, or [] for none", field=part, allowed=in_json)
    try:
        document = msgspec.json.decode(body)
        if (twice := repeated_key(body, document)) is not None:
            raise ValueError(f"the key {twice!r} stands twice in one object, so that a value is lost")
        if isinstance(document, dict) and set(document) == {part}:
            document = document[part]
    except (ValueError, RecursionError) as error:
        raise TermError(f"{part}: {error}; allowed: {in_json}", field=part, allowed=in_json) from None
    if not isinstance(document, list):
        got = type(document).__name__
        raise TermError(f"{part}: got {got}; allowed: {allowed}", field=part, allowed=allowed)
    rows: list[Struct] = []
    mistakes: list[Mistake] = []
    for number, row in enumerate(document):
        try:
            rows.append(msgspec.convert(with_whole_numbers(row), ROW_OF[part]))
        except msgspec.ValidationError as error:
            mistakes.append(mistake_of(error, row, ROW_OF[part], at=f"{part}[{number}]"))
        if len(mistakes) == MOST_MISTAKES:
            break
    _refuse(mistakes or _twice(rows))
    return tuple(rows)


def mistake_of(error: msgspec.ValidationError, document: Any, kind: type[Struct], *, at: str) -> Mistake:
    """What is wrong with a document that msgspec does not read as ``kind``.

    Args:
        at: path of the document; empty where it is the whole.
    """
    cause, keys = error.__cause__, ", ".join(_fields(kind))
    what, _, inner = str(error).removeprefix(str(cause or "")).partition(" - at ")
    inner = inner.strip("`").removeprefix("$")
    path = f"{at}{inner}".removeprefix(".")
    where = f"{path}: " if path else ""
    if isinstance(cause, TermError) and cause.allowed:
        own = ".".join(filter(None, (path, cause.field)))
        return Mistake(
            f"{where}{cause}; allowed: {cause.allowed}", own, cause.allowed, isinstance(cause, ConflictError)
        )
    unknown = what.partition("unknown field `")[2].strip("`")
    if unknown or (not inner and isinstance(document, dict)):
        own = ".".join(filter(None, (path, unknown)))
        hint = did_you_mean(unknown, _fields(kind), before="; ") if unknown else ""
        return Mistake(f"{where}{what}; allowed: an object with {keys}{hint}", own, keys)
    value, wanted = document, inspect.type_info(kind)
    for key, place in STEP.findall(inner):
        value, wanted = (value[key], _type_of(wanted, key)) if key else (value[int(place)], _item_of(wanted))
    allowed = f"an object with {keys}" if not inner else allowed_text(wanted)
    shown, hint = _shown(value), ""
    if inner and not isinstance(value, dict | list):
        hint = about_value(_node(value, shown), wanted, path.rpartition(".")[2])
    return Mistake(f"{where}got {shown[:LONGEST_SHOWN]}; allowed: {allowed}{hint}", path, allowed)


def _twice(rows: list[Struct]) -> list[Mistake]:
    """A mistake for each price of an item that has one in an earlier row."""
    first: dict[str, int] = {}
    found = []
    for number, row in enumerate(rows):
        if isinstance(row, Price) and first.setdefault(row.item, number) != number:
            own, allowed = f"prices[{number}].item", "each item once"
            said = f"{row.item!r} stands in prices[{first[row.item]}] too"
            found.append(Mistake(f"{own}: {said}; allowed: {allowed}", own, allowed, conflict=True))
    return found


def _refuse(mistakes: list[Mistake]) -> None:
    """Raise all mistakes as one error; nothing without any."""
    if not mistakes:
        return
    told, conflicts = ([each.sentence for each in some] for some in (mistakes, [m for m in mistakes if m.conflict]))
    if len(told) >= MOST_MISTAKES:
        more = f"and perhaps more; reading ended after {MOST_MISTAKES} mistakes"
        told, conflicts = [*told[:MOST_MISTAKES], more], [*conflicts, more]
    raise ConflictError.of(told, conflicts, field=mistakes[0].field, allowed=mistakes[0].allowed)


def _type_of(kind: inspect.Type, key: str) -> inspect.Type:
    fields = cast(inspect.StructType, without_null(kind)).fields
    return next(each.type for each in fields if each.encode_name == key)


def _item_of(kind: inspect.Type) -> inspect.Type:
    return cast(inspect.VarTupleType, without_null(kind)).item_type


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else msgspec.json.encode(value).decode()


def _node(value: Any, written: str) -> Node:
    """A JSON scalar as a policy file would have it; YAML refuses some of the letters that JSON's texts may hold."""
    if isinstance(value, str):
        return ScalarNode("tag:yaml.org,2002:str", value, style='"')
    return cast(Node, yaml.compose(written, Loader=yaml.SafeLoader))


def _fields(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in structs.fields(kind))
