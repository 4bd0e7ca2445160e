"""Spark, where it is installed, finds and joins what DuckDB does. Both stand here, so that Java starts once."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests import feedback_logs
from tests.datasets import make_sessions, same_relations
from tests.training.feedback.test_attribution import scenarios
from tests.training.stages.test_relate import dataset_of, rows
from training.feedback.columns import TABLES
from training.feedback.joining import join
from training.mining.engines import open_mining
from training.settings.relate import EngineName, RelateConfig
from training.stages.relate import relate

QUICK = " ".join(
    (
        "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'",
        "--conf spark.sql.shuffle.partitions=1",
        "--conf spark.default.parallelism=1",
        "--conf spark.sql.codegen.wholeStage=false",
        "--conf spark.sql.codegen.factoryMode=NO_CODEGEN",
        "--conf spark.sql.adaptive.enabled=false",
        "pyspark-shell",
    )
)
"""Java compiles in haste: its second compiler takes as long as all the rest, and has no time to be of use. No query
of a few rows is worth being compiled, planned twice or parted into two hundred."""


@pytest.fixture
def quick_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark starts for a small test, which is skipped where there is none."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'tillside[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none on the path")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", QUICK)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_spark")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_spark_finds_what_duckdb_finds(tmp_path):
    """Shoppers come back three times, so that pairs over sessions count too."""
    sessions = make_sessions(rows(120))
    sessions = replace(sessions, optional={"users": np.arange(len(sessions)) // 3})
    dataset = dataset_of(tmp_path / "d", sessions, train=120)
    duckdb = relate(RelateConfig(dataset="-"), dataset)
    spark = relate(RelateConfig(dataset="-", engine=EngineName.spark, spark_master="local[1]"), dataset)
    same_relations(spark.relations, duckdb.relations)
    assert spark.sets.sets == duckdb.sets.sets
    assert min(len(spark.relations.tables[name]) for name in ("complement", "substitute", "bundle", "brand")) > 0
    assert spark.relations.about == duckdb.relations.about


@pytest.mark.slow
@pytest.mark.usefixtures("quick_spark")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_spark_joins_row_for_row_what_duckdb_joins(tmp_path):
    feedback_logs.write(tmp_path / "feedback", *scenarios())
    on_duckdb = feedback_logs.settings(tmp_path, out=str(tmp_path / "duckdb"))
    join(on_duckdb)
    join(replace(on_duckdb, out=str(tmp_path / "spark"), engine=EngineName.spark, spark_master="local[1]"))
    for table in TABLES:
        assert feedback_logs.rows(tmp_path / "spark", table) == feedback_logs.rows(tmp_path / "duckdb", table)
    assert len(feedback_logs.rows(tmp_path / "spark", "outcomes")) > 20


def test_spark_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with (
        pytest.raises(ValueError, match=r"engine=spark needs pyspark; pip install 'tillside\[spark\]'"),
        open_mining(EngineName.spark, tmp_path, master="local[1]"),
    ):
        pass
