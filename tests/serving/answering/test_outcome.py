"""An outcome says of stages that did not run that they took no time at all."""

from serving.answering.fallbacks import bare_answer
from serving.answering.outcome import Outcome


def test_without_measurements_there_are_none() -> None:
    outcome = Outcome(bare_answer([], "empty", "not_ready"))
    assert (outcome.encode_seconds, outcome.search_seconds, outcome.queue_seconds, outcome.policy_seconds) == (
        None,
    ) * 4
    assert (outcome.failure, dict(outcome.dropped)) == (None, {})
