"""Both OpenAPI documents against the running server, by schemathesis with every check on.

    python -m venv ENV && ENV/bin/pip install schemathesis
    python -m benchmarks.bundles --items 1000 --out runs/benchmarks/bundles --memory
    python -m benchmarks.documents --bundle runs/benchmarks/bundles/memory-1000 --schemathesis ENV/bin/schemathesis

Each document is tried with one seed after the other until so many cases were made.
"""

import argparse
import itertools
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.growing import publish
from benchmarks.results import RESULTS
from benchmarks.servers import ADMIN_TOKEN, tillside
from training.cli.console import say

SYSTEM: Final = "schemathesis"
NOTES: Final = (
    "schemathesis: both ports' OpenAPI documents, every check on, as schemathesis sets them; findings: unique "
    "failures and errors of all runs."
)
EXAMPLES: Final = 100
"""Most cases of an operation in one run of one phase."""


def findings_of(report: dict[str, Any]) -> tuple[int, int]:
    """Findings and cases of a run's JSON report; an operation that could not be tested is a finding."""
    cases = report["test_cases"]
    untested = report["operations"]["errored"] + len(report["errors"])
    return cases["unique_failures"] + untested, cases["generated"]


def tried(program: str, url: str, *, cases: int, log: Path, token: str | None = None) -> Counter[str]:
    """Findings and cases of runs on one document, until there are ``cases`` of them."""
    counts: Counter[str] = Counter()
    with log.open("w", encoding="utf-8") as file:
        for seed in itertools.count(1):
            report = log.with_suffix(f".{seed}.json")
            command = [program, "run", f"{url}/openapi.json", "--checks", "all"]
            command += ["--mode", "all", "--max-examples", str(EXAMPLES), "--continue-on-failure", "--no-color"]
            command += ["--seed", str(seed), "--generation-database", "none", "--report", "json"]
            command += ["--report-json-path", str(report.absolute())]
            command += ["-H", f"Authorization: Bearer {token}"] if token else []
            subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=log.parent, check=False)
            findings, made = findings_of(json.loads(report.read_text(encoding="utf-8")))
            counts.update(findings=findings, cases=made)
            say(f"{url}, seed {seed}: {findings} findings of {made} cases")
            if counts["cases"] >= cases or made == 0:
                return counts
    raise AssertionError("seeds do not end")


def main(arguments: Sequence[str] | None = None) -> None:
    """Try both documents, and write the rows into the result file."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.documents", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--policy", default="electronics")
    parser.add_argument("--schemathesis", required=True, metavar="PROGRAM", help="its command")
    parser.add_argument("--cases", type=int, default=5000, help="of each document, at least")
    parser.add_argument("--logs", type=Path, default=Path("runs/benchmarks/logs"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    given.logs.mkdir(parents=True, exist_ok=True)
    program = str(Path(given.schemathesis).absolute())
    counts: dict[str, Counter[str]] = {}
    for port in ("main", "admin"):  # a server each: what is put on the admin port would change the other's names
        with tempfile.TemporaryDirectory() as state:
            flags = ("--policy", given.policy, "--workers", "1", "--grace-seconds", "0", "--state", state)
            log = given.logs / f"documents-{port}-server.log"
            with tillside(given.bundle, log=log, flags=flags, admin=True) as server:
                url, token = (server.url, None) if port == "main" else (server.admin or "", ADMIN_TOKEN)
                log = given.logs / f"documents-{port}.log"
                counts[port] = tried(program, url, cases=given.cases, log=log, token=token)
    figures = {
        **{name: sum(each[name] for each in counts.values()) for name in ("findings", "cases")},
        **{f"cases_{port}": each["cases"] for port, each in counts.items()},
    }
    rows = [
        {"log": "synthetic", "system": SYSTEM, "metric": name, "value": float(value)} for name, value in figures.items()
    ]
    publish(rows, notes=NOTES, folder=given.results)


if __name__ == "__main__":
    main()
