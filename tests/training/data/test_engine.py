"""The embedded engine: tables in and out, their order, and failures as one sentence."""

from pathlib import Path

import ibis
import numpy as np
import pytest

from training.data.engine import QueryEngine, open_engine


def test_arrays_become_a_table_and_arrays_again(engine: QueryEngine) -> None:
    given = {"item": np.array([3, 1, 2]), "price": np.array([0.5, np.nan, 2.0], np.float32)}
    found = engine.arrays(engine.given(given), ["price", "item"])
    assert list(found) == ["price", "item"]
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_rows_are_numbered_from_0_in_the_order_in_which_they_were_kept(engine: QueryEngine) -> None:
    table = engine.keep(engine.given({"item": np.array([30, 10, 20])}).order_by("item"))
    numbered = engine.numbered(table, "place")
    assert engine.rows(numbered.order_by(ibis.desc("item"))) == [
        {"item": 30, "place": 2}, {"item": 20, "place": 1}, {"item": 10, "place": 0}
    ]  # fmt: skip


def test_a_result_comes_in_batches_that_are_the_whole_in_order(engine: QueryEngine) -> None:
    rows = 2_500_000  # batches hold a million
    table = engine.view(f"SELECT range AS row FROM range({rows})")
    sizes, expected = [], 0
    for batch in engine.batches(table.order_by("row")):
        column = batch["row"].to_numpy()
        assert (column[0], column[-1]) == (expected, expected + len(batch) - 1)
        sizes.append(len(batch))
        expected += len(batch)
    assert expected == rows
    assert len(sizes) > 1


def test_a_dropped_table_is_gone_and_its_name_is_not_used_again(engine: QueryEngine) -> None:
    first = engine.given({"item": np.arange(2)})
    engine.drop(first)
    assert engine.given({"item": np.arange(3)}).get_name() != first.get_name()
    assert not engine.query(f"SELECT * FROM duckdb_tables() WHERE table_name = '{first.get_name()}'")


def test_times_are_utc_wherever_the_machine_stands(engine: QueryEngine) -> None:
    assert engine.query("SELECT epoch_ms(TIMESTAMPTZ '1970-01-02 00:00:00')") == [(86_400_000,)]
    assert engine.query("SELECT current_setting('TimeZone')") == [("UTC",)]


def test_a_failure_inside_the_engine_is_one_sentence_and_leaves_ibis_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ibis.options.sql, "fuse_selects", True)
    with (
        pytest.raises(ValueError, match=r"^the engine gave up: .*no_such_table") as caught,
        open_engine(tmp_path) as one,
    ):
        one.query("SELECT * FROM no_such_table")
    assert "\n" not in str(caught.value)
    assert ibis.options.sql.fuse_selects is True
