"""What a server keeps of every feed and every reload: memory and open files over thousands of them.

    python -m benchmarks.bundles --items 100000 --out runs/benchmarks/bundles --memory
    python -m benchmarks.growing --bundle runs/benchmarks/bundles/memory-100000 --policy electronics

Each figure is the difference between the end and a tenth of the way, divided by the number of changes between, so that
what a first change costs once does not count. Nobody asks for recommendations meanwhile, so nothing else grows.
"""

import argparse
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.servers import ADMIN_TOKEN, Server, ask, children_of, tillside
from serving.bench.resident import resident_mb
from training.cli.console import say

NAME: Final = "robustness"
TITLE: Final = "What a server survives, and what it keeps"
NOTES: Final = (
    "put-N and reload-N: a server of N items with a policy; resident MB and open files that each PUT of 50 items, each "
    "reload leaves behind, from a tenth of the way to the end. w2: two workers and the supervisor together."
)
FEED_ITEMS: Final = 50
SETTLED: Final = 0.1
"""Share of the changes after which the first size is taken."""


def put_feed(server: Server, number: int, ids: Sequence[str]) -> None:
    """Put the stock of some items, others each time; of all items at first, as what a feed says is to be kept."""
    start = number * FEED_ITEMS % len(ids)
    named = ids[start : start + FEED_ITEMS] if number else ids
    rows = [{"item_id": item_id, "stock": number % 5} for item_id in named]
    body = json.dumps({"time_ms": int(time.time() * 1000), "items": rows}).encode()
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": "application/json"}
    assert server.admin is not None
    status, said = ask(urllib.request.Request(f"{server.admin}/v1/items", body, headers, method="PUT"))
    if status != 200:
        raise RuntimeError(f"PUT /v1/items answered {status}: {said}")


def reload(server: Server, number: int) -> None:
    """Load the bundle again."""
    status, said = server.post_admin("/v1/admin/reload", {})
    if status != 200:
        raise RuntimeError(f"reload answered {status}: {said}")


def open_files(pid: int) -> int:
    """Files that a process and its descendants hold open or mapped."""
    place = Path("/proc", str(pid))
    maps = sum("/" in line for line in (place / "maps").read_text(encoding="utf-8").splitlines())
    return maps + len(os.listdir(place / "fd")) + sum(map(open_files, children_of(pid)))


def growth(server: Server, change: Callable[[int], None], *, times: int) -> tuple[float, float]:
    """MB and files per change, between a tenth of the way and the end."""
    pid, settled = server.process.pid, max(1, int(times * SETTLED))
    first = 0.0, 0
    for number in range(times):
        if number == settled:
            first = resident_mb(pid), open_files(pid)
        change(number)
    return tuple((last - before) / (times - settled) for last, before in zip(_sizes(pid), first, strict=True))  # type: ignore[return-value]


def _sizes(pid: int) -> tuple[float, int]:
    return resident_mb(pid), open_files(pid)


def publish(fresh: Sequence[Mapping[str, Any]], *, folder: Path, notes: str = NOTES) -> None:
    """Replace the rows of the same systems in the result file, and keep all others; its notes are told there once."""
    file = folder / f"{NAME}.json"
    document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    systems = {row["system"] for row in fresh}
    kept = [row for row in read_rows(file) if row["system"] not in systems]
    told = document.get("notes", notes)
    told = told if notes in told else f"{told} {notes}"
    write_results(NAME, [*kept, *fresh], title=document.get("title", TITLE), notes=told, folder=folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure with one worker and with two, and write the result file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growing", description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--policy", default="electronics")
    parser.add_argument("--puts", type=int, default=2000)
    parser.add_argument("--reloads", type=int, default=200)
    parser.add_argument("--changes", nargs="+", choices=("put", "reload"), default=["put", "reload"])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    catalogue = json.loads((given.bundle / "catalogue" / "catalogue.json").read_text(encoding="utf-8"))
    ids = next(value for value in catalogue.values() if isinstance(value, list) and len(value) > FEED_ITEMS)
    size = f"{len(ids) // 1000}k" if len(ids) >= 1000 else str(len(ids))
    rows: list[dict[str, Any]] = []
    for workers in given.workers:
        flags = ("--policy", given.policy, "--workers", str(workers), "--grace-seconds", "0")
        with tempfile.TemporaryDirectory() as work:
            for what in given.changes:
                times = given.puts if what == "put" else given.reloads
                with tillside(given.bundle, log=Path(work) / f"{what}.log", flags=flags, admin=True) as server:
                    change = (
                        (lambda n, s=server: put_feed(s, n, ids))
                        if what == "put"
                        else (lambda n, s=server: reload(s, n))
                    )
                    megabytes, files = growth(server, change, times=times)
                system = f"{what}-{size}" if workers == 1 else f"{what}-{size}-w{workers}"
                say(f"{system}: {megabytes:.4f} MB, {files:.3f} files per {what}")
                figures = {f"mb_per_{what}": megabytes, f"files_per_{what}": files, f"{what}s": float(times)}
                rows += [
                    {"log": "synthetic", "system": system, "metric": name, "value": value}
                    for name, value in figures.items()
                ]
    publish(rows, folder=given.results)


if __name__ == "__main__":
    main()
