"""What a policy's placements show in some real sessions, and where two policies differ in that.

Half of the sessions are cut right after something was put into the cart, the others in their middle, and every
placement is asked at the same moment of each.

Shapes: Q moments, M items in the cart, S sessions, B behaviours, E events, T of them that take an item, L events of one
session, N items.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import structs

from tillside.dataset import Part, Sessions
from tillside.policy import ItemFacts, Placement, PlacementRequest, Policy, event_kinds, origin, place
from tillside.policy.file.values import DAY_MS, UNIX_DAY
from tillside.relations import Relations
from training.evaluation.placements.proposals import propose, with_intents
from training.evaluation.placements.questions import Questions
from training.evaluation.placements.shop import OfflineShop
from training.inputs.lookahead import taking
from training.inputs.visits import encode_visits

Ints = npt.NDArray[np.int64]
LATEST: Final = 6
"""Events of a session that are told."""
NAME, PRICE, ORIGIN = 44, 10, 32
"""Widths of columns; a longer name is cut off."""


@dataclass(frozen=True)
class Moment:
    """One session up to a moment.

    Attributes:
        told: its latest events in words, oldest first.
        cart: names of what is in the cart.
        shown: answer of each placement.
        hosts: name of what a host shows, for the placements that ask for one: what the session came to last, since a
            log does not tell.
    """

    told: list[str]
    cart: list[str]
    shown: dict[str, Placement]
    hosts: dict[str, str] = field(default_factory=dict)


def moments(sessions: Sessions, *, taken: Sequence[int], count: int) -> Questions:
    """Moments of ``count`` sessions, or of as many as there are, spread evenly over them.

    Args:
        taken: behaviours that take an item.
    """
    offsets = np.asarray(sessions.offsets, np.int64)
    items_E, takes_E = np.asarray(sessions.items, np.int64), np.isin(np.asarray(sessions.behaviours), taken)
    first_S = np.full(len(offsets) - 1, -1, np.int64)
    rows_T = np.searchsorted(offsets, np.flatnonzero(takes_E), side="right") - 1
    first_S[rows_T[::-1]] = np.flatnonzero(takes_E)[::-1]
    taking_S = first_S >= 0
    some = _spread(np.flatnonzero(taking_S), (count + 1) // 2)
    others = _spread(np.flatnonzero(~taking_S), count - len(some))
    some = _spread(np.flatnonzero(taking_S), count - len(others))
    sessions_Q = np.sort(np.concatenate([some, others]))
    middle_S = (offsets[:-1] + offsets[1:] + 1) // 2
    events_Q = np.where(taking_S, first_S + 1, middle_S)[sessions_Q]
    carts = []
    for session, event in zip(sessions_Q.tolist(), events_Q.tolist(), strict=True):
        seen = slice(int(offsets[session]), event)
        carts.append(np.array(list(dict.fromkeys(items_E[seen][takes_E[seen]].tolist())), np.int64))
    return Questions(events_Q, sessions_Q, carts, [np.zeros(0, np.int64)] * len(carts))


def preview(
    shop: OfflineShop,
    policy: Policy,
    relations: Relations,
    *,
    part: Part = "test",
    count: int,
    placements: Sequence[str] | None = None,
    day: date | None = None,
) -> list[Moment]:
    """Answers of all placements, or of those named, in ``count`` sessions of a part.

    Args:
        day: the shop's date at every moment; None for that of the log.

    Raises:
        ValueError: the policy lacks a placement.
    """
    dataset, behaviours = shop.dataset, shop.dataset.behaviours
    sessions = dataset.part(part)
    asked = moments(sessions, taken=taking(len(behaviours)), count=count)
    first = dataset.parts[part][0]
    known = dataset.catalogue.rankable
    encoded = encode_visits(sessions, spec=shop.spec, known_items=known, whole=dataset.sessions, first=first)
    found: list[Moment] = [_told(sessions, asked, number, shop.facts, behaviours.names) for number in range(len(asked))]
    for name in placements or policy.placements:
        placement = policy.placement(name)
        ask = behaviours.index(placement.behaviour or behaviours.goal)
        kinds_B = event_kinds(behaviours)
        requests = asked.requests(sessions, placement=name, k=placement.slots, kinds_B=kinds_B)
        requests = [_on(request, day, policy.utc_offset_hours) for request in requests]
        if placement.takes_host:
            requests = [structs.replace(request, host=int(request.session_L[-1])) for request in requests]
            for moment, request in zip(found, requests, strict=True):
                assert request.host is not None
                moment.hosts[name] = _name(request.host, shop.facts)
        proposals = propose(shop, policy, requests, encoded, asked.events_Q, ask=ask, k=placement.slots)
        candidates = proposals.candidates
        for moment, request, model in zip(found, with_intents(requests, proposals), candidates, strict=True):
            moment.shown[name] = place(policy, request, shelves=shop.shelves_B[ask], relations=relations, model=model)
    return found


def lines_of(moments: Sequence[Moment], facts: ItemFacts) -> Iterator[str]:
    """A preview as text: each session, each placement, each item with price, origin and reason."""
    for number, moment in enumerate(moments, start=1):
        yield from _head(number, len(moments), moment)
        for name, shown in moment.shown.items():
            why = f"; {', '.join(shown.why)}" if shown.why else ""
            hosted = f"; as if the host showed {moment.hosts[name]}" if name in moment.hosts else ""
            yield f"  {name} ({shown.mode}{why}{hosted})"
            for item in shown.items:
                yield f"    {_row(item.item, facts)}  {origin(item, facts):<{ORIGIN}}  {item.reason}".rstrip()
            if not shown.items:
                yield "    nothing"
            yield from (f"    note: {note}" for note in shown.notes)
            if shown.promotion is not None:
                yield f"    promotion: {shown.promotion.text}"
            for bundle in shown.bundles:
                yield f"    bundle: {' + '.join(_name(item, facts) for item in bundle.items)}"
            if shown.dropped:
                yield f"    removed: {', '.join(f'{rule} {count}' for rule, count in shown.dropped.items())}"
        yield ""


def differences(before: Sequence[Moment], after: Sequence[Moment], facts: ItemFacts) -> Iterator[str]:
    """Where two previews of the same moments differ: per session what comes and goes, then what that adds up to."""
    changed: Counter[str] = Counter()
    swapped: Counter[str] = Counter()
    sources: dict[str, Counter[str]] = {"before": Counter(), "after": Counter()}
    names = list(dict.fromkeys(name for moment in (*before, *after) for name in moment.shown))
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        rows = []
        for name in names:
            was, now = (moment.shown.get(name) for moment in (old, new))
            one, other = ([item.item for item in each.items] if each else [] for each in (was, now))
            sources["before"].update(item.source for item in (was.items if was else ()))
            sources["after"].update(item.source for item in (now.items if now else ()))
            if one == other:
                continue
            changed[name] += 1
            swapped[name] += len(set(other) - set(one))
            rows.append(f"  {name}")
            rows += [f"    - {_row(item, facts)}".rstrip() for item in one if item not in other]
            by_item = {item.item: item for item in (now.items if now else ())}
            rows += [f"    + {_row(item, facts)}  {origin(by_item[item], facts)}" for item in other if item not in one]
            if set(one) == set(other):
                rows.append(f"    the same in another order: {', '.join(_name(item, facts) for item in other)}")
        if rows:
            yield from _head(number, len(after), new)
            yield from rows
            yield ""
    for name in names:
        yield f"{name}: {changed[name]} of {len(after)} answers differ, {swapped[name]} items are new"
    for when, counts in sources.items():
        total = counts.total() or 1
        shares = ", ".join(f"{source} {count / total:.0%}" for source, count in counts.most_common())
        yield f"items {when} the change: {shares or 'none'}"


def _spread(found: Ints, count: int) -> Ints:
    """``count`` of the numbers, evenly spread; all of them if there are fewer."""
    if count >= len(found):
        return found
    return found[(np.arange(count) * len(found)) // max(count, 1)]


def _told(sessions: Sessions, asked: Questions, number: int, facts: ItemFacts, names: Sequence[str]) -> Moment:
    start, event = int(sessions.offsets[asked.sessions_Q[number]]), int(asked.events_Q[number])
    latest = range(max(start, event - LATEST), event)
    told = [f"{names[int(sessions.behaviours[e])]} {_name(int(sessions.items[e]), facts)}" for e in latest]
    if latest.start > start:
        told.insert(0, f"({latest.start - start} events before)")
    return Moment(told, [_name(item, facts) for item in asked.carts[number].tolist()], {})


def _on(request: PlacementRequest, day: date | None, utc_offset_hours: float) -> PlacementRequest:
    """The request at the same time of another day; the distances of its events stay."""
    if day is None:
        return request
    now = request.now_ms + int(utc_offset_hours * 3_600_000)
    shift = (day.toordinal() - UNIX_DAY - now // DAY_MS) * DAY_MS
    return structs.replace(request, now_ms=request.now_ms + shift, times_L=request.times_L + shift)


def _head(number: int, count: int, moment: Moment) -> Iterator[str]:
    yield f"session {number} of {count}: {', '.join(moment.told)}"
    yield f"  cart: {', '.join(moment.cart) or 'empty'}"


def _name(item: int, facts: ItemFacts) -> str:
    return facts.name(item) or facts.item_ids[item]


def _row(item: int, facts: ItemFacts) -> str:
    """Name, or the id where there is none, and price, in columns."""
    price = float(facts.prices_N[item])
    told = f"{price:,.2f}" if price == price else ""
    return f"{_name(item, facts):<{NAME}.{NAME}} {told:>{PRICE}}"
