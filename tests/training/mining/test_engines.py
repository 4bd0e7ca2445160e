"""Engines by name; what mining asks of one beyond plain Ibis."""

import ibis
import numpy as np
import pytest

from training.mining.engines import SetCounter, open_mining
from training.settings.relate import EngineName


@pytest.fixture
def engine(tmp_path):
    with open_mining(EngineName.duckdb, tmp_path, master="none") as engine:
        yield engine


def test_what_is_given_comes_back_in_the_order_asked_for(engine):
    table = engine.given({"item": np.array([3, 1, 2]), "weight": np.array([0.5, 0.25, 1.0])})
    found = engine.arrays(table.order_by("item"), ["weight", "item"])
    assert {name: array.tolist() for name, array in found.items()} == {"weight": [0.25, 1.0, 0.5], "item": [1, 2, 3]}
    assert list(found) == ["weight", "item"]


def test_a_kept_table_is_computed_once(engine):
    drawn = engine.given({"item": np.arange(50)}).mutate(chance=ibis.random())
    kept = engine.keep(drawn)
    first, again = (engine.arrays(kept.order_by("item"), ["chance"])["chance"].tolist() for _ in range(2))
    assert first == again
    assert first != engine.arrays(drawn.order_by("item"), ["chance"])["chance"].tolist()


def test_duckdb_has_no_algorithm_for_sets_of_its_own(engine):
    assert not isinstance(engine, SetCounter)
