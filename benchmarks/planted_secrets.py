"""Secrets planted wherever one can be given, and searched in everything that comes out: the tests that do so, counted.

python -m benchmarks.planted_secrets
"""

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.growing import publish
from benchmarks.results import RESULTS, ROOT
from training.cli.console import say

SYSTEM: Final = "secrets"
NOTES: Final = (
    "secrets: scenes of the planted-secret tests, and those of them in which the secret was found, or that failed."
)
SCENES: Final = ("tests/contracts/test_planted_secrets.py",)


def counted(report: Path) -> tuple[int, int]:
    """Scenes of a JUnit report, and those that failed.

    Raises:
        ValueError: it has none, or some were left out.
    """
    cases = list(ElementTree.parse(report).iter("testcase"))
    if not cases or any(case.find("skipped") is not None for case in cases):
        raise ValueError(f"{report}: scenes are missing")
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return len(cases), len(failed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the scenes, and write the rows into the result file."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.planted_secrets",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *SCENES],
            cwd=ROOT,
            check=False,
        )
        scenes, found = counted(report)
    say(f"{found} finds in {scenes} scenes")
    figures = {"found": found, "scenes": scenes}
    rows = [
        {"log": "planted", "system": SYSTEM, "metric": name, "value": float(value)} for name, value in figures.items()
    ]
    publish(rows, notes=NOTES, folder=given.results)


if __name__ == "__main__":
    main()
