"""Rows of MLflow's python_function are requests: the same answers, and the same refusals."""

import math
import subprocess
import sys

import numpy as np
import pytest

from serving.pyfunc import SessionModel, _load_pyfunc


@pytest.fixture(scope="module")
def model(orchard) -> SessionModel:
    return _load_pyfunc(str(orchard))


def test_a_row_is_answered_as_the_server_would(model):
    """One click on apple: the scores are the items' first coordinates, see tests/bundles.py."""
    (answer,) = model.predict([{"session": [{"item_id": "apple"}], "k": 3}])
    assert (answer["items"], answer["tier"]) == (["apple", "plum", "fig"], "model")
    assert len(answer["scores"]) == 3
    assert answer["seen"] == [True, False, False]
    (answer,) = model.predict([{"session": [{"item_id": "apple"}], "k": 3, "hide_seen": True}])
    assert (answer["items"], answer["seen"]) == (["plum", "fig", "pear"], [False, False, False])


def test_a_process_that_also_used_another_library_ends_in_silence(orchard):
    """DuckDB's bindings tell on stderr of what is left at the exit; frozen objects would be."""
    code = f"import duckdb; from serving.pyfunc import _load_pyfunc; _load_pyfunc({str(orchard)!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_pandas_makes_of_json_is_undone(model):
    """Arrays are lists, None and NaN are absent, and 3.0 is 3."""
    row = {
        "session": np.array([{"item_id": "apple", "timestamp": np.float64(1767225600000.0)}], dtype=object),
        "behaviour": None,
        "k": 3.0,
        "exclude": math.nan,
        "hide_seen": np.False_,
    }
    assert model.predict([row]) == model.predict([{"session": [{"item_id": "apple"}], "k": 3}])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"session": [], "k": 0}, "k must be an integer from 1 to 1000, got 0"),
        ({"session": [], "k": 2.5}, "k must be an integer from 1 to 1000, got 2.5"),
        ({"session": [], "user": 7}, "user is not a field of the request"),
        ({"session": [], "behaviour": "wish"}, "behaviour must be one of click, cart, purchase"),
    ],
)
def test_a_wrong_row_is_refused_with_the_servers_sentence(model, row, sentence):
    with pytest.raises(ValueError, match=sentence):
        model.predict([row])
