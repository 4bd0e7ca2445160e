"""The form of a benchmark's result: ``NAME.json`` for tests and tools, ``NAME.md`` made from it for people."""

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tillside.atomic import write_text_atomically
from training.tracking import git_state

RESULTS = Path(__file__).parent / "results"


def write_results(name: str, rows: Sequence[Mapping[str, Any]], *, title: str, notes: str) -> None:
    """Write both files of one benchmark, overwriting them.

    Args:
        rows: one figure each: log, system, metric, value, and low, high, seeds and more where they apply.
    """
    document = {
        "name": name,
        "title": title,
        "command": shlex.join(["python", "-m", "benchmarks." + Path(sys.argv[0]).stem, *sys.argv[1:]]),
        "date": date.today().isoformat(),
        "machine": machine(),
        "commit": git_state().get("commit", "unknown"),
        "notes": notes,
        "rows": list(rows),
    }
    RESULTS.mkdir(exist_ok=True)
    write_text_atomically(RESULTS / f"{name}.json", json.dumps(document, indent=1) + "\n")
    write_text_atomically(RESULTS / f"{name}.md", markdown(document))


def markdown(document: Mapping[str, Any]) -> str:
    """A table with a line for each system, of each log where there are several, and a column for each metric."""
    rows = document["rows"]
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    keys = list(dict.fromkeys((row["log"], row["system"]) for row in rows))
    several = len({log for log, _ in keys}) > 1
    cells = {(row["log"], row["system"], row["metric"]): _cell(row) for row in rows}
    lines = [
        f"# {document['title']}",
        "",
        f"`{document['command']}`, {document['date']}, {document['machine']}, commit {document['commit'][:10]}.",
        "",
        document["notes"],
        "",
        ("| log " if several else "") + "| system | " + " | ".join(metrics) + " |",
        ("| --- " if several else "") + "| --- |" + " ---: |" * len(metrics),
    ]
    for log, system in keys:
        figures = " | ".join(cells.get((log, system, metric), "") for metric in metrics)
        lines.append((f"| {log} " if several else "") + f"| {system} | {figures} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Processor, cores, memory and Python of this machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def _cell(row: Mapping[str, Any]) -> str:
    value = row["value"]
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"
    return f"{text} [{row['low']:.4f}, {row['high']:.4f}]" if "low" in row else text
