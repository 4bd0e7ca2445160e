"""Load a recommender from a bundle's directory: verify, load, replay the golden requests, warm up, in this order.

All of it runs in a thread while the active bundle serves. Surprising: the GIL switch interval is shortened meanwhile,
or each of a request's few numpy calls could wait five milliseconds for the lock; and the loaded catalogue is frozen out
of garbage collection, because traversing a million ids in the middle of a request would cost more than the request.
What is frozen and in a cycle is never freed, so nothing that a recommender or an assortment holds may refer back to it:
the old one is freed by reference counting, as soon as the last question that reads it is answered. A bundle's load
thaws whatever else was frozen by chance with the bundle before it, such as connections that were open then.

Shapes: N items, D dimensions.
"""

import contextlib
import gc
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from msgspec import UNSET, UnsetType

from serving.answering.recommender import Recommender
from serving.bundles.goldens import replay
from serving.policy.assortment import Assortment
from serving.policy.policy_file import LoadedPolicy, load_policy
from serving.protocol.errors import unreadable
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Event, RecommendRequest
from tillside.bundle import open_bundle
from tillside.experiments.terms import Experiments
from tillside.policy import ConflictError, ItemsFeed, Policy
from tillside.policy.file.terms import SegmentName
from tillside.policy.merchandising import NOTHING_BY_HAND, ByHand
from tillside.policy.needs import unmet_needs

log = logging.getLogger("serving")
SWITCH_SECONDS: Final = 0.0005
WARM_BATCHES: Final = (1, 2, 8)
STATIC_BYTES: Final = 1 << 24


def load_recommender(
    path: Path,
    limits: Limits,
    *,
    static: Sequence[str] = (),
    policy: Path | None = None,
    feed: ItemsFeed | None = None,
    by_hand: ByHand = NOTHING_BY_HAND,
    experiments: Path | None = None,
) -> Recommender:
    """Recommender over the bundle at ``path``, verified and warmed up.

    Args:
        policy: policy file for placements, instead of the bundle's own.
        feed: items feed to apply on top of the bundle's catalogue.
        by_hand: what a merchandiser set, over the policy and the feed.
        experiments: experiments file, whose arms change the policy.

    Raises:
        ValueError: the bundle or the policy is refused; the sentence says why.
    """
    with polite():
        recommender = _loaded(path, limits, static, policy, feed, by_hand, experiments)
        made = recommender.assortment
        if made is not None and made.loaded.experiments is not None:
            assert experiments is not None
            for name in _bundles(made.loaded.experiments):
                other = _loaded(
                    experiments.parent / name, limits, static, policy or recommender.bundle.policy, feed, by_hand,
                    experiments,
                )  # fmt: skip
                recommender.others[name] = other
            others = {name: other.assortment for name, other in recommender.others.items() if other.assortment}
            recommender.equip(replace(made, others=others), feed)
        _freeze()
    return recommender


def _loaded(
    path: Path,
    limits: Limits,
    static: Sequence[str],
    policy: Path | None,
    feed: ItemsFeed | None,
    by_hand: ByHand,
    experiments: Path | None,
) -> Recommender:
    """A recommender without those of other bundles."""
    try:
        bundle = open_bundle(path)
        loaded = load_policy(bundle, policy, by_hand, experiments)
        assortment = None
        if loaded is not None:
            assortment = Assortment.of(bundle, loaded, feed=feed, static=static)
        recommender = Recommender(bundle, static=static)
        replay(recommender, limits)  # as at export, when no feed hid anything
        recommender.equip(assortment, feed)
        recommender.usual_seconds = _warm_up(recommender)
        if assortment is not None:
            _warn_of_needs(assortment, intent=bundle.has_intent)
    except ValueError:
        raise
    except Exception as error:  # a damaged file can raise anything in the libraries that parse it
        sentence = f"bundle {path} cannot be loaded: {type(error).__name__}: {error}"
        raise ValueError(sentence.partition("\n")[0]) from error
    return recommender


def _bundles(experiments: Experiments) -> list[str]:
    """Bundles that arms name, each once."""
    return list(dict.fromkeys(name for each in experiments.experiments.values() for name in each.bundles))


