"""How Spark is started where a test holds it against DuckDB."""

import shutil

import pytest

QUICK = " ".join(
    (
        "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'",
        "--conf spark.sql.shuffle.partitions=1",
        "--conf spark.default.parallelism=1",
        "pyspark-shell",
    )
)
"""Java compiles in haste: its second compiler takes as long as all the rest, and has no time to be of use. A few rows
are not parted into two hundred."""


def quick_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Spark start for a small test, or skip it where there is none."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'tillside[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none on the path")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", QUICK)
