"""What a merchandiser sets by hand beside the policy file: pins, bans, pairs, bundles, prices, each a list of rows.

Rows lie over a policy, its segments included, and over mined relations, and win. ``tillside.policy.row_reader`` parses
them strictly, as a policy file is; names that the shop lacks are mistakes too, or a rule would silently never hold.

Shapes: N items.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import msgspec
import numpy as np
from msgspec import Meta, Struct, structs

from tillside.policy.file.names import KnownNames, NameCheck
from tillside.policy.file.offers import OwnBundle
from tillside.policy.file.rule_terms import Ban, Pin, Rules
from tillside.policy.file.terms import PlacementPolicy, Policy
from tillside.policy.file.values import ConflictError, Name, Span, Term, TermError, on_one_line
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import attribute_names
from tillside.relations import ACTIONS, ALWAYS, RELATIONS, LaterPair, ManualPairs

Part = Literal["pins", "bans", "pairs", "bundles", "prices"]
PARTS: Final[tuple[Part, ...]] = ("pins", "bans", "pairs", "bundles", "prices")
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
            sentence = f"other must be another item than item, got {self.other!r} for both"
            raise ConflictError(sentence, field="other", allowed=f"any item but {self.item!r}")
        if self.action == "ban" and self.strength is not None:
            sentence = f"strength must be left out of a ban, got {self.strength:g}"
            raise TermError(sentence, field="strength", allowed="nothing where action is ban")


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
