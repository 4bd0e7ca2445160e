"""What a merchandiser sets by hand beside the policy file: pins, bans, pairs, bundles, prices, each a list of rows.

Rows lie over a policy, its segments included, and over mined relations, and win. They are parsed strictly, as a policy
file is: every mistake is told with its row, and names that the shop lacks are mistakes too, or a rule would silently
never hold.

Shapes: N items.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import msgspec
import numpy as np
import yaml
from msgspec import Meta, Struct, inspect, structs
from yaml.nodes import Node, ScalarNode

from tillside.cli.likeness import did_you_mean
from tillside.policy.file.hints import about_value
from tillside.policy.file.names import KnownNames, NameCheck
from tillside.policy.file.offers import OwnBundle
from tillside.policy.file.rule_terms import Ban, Pin, Rules
from tillside.policy.file.scalars import LONGEST_SHOWN, allowed_text
from tillside.policy.file.terms import PlacementPolicy, Policy
from tillside.policy.file.values import ConflictError, Name, Span, Term, on_one_line, repeated_key, with_whole_numbers
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import attribute_names
from tillside.relations import ACTIONS, ALWAYS, RELATIONS, LaterPair, ManualPairs

Part = Literal["pins", "bans", "pairs", "bundles", "prices"]
PARTS: Final[tuple[Part, ...]] = ("pins", "bans", "pairs", "bundles", "prices")
MOST_MISTAKES: Final = 20
HOUR_S: Final = 3600
REVISIONS: Final = "by-hand"
"""Folder of the revisions in a server's state folder, each in a file of its number."""


class PlacedPin(Pin, frozen=True, kw_only=True, rename={"since": "from"}):
    """A pin of some placements; of all if none is named."""

    placements: tuple[Name, ...] = ()


class PlacedBan(Ban, frozen=True, kw_only=True, rename={"since": "from"}):
    """A ban of some placements; of all, and of answers without a placement, if none is named."""

    placements: tuple[Name, ...] = ()


