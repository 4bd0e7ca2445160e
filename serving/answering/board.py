"""What the board shows beside an answer: the shop's placements, its items by name, and what stands behind an id.

The board is for the shop's staff, a person at a time, so items are searched by walking over all of them.

Shapes: N items.
"""

from collections.abc import Iterable
from typing import Any, Final

from serving.answering.recommender import Recommender
from serving.protocol.errors import FieldError
from serving.protocol.messages import Answer, PlacedAnswer
from tillside.policy import ConflictError, ItemFacts
from tillside.policy.items.facts import IN_STOCK, OUT_OF_STOCK
from tillside.policy.money import rounded

MOST_FOUND: Final = 20
STOCK: Final = {IN_STOCK: "in stock", OUT_OF_STOCK: "sold out"}
NO_POLICY: Final = "the server has no policy, so there is no placement to look at; PUT /v1/policy brings one"


class AbsentNameError(FieldError, ConflictError):
    """A field of a request names what bundle or policy lack: in another shop it may be right."""


def shop(recommender: Recommender) -> dict[str, Any]:
    """Placements, with what each asks of a live room, and behaviours and segments that can be chosen.

    Raises:
        ConflictError: there is no policy.
    """
    assortment = recommender.assortment
    if assortment is None:
        raise ConflictError(NO_POLICY)
    loaded = assortment.loaded
    return {
        "bundle": recommender.bundle.version,
        "policy": {"version": loaded.version, "file": loaded.file},
        "behaviours": list(recommender.bundle.behaviours.names),
        "placements": {
            name: {
                "slots": placement.slots,
                "sources": placement.sources,
                "anchors": list(placement.anchors),
                "host": placement.takes_host,
                "scene": "scene" in placement.anchors,
                "moments": list(placement.silent_during),
            }
            for name, placement in sorted(loaded.policy.placements.items())
        },
        "segments": sorted(loaded.policy.segments),
    }


def items_like(recommender: Recommender, words: str) -> dict[str, Any]:
    """Items whose id, name or category holds every word, those whose id or name begins with them first; at most 20.

    Raises:
        ConflictError: there is no policy.
    """
    facts = _facts(recommender)
    wanted = words.casefold().split()
    found: list[tuple[bool, int]] = []
    for item, item_id in enumerate(facts.item_ids):
        name = facts.name(item).casefold()
        text = f"{item_id.casefold()} {name} {facts.categories.finest(int(facts.categories.codes_N[item]))}"
        if all(word in text for word in wanted):
            begins = item_id.casefold().startswith(words.casefold()) or name.startswith(words.casefold())
            found.append((not begins, item))
            if len(found) >= MOST_FOUND * 50:
                break
    return described(facts, (facts.item_ids[item] for _, item in sorted(found)[:MOST_FOUND]))


def behind(recommender: Recommender, answer: Answer, also: Iterable[str]) -> dict[str, Any]:
    """What stands behind the ids of an answer and of some other items."""
    ids = {*also, *(item.item_id for item in answer.items), *(item.because or "" for item in answer.items)}
    if isinstance(answer, PlacedAnswer):
        ids.update(item_id for bundle in answer.bundles for item_id in bundle.items)
    return described(_facts(recommender), sorted(ids))


def described(facts: ItemFacts, ids: Iterable[str]) -> dict[str, Any]:
    """Name, price, category and stock of each item that is known, by id."""
    found = {}
    for item_id in ids:
        item = facts.index_of.get(item_id)
        if item is not None:
            price = float(facts.prices_N[item])
            found[item_id] = {
                "name": facts.name(item) or item_id,
                "price": rounded(price) if price == price else None,
                "category": facts.categories.finest(int(facts.categories.codes_N[item])),
                "stock": STOCK.get(int(facts.stock_N[item]), "stock unknown"),
            }
    return found


def _facts(recommender: Recommender) -> ItemFacts:
    if recommender.assortment is None:
        raise ConflictError(NO_POLICY)
    return recommender.assortment.facts
