"""The judge of mined relations, on a truth of a few pairs that can be counted by hand."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.relations import interval, judge, log_name
from tests.datasets import make_catalogue, make_sessions
from tillside.relations import Relations, RelationTable

TOKENS = [["series=a"], ["series=a"], ["series=a"], ["series=b"], []]
"""Prices rise from 1 to 9 in steps of 2."""


def table(*pairs):
    anchors, items, strengths = np.array(pairs).T
    return RelationTable.of(anchors.astype(int), items.astype(int), strengths, items=5, most=9)


@pytest.fixture
def figures(tmp_path):
    def write(name, *rows, columns):
        pq.write_table(pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))), tmp_path / name)

    pair = ("item_id", "other_id")
    complements = [("i0", "i3", "fits"), ("i1", "i3", "use"), ("i3", "i4", "shared"), ("i4", "i3", "shared")]
    write("complements.parquet", *complements, columns=[*pair, "kind"])
    write("substitutes.parquet", ("i0", "i1"), ("i1", "i0"), ("i1", "i2"), columns=pair)
    write("ladders.parquet", ("i0", "i1"), ("i1", "i2"), columns=("item_id", "up_id"))
    found = {
        "complement": table((0, 3, 0.5), (3, 4, 0.4), (2, 3, 0.3), (3, 0, 0.2)),
        "substitute": table((0, 1, 0.5), (0, 2, 0.4), (1, 2, 0.6), (1, 4, 0.5), (1, 0, 0.4)),
        "upsell": table((0, 2, 0.9), (0, 1, 0.1), (1, 3, 0.5), (2, 3, 0.5)),
    }
    empty = Relations.empty(items=5)
    relations = Relations({**empty.tables, **found}, empty.manual, empty.bundles)
    catalogue = make_catalogue(make_sessions([[0, 1, 2, 3, 4]]), trained=5, tokens=TOKENS)
    return {
        (row["system"], row["metric"]): (row["value"], row["pairs"]) for row in judge(relations, catalogue, tmp_path)
    }


def test_a_complement_that_shares_a_host_is_right_but_need_not_be_found(figures):
    assert figures["complement", "precision"] == (2 / 4, 4)  # 0 3 and the shared 3 4; not 2 3, nor 3 0 the other way
    assert figures["complement", "recall"] == (1 / 2, 2)  # of 0 3 and 1 3
    assert figures["complement-with-shared", "recall"] == (2 / 4, 4)


def test_substitutes_are_judged_all_and_by_as_many_as_there_are(figures):
    assert figures["substitute", "precision"] == (3 / 5, 5)
    assert figures["substitute", "recall"] == (1.0, 3)
    # the strongest of 0, and the two strongest of 1: right are 0 1 and 1 2, not 1 4
    assert figures["substitute-strongest", "precision"] == (2 / 3, 3)
    assert figures["substitute-strongest", "recall"] == (2 / 3, 3)


def test_a_ladder_is_the_nearest_upsell_of_the_own_series(figures):
    assert figures["ladder", "precision"] == (1.0, 1)  # 0 1, which is nearer than the stronger 0 2; 3 is of another one
    assert figures["ladder", "recall"] == (1 / 2, 2)


def test_wilson_s_interval_by_hand():
    # z² = 3.8415, so 0 of 10 reaches 3.8415 / 13.8415
    assert interval(0, 10) == (pytest.approx(0, abs=1e-9), pytest.approx(0.27753, abs=1e-4))
    assert interval(10, 10)[0] == pytest.approx(1 - 0.27753, abs=1e-4)
    assert interval(0, 0) == (0.0, 1.0)


def test_a_shop_is_named_by_its_seed_and_size():
    assert log_name(0, 2_000_000) == "simulated"
    assert log_name(1, 500_000) == "simulated, seed 1, 500,000 sessions"
