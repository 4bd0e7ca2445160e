"""``python -m serving.feedback.retrace FEEDBACK --bundle DIR --policy FILE``: what a policy makes of a log's answers.

Each answer of which the log kept the request is asked again, by the code that serves. A line of JSON says how probable
it is that the policy shows the same, slot by slot, given the slots before: what ``training.evaluate`` weighs a log by.
The last line counts what could not be asked. Nothing is drawn, so a second run says the same.

Surprising: bundle, policy and items feed are those that are given now, and what was in stock then is not known. The
request bears the time that it was asked at.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from serving.answering.indexed_request import IndexedRequest
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender
from serving.policy.feeds import with_file
from serving.protocol.decoding import decode_request
from serving.protocol.errors import BodyError, FieldError
from serving.protocol.limits import Limits
from tillside.cli.secrets import without_secrets
from tillside.cli.shipped import file_or_shipped
from tillside.feedback.exposures import Exposure, decode_exposure
from tillside.feedback.segments import EXPOSURES, Torn, read_segment, segments_of

TOGETHER: Final = 32
"""Answers that are asked at once."""
REPEATABLE: Final = (None, "empty_session", "unknown_items")
"""Reasons of answers that would be given for them again; all others come of load or a failure."""
LIMITS: Final = Limits(k=100_000, session_events=100_000, excluded_items=100_000)
"""What one server took another one does not refuse."""
NOT_AN_EXPOSURE: Final = "not an exposure"
NO_REQUEST: Final = "left to chance, but without their request"
OF_LOAD: Final = "given under load or after a failure"
NO_PLACEMENT: Final = "at a placement that the policy has not"
OTHERWISE: Final = "that this bundle or policy cannot be asked"


class Line(Struct, frozen=True):
    """What the policy makes of one answer.

    Attributes:
        chances: probability of each slot's item, given those before it.
        spread: of each slot the items that may stand there, with their probabilities.
        slots: how many the policy would have filled.
        own: whether this very policy and bundle gave the answer.
    """

    recommendation_id: str
    placement: str
    chances: list[float]
    spread: list[dict[str, float]]
    slots: int
    own: bool


class Left(Struct, frozen=True):
    """The last line: answers that were not asked, by reason, and who was."""

    left: dict[str, int]
    policy: str
    bundle: str


def retrace(feedback: Path, recommender: Recommender, left: Counter[str]) -> Iterator[Line]:
    """A line for each answer of a feedback folder that can be asked again; counts the others, by reason.

    Raises:
        OSError: a segment cannot be read.
        EngineError: the model fails.
    """
    again = _asked_again(feedback, left)
    while exposures := list(islice(again, TOGETHER)):
        questions: list[IndexedRequest] = []
        kept: list[Exposure] = []
        for exposure in exposures:
            try:
                questions.append(recommender.read(decode_request(bytes(exposure.request), LIMITS)))
                kept.append(exposure)
            except FieldError as error:
                left[NO_PLACEMENT if error.field == "placement" else OTHERWISE] += 1
            except BodyError:
                left[OTHERWISE] += 1
        assert recommender.assortment is not None
        facts, loaded = recommender.assortment.facts, recommender.assortment.loaded
        found = recommender.retrace(questions, [[slot.item for slot in each.slots] for each in kept])
        for exposure, told in zip(kept, found, strict=True):
            spread = [{facts.item_ids[item]: chance for item, chance in slot.items()} for slot in told.spread]
            own = exposure.policy == loaded.version and exposure.model == recommender.bundle.version
            where = exposure.placement or ""
            yield Line(exposure.recommendation_id, where, told.chances, spread, told.slots, own)


def _asked_again(feedback: Path, left: Counter[str]) -> Iterator[Exposure]:
    def torn(_: Torn) -> None:
        left["torn segment"] += 1

    for path in segments_of(feedback / EXPOSURES):
        for record in read_segment(path, report=torn):
            try:
                exposure = decode_exposure(record)
            except (ValueError, RecursionError):
                left[NOT_AN_EXPOSURE] += 1
                continue
            if not bytes(exposure.request):
                left[NO_REQUEST] += any((slot.propensity or 1) < 1 for slot in exposure.slots)
            elif exposure.reason not in REPEATABLE:
                left[OF_LOAD] += 1
            else:
                yield exposure


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line of JSON for each answer."""
    parser = argparse.ArgumentParser("python -m serving.feedback.retrace", description="A log's answers, asked again.")
    parser.add_argument("feedback", type=Path, help="feedback folder")
    parser.add_argument("--bundle", type=Path, required=True, help="directory that training.export wrote")
    parser.add_argument("--policy", required=True, help="policy file, or the name of one that ships")
    parser.add_argument("--items-feed", type=Path, help="items feed; default: what the bundle knows, stock unknown")
    given = parser.parse_args(arguments)
    out, encode = sys.stdout.buffer, msgspec.json.Encoder().encode
    try:
        feed = with_file(None, given.items_feed, now_ms=int(time.time() * 1000))
        policy = file_or_shipped("policy", given.policy)
        recommender = load_recommender(given.bundle, Limits(), policy=policy, feed=feed)
        left: Counter[str] = Counter()
        for line in retrace(given.feedback, recommender, left):
            out.write(encode(line) + b"\n")
        assert recommender.assortment is not None
        about = Left(dict(+left), recommender.assortment.loaded.version, recommender.bundle.version)
        out.write(encode(about) + b"\n")
        out.flush()
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {without_secrets(str(error))}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
