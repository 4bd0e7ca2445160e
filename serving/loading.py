"""From a directory to a recommender that may answer: verify, load, replay the goldens, warm up, in this order.

Surprising: the garbage collector is told to leave the loaded catalogue alone, because walking a million ids in the
middle of a request would cost more than the request.
"""

import gc
from pathlib import Path

from serving.goldens import replay
from serving.messages import Event, RecommendRequest
from serving.recommender import Recommender
from serving.settings import Limits
from tillside.bundle import open_bundle


def load_recommender(path: Path, limits: Limits) -> Recommender:
    """A recommender over the bundle at ``path``, proven and warm.

    Raises:
        ValueError: the bundle is refused; the sentence says why.
    """
    bundle = open_bundle(path)
    for key in ("version", "intent"):
        if key not in bundle.manifest:
            raise ValueError(f"bundle {path}: the manifest lacks {key}")
    recommender = Recommender(bundle)
    replay(recommender, limits)
    _warm_up(recommender)
    gc.collect()
    gc.freeze()
    return recommender


def _warm_up(recommender: Recommender) -> None:
    """Sessions of every power-of-two length, so that the first shopper does not pay for memory and pages."""
    bundle = recommender.bundle
    item_ids = bundle.catalogue.item_ids[: len(bundle.items_ND)]
    length = 1
    while length <= bundle.encoding.max_length:
        session = [Event(item_ids[position % len(item_ids)]) for position in range(length)]
        recommender.answer(RecommendRequest(session))
        length *= 2
