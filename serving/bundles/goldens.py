"""Replay of a bundle's golden requests: a bundle that does not answer as it did at export is refused.

Floating-point results differ slightly between machines, so items whose scores lie within ``TIE`` of each other may swap
ranks; any larger difference is refused.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from serving.answering.recommender import Recommender
from serving.protocol.decoding import decode_request
from serving.protocol.errors import BodyError, FieldError
from serving.protocol.limits import Limits

TIE: Final = 1e-5
SCORE_TOLERANCE: Final = 1e-4
INTENT_TOLERANCE: Final = 1e-3


class Golden(msgspec.Struct):
    """A golden request: a request body and its answer at export."""

    request: dict[str, Any]
    items: list[str]
    scores: list[float]
    purchase_intent: float | None


def replay(recommender: Recommender, limits: Limits) -> None:
    """Answer every golden request of the recommender's bundle and compare with its recorded answer.

    Raises:
        ValueError: the bundle has none, one is malformed, or an answer differs; the sentence says which and how.
    """
    bundle = recommender.bundle
    try:
        goldens = msgspec.convert(bundle.goldens, list[Golden])
    except msgspec.ValidationError as error:
        raise ValueError(f"bundle {bundle.path}: a golden is malformed: {error}") from None
    if not goldens:
        raise ValueError(f"bundle {bundle.path}: goldens.json holds no golden request, so nothing proves its answers")
    for number, golden in enumerate(goldens):
        where = f"bundle {bundle.path}: golden {number}"
        try:
            outcome = recommender.answer(decode_request(msgspec.json.encode(golden.request), limits))
        except (BodyError, FieldError) as error:
            raise ValueError(f"{where} is not a valid request: {error}") from None
        if outcome.failure:
            raise ValueError(f"{where}: the model failed with {outcome.failure}")
        answer = outcome.answer
        got = [item.item_id for item in answer.items]
        difference = difference_of_lists(golden.items, golden.scores, got, [item.score for item in answer.items])
        if difference:
            raise ValueError(f"{where} is not answered as it was at export: {difference}")
        if not _intents_agree(golden.purchase_intent, answer.purchase_intent):
            raise ValueError(f"{where}: purchase_intent is {answer.purchase_intent}, expected {golden.purchase_intent}")


def difference_of_lists(
    items: Sequence[str], scores: Sequence[float], got_items: Sequence[str], got_scores: Sequence[float]
) -> str | None:
    """How a ranked list differs from the expected one; None if it agrees up to ties.

    Runs of adjacent items whose expected scores lie within :data:`TIE` of each other may come in any order. The top-k
    cut may fall anywhere within the last run, so there an item may be replaced by another of the same score.
    """
    if len(scores) != len(items) or len(got_items) != len(items):
        return f"{len(got_items)} items, expected {len(items)} items and {len(scores)} scores"
    for rank, (expected, got) in enumerate(zip(scores, got_scores, strict=True)):
        if not math.isclose(expected, got, rel_tol=0.0, abs_tol=SCORE_TOLERANCE):
            return f"score {got} at rank {rank + 1}, expected {expected}"
    start = 0
    while start < len(items):
        end = start + 1
        while end < len(items) and abs(scores[end] - scores[end - 1]) < TIE:
            end += 1
        strangers = set(got_items[start:end]) - set(items[start:end])
        level = all(abs(scores[rank] - got_scores[rank]) < TIE for rank in range(start, end))
        if strangers and not (end == len(items) and level):
            return f"{len(strangers)} of the items at ranks {start + 1} to {end} are not the expected ones"
        start = end
    return None


def _intents_agree(expected: float | None, got: float | None) -> bool:
    if expected is None or got is None:
        return expected is None and got is None
    return math.isclose(expected, got, rel_tol=0.0, abs_tol=INTENT_TOLERANCE)
