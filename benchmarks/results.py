"""Result files of a benchmark: ``NAME.json`` for tests and tools, ``NAME.md`` rendered from it for people."""

import json
import math
import os
import platform
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from tillside.atomic import write_text_atomically
from training.tracking.git import git_state

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
SIGNIFICANT: Final = 6
"""Significant digits that a figure keeps."""
BOUNDS: Final = {">": "more than", "<": "less than"}
"""How a figure is told that is only a bound: one of a measurement that was ended."""
ORIGIN = ("command", "date", "machine", "commit")
"""Provenance of a figure: fields of the document, and of a row that another command measured."""


def write_results(
    name: str, rows: Sequence[Mapping[str, Any]], *, title: str, notes: str, folder: Path | None = None
) -> None:
    """Write both files of one benchmark, overwriting them; figures are rounded, and no path of this machine goes in.

    Args:
        rows: one figure each: log, system, metric, value, and low, high, bound (of BOUNDS), seeds and more where they
            apply; the fields of ORIGIN too, where another command measured the figure.
        folder: benchmarks/results by default.
    """
    document: dict[str, Any] = {
        "name": name,
        "title": title,
        "command": portable_command(Path(sys.argv[0]).stem, sys.argv[1:]),
        "date": date.today().isoformat(),
        "machine": machine(),
        "commit": git_state().get("commit", "unknown"),
        "notes": notes,
        "rows": list(rows),
    }
    document = _published(document)
    folder = folder or RESULTS
    folder.mkdir(exist_ok=True)
    write_text_atomically(folder / f"{name}.json", as_json(document))
    write_text_atomically(folder / f"{name}.md", markdown(document))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a result file, each with the command, date, machine and commit that it was measured with.

    A missing file has none.
    """
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    return [{name: document[name] for name in ORIGIN} | row for row in document["rows"]]


def markdown(document: Mapping[str, Any]) -> str:
    """The document as Markdown: a table with a row per system and a column per metric.

    With several logs a column names the log; the metrics BEHAVIOUR/METRIC of each behaviour have a table of their own.
    """
    rows = document["rows"]
    several = len({row["log"] for row in rows}) > 1
    lines = [f"# {document['title']}", "", _measured(document), "", document["notes"]]
    for part in dict.fromkeys(row["metric"].rpartition("/")[0] for row in rows):
        own = [row for row in rows if row["metric"].rpartition("/")[0] == part]
        metrics = list(dict.fromkeys(row["metric"] for row in own))
        keys = list(dict.fromkeys((row["log"], row["system"]) for row in own))
        cells = {(row["log"], row["system"], row["metric"]): _cell(row) for row in own}
        lines += ["", *([f"## {part}", ""] if part else [])]
        titles = ["log", "system"] if several else ["system"]
        lines += ["| " + " | ".join([*titles, *(metric.rpartition("/")[2] for metric in metrics)]) + " |"]
        lines += ["| --- " * len(titles) + "|" + " ---: |" * len(metrics)]
        for log, system in keys:
            figures = [cells.get((log, system, metric), "") for metric in metrics]
            lines.append("| " + " | ".join([*([log] if several else []), system, *figures]) + " |")
    apart: dict[str, list[str]] = {}
    for row in rows:
        if "command" in row and row["system"] not in apart.setdefault(_measured(row), []):
            apart[_measured(row)].append(row["system"])
    if apart:
        lines += ["", "Measured apart:", "", *(f"- {', '.join(systems)}: {how}" for how, systems in apart.items())]
    return "\n".join(lines) + "\n"


def as_json(document: Mapping[str, Any]) -> str:
    """The document as JSON with each row on a line of its own, so that a diff shows which figures changed."""
    head = json.dumps({key: value for key, value in document.items() if key != "rows"}, indent=1).removesuffix("\n}")
    rows = ",\n".join(f"  {json.dumps(row)}" for row in document["rows"])
    return f'{head},\n "rows": [\n{rows}\n ]\n}}\n'


def portable_command(benchmark: str, arguments: Sequence[str]) -> str:
    """The command line of a benchmark without the paths of this machine.

    A path inside the repository is given relative to its root; any other becomes the name of its option in capitals:
    ``--data DATA``. So does a URL, which names a host.
    """
    words, name = [], "path"
    for argument in arguments:
        key, equals, value = argument.rpartition("=")
        if re.match("--?[a-z]", argument):
            name = (key or argument).lstrip("-")
        is_flag = argument.startswith("-") and not equals
        words.append(argument if is_flag else key + equals + _portable(value, key.lstrip("-") or name))
    return shlex.join(["python", "-m", f"benchmarks.{benchmark}", *words])


def machine() -> str:
    """Processor, cores, memory and Python of this machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    limit = f", OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}" if "OMP_NUM_THREADS" in os.environ else ""
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}{limit}"


def _portable(value: str, name: str) -> str:
    """An argument's value, or its option's name in capitals if it leads out of the repository."""
    is_url = ":/" in value
    if not (is_url or value.startswith("/") or ".." in Path(value).parts):
        return value
    path = Path(value).resolve()
    if path.is_relative_to(ROOT) and not is_url:
        return path.relative_to(ROOT).as_posix()
    return name.upper().replace("-", "_")


def _published(value: Any) -> Any:
    """The value with all figures in it rounded and this machine's folders removed from all texts."""
    if isinstance(value, Mapping):
        return {key: _published(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_published(each) for each in value]
    if isinstance(value, str):
        text = value.replace(f"{ROOT}/", "")
        for place, name in ((tempfile.gettempdir(), "TMP"), (str(Path.home()), "HOME")):
            text = re.sub(rf"(?<![\w/.-]){re.escape(place)}/[^\s\"'`,;)]*", name, text)
        return text
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float) -> float:
    """Round to SIGNIFICANT digits, but never coarser than whole units: counts stay exact."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, max(0, SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))))


def _measured(document: Mapping[str, Any]) -> str:
    return f"`{document['command']}`, {document['date']}, {document['machine']}, commit {document['commit'][:10]}."


def _cell(row: Mapping[str, Any]) -> str:
    value = row["value"]
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"
    if "bound" in row:
        return f"{BOUNDS[row['bound']]} {text}"
    return f"{text} [{row['low']:.4f}, {row['high']:.4f}]" if "low" in row else text