def _freeze() -> None:
    """Leave what lives out of garbage collection from here on, which would read it all again and again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def restock(
    recommender: Recommender, feed: ItemsFeed, *, before: ItemsFeed | None = None, news: ItemsFeed | None = None
) -> Assortment | None:
    """Warm assortment with ``feed`` applied, built while requests are served; None without a policy.

    Args:
        before, news: see :meth:`Assortment.restocked`.

    It is not frozen out of garbage collection, or a feed a second would freeze every connection and task of its second.
    """
    with polite():
        if recommender.assortment is None:
            recommender.equip(None, feed)
            return None
        restocked = recommender.assortment.restocked(feed, before=before, news=news)
        _warm_up_placements(recommender, restocked)
        for name, other in recommender.others.items():
            _warm_up_placements(other, restocked.others[name])
    return restocked


def merchandised(
    recommender: Recommender,
    policy: Path | None,
    by_hand: ByHand,
    *,
    feed: ItemsFeed | None,
    static: Sequence[str] = (),
    experiments: Path | None = None,
) -> Assortment | None:
    """Warm assortment under another policy or other rows set by hand, built while requests are served.

    Args:
        policy, feed, static, experiments: as for :func:`load_recommender`.

    Returns:
        None where there is no policy at all.

    Raises:
        ValueError: the policy holds mistakes, one a line.
    """
    with polite():
        loaded = load_policy(recommender.bundle, policy, by_hand, experiments)
        if loaded is None:
            return None
        wanted = _bundles(loaded.experiments) if loaded.experiments else []
        missing = [name for name in wanted if name not in recommender.others]
        if missing:
            raise ConflictError(f"experiments: bundle {missing[0]} is not loaded; a reload of the server loads it")
        others = {}
        for name in wanted:
            own = load_policy(
                recommender.others[name].bundle, policy or recommender.bundle.policy, by_hand, experiments
            )
            assert own is not None
            others[name] = _under(recommender.others[name], own, feed, static, {})
        made = _under(recommender, loaded, feed, static, others)
        for name, other in others.items():
            _warm_up_placements(recommender.others[name], other)
        _warm_up_placements(recommender, made)
    return made


def _under(
    recommender: Recommender,
    loaded: LoadedPolicy,
    feed: ItemsFeed | None,
    static: Sequence[str],
    others: Mapping[str, Assortment],
) -> Assortment:
    if recommender.assortment is None:
        return replace(Assortment.of(recommender.bundle, loaded, feed=feed, static=static), others=others)
    return recommender.assortment.under(loaded, feed, others)


def _warn_of_needs(assortment: Assortment, *, intent: bool) -> None:
    """Log what the policy needs and is not there."""
    loaded, relations = assortment.loaded, assortment.placed_relations
    for need in unmet_needs(loaded.policy, assortment.facts, relations, intent=intent):
        log.warning("policy %s: %s", loaded.file, need)


def read_static(path: Path, limits: Limits) -> list[str]:
    """The shop's static list: one item id per line, best first; empty lines and duplicates are skipped.

    Raises:
        ValueError: the file cannot be read, is too large, or holds no usable id.
    """
    try:
        if path.stat().st_size > STATIC_BYTES:
            raise ValueError(f"static list {path} must be at most {STATIC_BYTES} bytes")
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"static list {path} cannot be read: {unreadable(error, path)}") from None
    ids = list(dict.fromkeys(line for line in lines if line))
    if not ids:
        raise ValueError(f"static list {path} must hold an item id a line, it holds none")
    if max(map(len, ids)) > limits.text:
        raise ValueError(f"static list {path} must hold ids of at most {limits.text} characters")
    return ids


def _warm_up(recommender: Recommender) -> float:
    """Answer sessions of every power-of-two length, alone and batched, so that allocation is done before real traffic.

    Returns:
        Seconds of the fastest batch, the best case of one answer.
    """
    bundle = recommender.bundle
    item_ids = bundle.catalogue.item_ids[: len(bundle.items_ND)]
    length, best = 1, float("inf")
    while length <= bundle.encoding.max_length:
        session = [Event(item_ids[position % len(item_ids)]) for position in range(length)]
        for size in WARM_BATCHES:
            start = time.perf_counter()
            recommender.answer_many([RecommendRequest(session)] * size)
            best = min(best, time.perf_counter() - start)
        length *= 2
    if recommender.assortment is not None:
        _warm_up_placements(recommender, recommender.assortment)
    return best


def _warm_up_placements(recommender: Recommender, assortment: Assortment) -> None:
    """Answer every placement once for every segment and arm, to fill the caches that a policy computes over the
    catalogue."""
    for arms in assortment.loaded.arms:
        _warm_up_placements(recommender, assortment.of_arms(arms))
    item_id = recommender.bundle.catalogue.item_ids[0]
    policy = assortment.loaded.policy
    everybody: list[tuple[SegmentName | UnsetType, Policy]] = [(UNSET, policy)]
    for segment, own in everybody + list(policy.segments.items()):
        for name in own.placements:
            cart = [CartLine(item_id)]
            request = RecommendRequest([Event(item_id)], placement=name, segment=segment, cart=cart)
            recommender.answer_questions([recommender.read(request, assortment)])


@contextlib.contextmanager
def polite() -> Iterator[None]:
    """Shorten the GIL switch interval, so that a loading thread does not delay requests."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
