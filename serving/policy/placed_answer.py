"""The policy's answer to a placement back in messages: item ids, and names."""

from collections.abc import Mapping

from msgspec import UNSET, structs

from serving.policy.placement_request import IndexedPlacement
from serving.protocol import messages
from serving.protocol.messages import CommonFields, PlacedAnswer
from tillside.policy import ItemFacts, PlacedItem, Placement, origin


def placed_answer(
    indexed: IndexedPlacement,
    placement: Placement,
    *,
    tier: str,
    common: CommonFields,
    because: Mapping[int, int],
    seen_ids: frozenset[str] = frozenset(),
    names: bool = False,
) -> PlacedAnswer:
    """Translate the policy's placement to an answer with item ids.

    Args:
        tier: of the candidates.
        common: the answer's other fields.
        because: nearest session item of each placed item that has no anchor.
        seen_ids: item ids of the session.
        names: whether items get their name.
    """
    facts = indexed.assortment.facts
    ids = facts.item_ids
    hint = placement.promotion
    explain = indexed.prepared.request.explain
    return PlacedAnswer(
        items=[
            _item(item, because.get(item.item), facts, explain=explain, seen_ids=seen_ids, names=names)
            for item in placement.items
        ],
        tier=tier,
        placement=indexed.prepared.request.placement,
        mode=placement.mode,
        why=list(placement.why),
        bundles=[
            messages.OfferedBundle(
                items=[ids[item] for item in bundle.items],
                missing=[ids[item] for item in bundle.missing],
                price=bundle.price,
                discounted_price=bundle.discounted_price,
                promotion=bundle.promotion,
            )
            for bundle in placement.bundles
        ],
        promotion=None if hint is None else messages.PromotionHint(**structs.asdict(hint)),
        policy=indexed.assortment.loaded.version,
        segment=indexed.prepared.request.segment,  # type: ignore[arg-type]
        notes=list(placement.notes),
        removed=dict(placement.removed) if explain or not placement.items else UNSET,
        **common,
    )


def _item(
    placed: PlacedItem,
    nearest: int | None,
    facts: ItemFacts,
    *,
    explain: bool,
    seen_ids: frozenset[str],
    names: bool,
) -> messages.PlacedItem:
    item_id = facts.item_ids[placed.item]
    because = nearest if placed.anchor is None else placed.anchor
    return messages.PlacedItem(
        item_id=item_id,
        score=placed.score,
        source=placed.source,
        because=None if because is None else facts.item_ids[because],
        seen=item_id in seen_ids,
        name=(facts.name(placed.item) or None) if names else UNSET,
        origin=origin(placed, facts),
        rule=placed.rule,
        reason_key=placed.reason_key,
        reason=placed.reason,
        parts=dict(placed.parts or {}) if explain else UNSET,
    )