class Pair(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """``other`` goes with ``item`` by a relation: before all others (pin), among them (add), or never (ban)."""

    relation: Literal[
        "complement", "substitute", "upsell", "downsell", "bundle", "brand", "series", "scene", "gift"
    ] = "complement"
    item: Name
    other: Name
    action: Literal["pin", "add", "ban"] = "pin"
    strength: Annotated[float, Meta(gt=0, le=1)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.item == self.other:
            raise ConflictError(f"other must be another item than item, got {self.other!r} for both")
        if self.action == "ban" and self.strength is not None:
            raise ValueError(f"strength must be left out of a ban, got {self.strength:g}")


class Price(Term, frozen=True, kw_only=True):
    """An item's price, over that of catalogue and feed; null where it shall not be known."""

    item: Name
    price: Annotated[float, Meta(gt=0)] | None


ROW_OF: Final[Mapping[Part, type[Struct]]] = {
    "pins": PlacedPin,
    "bans": PlacedBan,
    "pairs": Pair,
    "bundles": OwnBundle,
    "prices": Price,
}


class ByHand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is set by hand.

    Attributes:
        policy: text of a policy file in place of the one that the server was given; None for that one.
    """

    policy: str | None = None
    pins: tuple[PlacedPin, ...] = ()
    bans: tuple[PlacedBan, ...] = ()
    pairs: tuple[Pair, ...] = ()
    bundles: tuple[OwnBundle, ...] = ()
    prices: tuple[Price, ...] = ()

    @property
    def rows(self) -> bool:
        """Whether anything beside the policy is set."""
        return any(getattr(self, part) for part in PARTS)

    def bans_everywhere(self) -> Rules | None:
        """The bans that name no placement, as rules for requests without one; None if there are none."""
        bans = tuple(_bare(Ban, ban) for ban in self.bans if not ban.placements)
        return Rules(bans=bans) if bans else None

    def over(self, policy: Policy) -> Policy:
        """A policy with pins, bans and bundles laid over it and over each of its segments."""
        if not (self.pins or self.bans or self.bundles):
            return policy
        segments = {name: self._over(own) for name, own in policy.segments.items()}
        return structs.replace(self._over(policy), segments=segments)

    def _over(self, policy: Policy) -> Policy:
        placements = {name: self._placed(name, own) for name, own in policy.placements.items()}
        return structs.replace(policy, placements=placements, bundles=(*self.bundles, *policy.bundles))

    def _placed(self, name: str, placement: PlacementPolicy) -> PlacementPolicy:
        pins = tuple(_bare(Pin, pin) for pin in self.pins if not pin.placements or name in pin.placements)
        bans = tuple(_bare(Ban, ban) for ban in self.bans if not ban.placements or name in ban.placements)
        rules = placement.rules
        rules = structs.replace(rules, pins=(*pins, *rules.pins), bans=(*bans, *rules.bans))
        return structs.replace(placement, rules=rules)

    def relations_over(
        self, manual: ManualPairs, *, index_of: Mapping[str, int], utc_offset_hours: float
    ) -> ManualPairs:
        """Manual pairs with those set here; a pair of the same relation and items is replaced."""
        if not self.pairs:
            return manual
        rows = [_later(pair, utc_offset_hours) for pair in self.pairs]
        taken = {row[:3] for row in rows}
        known = {
            (RELATIONS.index(relation), index_of[item], index_of[other])
            for relation, item, other in taken
            if item in index_of and other in index_of
        }
        keys = zip(manual.relations.tolist(), manual.anchors.tolist(), manual.items.tolist(), strict=True)
        kept = np.array([key not in known for key in keys], bool)
        columns = {name: getattr(manual, name)[kept] for name in manual.__dataclass_fields__ if name != "later"}
        waiting = [row for row in manual.later if row[:3] not in taken]
        return ManualPairs(**columns, later=(*waiting, *rows))

    def priced(self, facts: ItemFacts) -> ItemFacts:
        """Facts with the prices set here over those of catalogue and feed; of items that are not there yet, none."""
        known = [(facts.index_of[row.item], row.price) for row in self.prices if row.item in facts.index_of]
        if not known:
            return facts
        prices_N = facts.prices_N.copy()
        prices_N[[item for item, _ in known]] = [np.nan if price is None else price for _, price in known]
        return replace(facts, prices_N=prices_N)

    def mistakes(self, known: KnownNames, *, placements: Iterable[str] = ()) -> list[str]:
        """One sentence for each name in the rows that the shop or the policy lacks, ``pins[0].item: 'X': ...``."""
        found = []
        check, names = NameCheck(known), frozenset(placements)
        for part in PARTS:
            for number, row in enumerate(getattr(self, part)):
                for field, kind, value in _names_of(row):
                    mistake = check.mistake(kind, value)
                    if mistake:
                        found.append(on_one_line(f"{part}[{number}].{field}: {value!r}: {mistake}"))
                for value in getattr(row, "placements", ()):
                    mistake = check.misplaced(value, names) if names else None
                    if mistake:
                        found.append(on_one_line(f"{part}[{number}].placements: {value!r}: {mistake}"))
        return found


NOTHING_BY_HAND: Final = ByHand()


def revisions_in(state: Path) -> list[Path]:
    """Files of the revisions in a server's state folder, the current one last."""
    return sorted((state / REVISIONS).glob("[0-9]*.json"))


def read_by_hand(path: Path) -> ByHand:
    """What a server's merchandisers set by hand: its state folder, or what it answers to ``GET /v1/merchandising``.

    A folder without revisions is of a server by which nothing was set.

    Raises:
        ValueError: the file holds neither.
    """
    if path.is_dir():
        revisions = revisions_in(path)
        if not revisions:
            return NOTHING_BY_HAND
        path = revisions[-1]
    try:
        document = msgspec.json.decode(path.read_bytes())
        while isinstance(document, dict) and (inner := document.keys() & {"by_hand", "revision"}):
            document = document["by_hand" if "by_hand" in inner else "revision"]
        return msgspec.convert(document, ByHand)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"by_hand {path}: {error}; allowed: a server's --state folder, or what GET /v1/merchandising answers"
        ) from None


def known_names(facts: ItemFacts) -> KnownNames:
    """Names of a shop's facts."""
    return KnownNames(
        items=cast(Any, facts.index_of),
        categories=frozenset(value for own in facts.categories.sets for value in own),
        brands=frozenset(value for own in facts.brands.sets for value in own),
        attributes=attribute_names(facts),
    )


def read_rows(part: Part, body: bytes) -> tuple[Any, ...]:
    """Rows of a part from JSON: a list, or an object that holds it under the part's name.

    Raises:
        ValueError: the body is no such list; one mistake a line, ``pins[2]: ...``. It is a ConflictError if each value
            is allowed by itself.
    """
    allowed = f"a list of objects with {', '.join(_fields(ROW_OF[part]))}"
    try:
        document = msgspec.json.decode(body)
        if (twice := repeated_key(body, document)) is not None:
            raise ValueError(f"the key {twice!r} stands twice in one object, so that a value is lost")
        if isinstance(document, dict) and set(document) == {part}:
            document = document[part]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{part}: {error}; allowed: {allowed}, in JSON") from None
    if not isinstance(document, list):
        raise ValueError(f"{part}: got {type(document).__name__}; allowed: {allowed}")
    rows: list[Struct] = []
    mistakes: list[str] = []
    conflicts: list[str] = []
    for number, row in enumerate(document):
        try:
            rows.append(msgspec.convert(with_whole_numbers(row), ROW_OF[part]))
        except msgspec.ValidationError as error:
            mistakes.append(f"{part}[{number}]{_told(error, row, ROW_OF[part])}")
            if isinstance(error.__cause__, ConflictError):
                conflicts.append(mistakes[-1])
        if len(mistakes) == MOST_MISTAKES:
            more = f"and perhaps more; reading ended after {MOST_MISTAKES} mistakes"
            raise ConflictError.of([*mistakes, more], [*conflicts, more])
    if mistakes:
        raise ConflictError.of(mistakes, conflicts)
    if part == "prices" and len({row.item for row in rows if isinstance(row, Price)}) < len(rows):
        raise ConflictError("prices: an item stands twice; allowed: each item once")
    return tuple(rows)


def _told(error: msgspec.ValidationError, row: Any, kind: type[Struct]) -> str:
    """What is wrong with a row, after its number: the field, its value, what is allowed and what was meant."""
    what, _, path = str(error).partition(" - at ")
    field, known = path.strip("`").removeprefix("$"), _fields(kind)
    name = field.removeprefix(".")
    if name in known and isinstance(error.__cause__, ValueError | None) and not isinstance(row[name], dict | list):
        fields = cast(inspect.StructType, inspect.type_info(kind)).fields
        wanted = next(each.type for each in fields if each.encode_name == name)
        written = msgspec.json.encode(row[name]).decode()
        hint = about_value(_node(row[name], written), wanted, name)
        return f"{field}: got {written[:LONGEST_SHOWN]}; allowed: {allowed_text(wanted)}{hint}"
    unknown = what.partition("unknown field `")[2].strip("`")
    hint = did_you_mean(unknown, known, before="; ") if unknown else ""
    return f"{field}: {what}; allowed: an object with {', '.join(known)}{hint}"


def _node(value: Any, written: str) -> Node:
    """A JSON scalar as a policy file would have it; YAML refuses some of the letters that JSON's texts may hold."""
    if isinstance(value, str):
        return ScalarNode("tag:yaml.org,2002:str", value, style='"')
    return cast(Node, yaml.compose(written, Loader=yaml.SafeLoader))


def _fields(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in structs.fields(kind))


def _bare(kind: type[Any], row: Struct) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def _names_of(row: Any) -> list[tuple[str, str, str]]:
    """Field, kind and value of each name of the shop in a row."""
    found = []
    for field, kind in (("item", "item"), ("other", "item"), ("category", "category"), ("brand", "brand")):
        value = getattr(row, field, None)
        if value is not None:
            found.append((field, kind, value))
    return found + [("items", "item", value) for value in getattr(row, "items", ())]


def _later(pair: Pair, utc_offset_hours: float) -> LaterPair:
    assert pair.action in ACTIONS
    since, until = (
        fallback
        if day is None
        else int((datetime.combine(day, time(), UTC).timestamp() - utc_offset_hours * HOUR_S) * 1000)
        for day, fallback in zip((pair.since, pair.until), ALWAYS, strict=True)
    )
    return pair.relation, pair.item, pair.other, pair.action, pair.strength, since, until
