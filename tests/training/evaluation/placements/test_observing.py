"""Validation questions that sources are asked, by hand."""

from types import SimpleNamespace

from tests.datasets import make_sessions
from training.evaluation.placements.observing import LEAST_QUESTIONS, asked_for


def of_sessions(count: int) -> SimpleNamespace:
    sessions = make_sessions([[(0, "click"), (1, "cart"), (2, "cart"), (3, "purchase")] for _ in range(count)])
    return SimpleNamespace(part=lambda name: sessions, behaviours=("click", "cart", "purchase"))


def test_purposes_with_few_questions_are_left_out() -> None:
    """A question of a session and purpose: what the half of it that was taken, or looked at, leads to."""
    assert asked_for(of_sessions(LEAST_QUESTIONS - 1), ("model",)) == {}
    asked = asked_for(of_sessions(LEAST_QUESTIONS), ("model",))
    assert {purpose: (each.placement, len(each.questions), each.ask) for purpose, each in asked.items()} == {
        "attach": ("checkout", LEAST_QUESTIONS, 2),
        "next": ("product", LEAST_QUESTIONS, 0),
    }
