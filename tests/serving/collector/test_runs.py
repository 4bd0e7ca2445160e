"""Runs find what was put into them and nothing else, however they were merged."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.collector import runs
from serving.collector.runs import merge, write_run

ROWS = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=1, max_size=60, unique=True)


def written(path, rows):
    ids = b"".join(part.to_bytes(8, "little") for high, low, _ in rows for part in (high, low))
    return write_run(path, ids, b"".join(mark.to_bytes(8, "little") for _, _, mark in rows))


def found(run, rows):
    high_M, low_M = (np.array([row[n] for row in rows], np.uint64) for n in (0, 1))
    return dict(run.find(high_M, low_M))


def test_a_run_has_the_mark_of_its_ids_and_of_no_other(tmp_path):
    run = written(tmp_path / "a.npy", [(7, 1, 10), (3, 1, 20), (7, 2, 30)])
    assert len(run) == 3
    assert found(run, [(7, 2), (3, 1), (7, 3), (4, 1), (7, 1)]) == {0: 30, 1: 20, 4: 10}


@settings(max_examples=30)
@given(ROWS, st.integers(1, 4), st.sampled_from([1, 7, 1 << 20]))
def test_merged_runs_find_what_each_of_them_did(tmp_path_factory, rows, files, part):
    """The first halves collide often: half of them are taken modulo five."""
    folder = tmp_path_factory.mktemp("runs")
    rows = list({(high % 5 if number % 2 else high, low): None for number, (high, low) in enumerate(rows)})
    marked = [(high, low, number) for number, (high, low) in enumerate(rows)]
    parts = [marked[number::files] for number in range(files) if marked[number::files]]
    held = [written(folder / f"{number}.npy", part_) for number, part_ in enumerate(parts)]
    before, runs.PART = runs.PART, part
    try:
        whole = merge(folder / "whole.npy", held)
    finally:
        runs.PART = before
    assert found(whole, rows) == {number: number for number in range(len(rows))}
    assert np.all(np.diff(whole.rows_3N[0].astype(object)) >= 0)
    strangers = [(high, low + 1) for high, low in rows if low < 2**64 - 1 and (high, low + 1) not in set(rows)]
    assert not strangers or found(whole, strangers) == {}


def test_the_filter_spares_most_searches(tmp_path):
    """Of 20,000 unknown ids at most a tenth passes it; 12 bits an id and 4 marks promise about one in a hundred."""
    draw = np.random.default_rng(1)
    run = write_run(tmp_path / "a.npy", draw.bytes(16 * 50_000), draw.bytes(8 * 50_000))
    high_M, low_M = draw.integers(0, 2**64, (2, 20_000), np.uint64)
    marks_M = runs._marks(low_M)
    passed = (run._filter_W[runs._words(high_M, run._shift)] & marks_M) == marks_M
    assert passed.mean() < 0.1
    assert run.find(high_M, low_M) == []
