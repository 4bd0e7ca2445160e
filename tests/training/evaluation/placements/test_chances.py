"""What sources tell together: the fit by its defining equations, rows that meet, and questions a tiny log can ask."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.relations.chances import FAINT, Chances
from training.evaluation.placements.chances import DEVIATION, SLOPES, evidence, fit_together, learn_together
from training.evaluation.placements.observing import LEAST_QUESTIONS
from training.evaluation.placements.questions import ask_sessions
from training.model.observations import Context, Observed


def rows(sources, *columns) -> Observed:
    """Rows (event, item, source, strength, hit) of one purpose."""
    names = ("events_R", "items_R", "sources_R", "strengths_R", "hits_R")
    return Observed.of(sources, dict(zip(names, zip(*columns, strict=True), strict=True)))


def test_the_fit_meets_the_share_of_hits_of_every_kind_of_item() -> None:
    """Of 50,000 items each, 1/10 are hits where one of two sources tells 1, 1/2 where both do.

    One source alone has log odds base + slope = log(1 / 9), both together base + 2 slopes = 0: so slopes of 2.197 and
    a base of -4.394, but for the prior.
    """
    told = np.repeat([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 50_000, axis=0)
    numbers = np.arange(50_000)
    hits = np.concatenate([numbers < 5000, numbers < 5000, numbers < 25_000])
    found = fit_together(["complement", "model"], told, hits)
    assert found.base == pytest.approx(-4.394, abs=0.05)
    assert found.slopes["model"] == pytest.approx(2.197, abs=0.05)
    assert found.slopes["related"] == found.slopes["complement"] == pytest.approx(2.197, abs=0.05)


def test_without_evidence_slopes_are_those_expected() -> None:
    found = fit_together(["model", "series"], np.array([[1.0, 2.0]]), np.array([False]))
    assert found.slopes["model"] == pytest.approx(SLOPES["model"], abs=DEVIATION / 10)
    assert found.slopes["series"] == pytest.approx(SLOPES["related"], abs=DEVIATION / 10)


def test_rows_of_both_meet_by_question_and_item() -> None:
    """Question 7: item 1 is brought by both, item 2 by the model, item 3 by a relation; question 9 was asked once."""
    model = rows(("model",), (7, 1, 0, FAINT, True), (7, 2, 0, 2 * FAINT, False), (9, 1, 0, 0.5, True))
    related = rows(("model", "series"), (7, 1, 1, 3 * FAINT, True), (7, 3, 1, FAINT, False))
    names, told, hits = evidence((model, related), np.array([7]))
    assert names == ["model", "series"]
    assert told == pytest.approx(np.log([[2, 4], [3, 1], [1, 2]]), rel=1e-5)
    assert hits.tolist() == [True, False, False]


def test_the_context_that_says_anything_follows_the_sources() -> None:
    """Question 7's cart doubles the odds of items of set 1, items 1 and 2; nothing was looked at."""
    context = Context.of(
        {
            "events_Q": [7],
            "lifts_QG": [[0.0, np.log(2)]],
            "codes_N": [0, 1, 1, 0],
            "offsets_Q": [0, 0],
            "viewed_V": [],
        }
    )
    model = rows(("model",), (7, 1, 0, FAINT, True), (7, 3, 0, FAINT, False))
    related = replace(rows(("series",), (7, 2, 0, FAINT, False)), context=context)
    names, told, _ = evidence((model, related), np.array([7]))
    assert names == ["model", "series", "lift"]
    assert told[:, 2] == pytest.approx(np.log([2, 2, 1]), rel=1e-5)
    looked = replace(context, offsets_Q=np.array([0, 1]), viewed_V=np.array([3]))
    names, told, _ = evidence((model, replace(related, context=looked)), np.array([7]))
    assert names == ["model", "series", "lift", "viewed"]
    assert told[:, 3].tolist() == [0, 0, 1]


def test_a_kind_that_is_never_taken_along_has_a_small_chance_whatever_the_model_says() -> None:
    """Of 1,000 items each that the model likes, a tenth are taken of a kind with lift e^2, none of one with e^-2."""
    told = np.repeat([[3.0, 2.0], [3.0, -2.0]], 1000, axis=0)
    found = fit_together(["model", "lift"], told, np.arange(2000) < 100)
    assert found.slopes["lift"] > SLOPES["lift"]
    logits = found.base + 3 * found.slopes["model"] + np.array([2, -2]) * found.slopes["lift"]
    rates = 1 / (1 + np.exp(-logits))
    assert rates[0] == pytest.approx(0.1, abs=0.01)
    assert rates[1] < 0.01
    assert "lift" not in fit_together(["model"], told[:, :1], np.arange(2000) < 100).slopes


def test_too_few_questions_that_both_were_asked_teach_nothing() -> None:
    def asked(count: int, source: str) -> dict[str, Observed]:
        return {"attach": rows((source,), *((event, 1, 0, 0.5, event % 2 == 0) for event in range(count)))}

    assert learn_together(asked(LEAST_QUESTIONS, "model"), asked(LEAST_QUESTIONS - 1, "series")) == Chances()
    assert learn_together(asked(LEAST_QUESTIONS, "model"), {}) == Chances()
    found = learn_together(asked(LEAST_QUESTIONS, "model"), asked(LEAST_QUESTIONS, "series"))
    assert set(found.together) == {"attach"}
    assert set(found.together["attach"].slopes) == {"model", "series", "related"}


def test_some_questions_are_evenly_spaced() -> None:
    sessions = make_sessions([[(number, "cart"), (number + 1, "purchase")] for number in range(40)])
    questions = ask_sessions(sessions, taken=[1, 2], asked=1, at_cart=True)
    assert len(questions) == 40 > LEAST_QUESTIONS
    assert questions.some(100) is questions
    some = questions.some(10)
    assert some.sessions_Q.tolist() == list(range(0, 40, 4))
    assert [cart.tolist() for cart in some.carts] == [[number] for number in range(0, 40, 4)]
