"""A sweep's page: the table and the figures say what the trials did, and nothing of them is cut."""

import re

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from training.sweeps.page import compare_link, describe_sweep, parallel_coordinates, reached, status, trials_by_epoch


def trial_of(number: int, dim: str, rate: float, curve: list[float], state: TrialState) -> optuna.trial.FrozenTrial:
    made = create_trial(
        state=state,
        params={"model.dim": dim, "optimizer.learning_rate": rate},
        distributions={
            "model.dim": CategoricalDistribution(("16", "32")),
            "optimizer.learning_rate": FloatDistribution(1e-3, 1e-1, log=True),
        },
        value=max(curve) if state == TrialState.COMPLETE else None,
        intermediate_values=dict(enumerate(curve)),
        user_attrs={"trial": str(number)},
    )
    made.number = number
    return made


@pytest.fixture
def trials():
    return [
        trial_of(0, "16", 1e-2, [0.1, 0.2], TrialState.COMPLETE),
        trial_of(1, "32", 1e-3, [0.05], TrialState.PRUNED),
        trial_of(2, "32", 1e-1, [0.2, 0.3], TrialState.COMPLETE),
    ]


def test_the_parallel_coordinates_stand_where_the_settings_say(trials):
    """16 of (16, 32) lies at the foot, .01 half-way between .001 and .1, .2 three fifths from .05 to .3."""
    axes = parallel_coordinates(trials, ["model.dim", "optimizer.learning_rate"]).axes[0]
    lines = sorted(tuple(np.round(line.get_ydata(), 6)) for line in axes.lines if len(line.get_xdata()) == 3)
    assert lines == [(0, 0.5, 0.6), (1, 0, 0), (1, 1, 1)]


def test_no_label_of_the_figures_is_cut(trials):
    for figure in (parallel_coordinates(trials, ["model.dim", "optimizer.learning_rate"]), trials_by_epoch(trials)):
        figure.draw_without_rendering()
        needed, whole = figure.get_tightbbox(), figure.bbox_inches
        assert min(needed.x0, needed.y0) >= 0
        assert needed.x1 <= whole.x1
        assert needed.y1 <= whole.y1


def test_a_table_too_long_for_mlflow_says_how_many_are_left_out(trials):
    many = [trial_of(n, "16", 1e-2, [0.1, n / 1000], TrialState.COMPLETE) for n in range(200)]
    runs = {str(n): f"{n:032d}" for n in range(200)}
    names = ["model.dim", "optimizer.learning_rate"]
    note = describe_sweep(many, names, many[-1], dataset="d", total=200, runs=runs, experiment="1")
    assert len(note) < 8000
    left = int(re.search(r"(\d+) more trials are in the list of runs", note)[1])
    assert left + sum(line.startswith("| ") for line in note.splitlines()) - 2 == 200
    assert "| **199**" in note


def test_states_in_words(trials):
    assert [status(trial) for trial in trials] == ["finished", "pruned after 1 epoch", "finished"]
    assert [reached(trial) for trial in trials] == [0.2, 0.05, 0.3]
    assert compare_link("http://s", "1", ["a", "b"]) == (
        "http://s/#/compare-runs?runs=%5B%22a%22%2C%22b%22%5D&experiments=%5B%221%22%5D"
    )
