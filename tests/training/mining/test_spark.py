"""Mining on Spark, where it is installed, finds what DuckDB finds."""

import sys

import pytest

from training.mining.engines import open_mining
from training.settings.relate import EngineName


def test_spark_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with (
        pytest.raises(ValueError, match=r"engine=spark needs pyspark; pip install 'tillside\[spark\]'"),
        open_mining(EngineName.spark, tmp_path, master="local[1]"),
    ):
        pass
