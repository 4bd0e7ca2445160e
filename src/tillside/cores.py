"""CPU cores usable by this process, those that stand idle, and how the libraries' threads share them.

Usable is what cgroup quota (v1 and v2) and affinity leave, not the host's core count: 64 workers or threads, one per
host core, are throttled most of the time inside a quota of two. Surprising: libgomp's threads wait actively by default.
Beside one other busy process they then burn the core that the last of them waits for, and training on two threads runs
at a hundredth of its speed; so waiting is made passive. OpenBLAS, under numpy, waits actively whatever it is told, for
products that take less time than the waiting, so it gets one thread.

:func:`share_cores` must run before torch, numpy, faiss or scikit-learn are imported: they read the environment once.
"""

import math
import os
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
STAT = Path("/proc/stat")
THREADS: Final = "OMP_NUM_THREADS"
OURS: Final = "TILLSIDE_OMP_NUM_THREADS"
"""Marks the value of THREADS that tillside set, which a child process may set anew; a user's own stands."""
PASSIVE: Final = {
    "OMP_WAIT_POLICY": "PASSIVE",  # libgomp, of torch, faiss and scikit-learn
    "KMP_BLOCKTIME": "0",  # Intel's and LLVM's OpenMP, of other builds of torch
    "OPENBLAS_NUM_THREADS": "1",
}


def share_cores(threads: int | None = None, *, environment: MutableMapping[str, str] = os.environ) -> None:
    """Make threads wait passively and limit OpenMP to ``threads``, by default the usable cores; what a user set stands.

    Affects libraries imported afterwards, and child processes.
    """
    for name, value in PASSIVE.items():
        environment.setdefault(name, value)
    if threads_of_user(environment) is None:
        environment[THREADS] = environment[OURS] = str(threads or usable_cores())


def threads_of_user(environment: MutableMapping[str, str] = os.environ) -> int | None:
    """The user's own OMP_NUM_THREADS (or torchrun's); None if it is not set, is no number, or is tillside's."""
    given = environment.get(THREADS, "")
    if given == environment.get(OURS):
        return None
    first = given.partition(",")[0].strip()  # a list has a number for each level of nesting
    return int(first) if first.isdigit() and int(first) else None


def usable_cores(*, cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Whole cores, at least 1: the minimum of the CPU affinity and every quota from this process's cgroup up."""
    cores = float(len(os.sched_getaffinity(0)))
    for folder in _groups(cgroups, membership):
        cores = min(cores, _quota_v2(folder / "cpu.max"), _quota_v1(folder))
    return max(1, math.floor(cores))


def idle_cores(seconds: float = 0.2, *, stat: Path = STAT) -> int:
    """Usable cores that nothing else keeps busy, at least 1, watched for ``seconds`` in which the caller sleeps.

    Unknown load, where the kernel does not tell it, counts as none.
    """
    most, own = usable_cores(), {f"cpu{core}" for core in os.sched_getaffinity(0)}
    before = _idle(stat, own)
    time.sleep(seconds)
    after = _idle(stat, own)
    idle = [
        (after[core][0] - before[core][0]) / passed
        for core in before.keys() & after.keys()
        if (passed := after[core][1] - before[core][1]) > 0
    ]
    return max(1, min(most, round(sum(idle)))) if idle else most


def _idle(stat: Path, cores: set[str]) -> dict[str, tuple[int, int]]:
    """Idle (and waiting for I/O) and all ticks since boot, by core."""
    found = {}
    for line in _read(stat).splitlines():
        name, *ticks = line.split()
        if name in cores and len(ticks) >= 8 and all(tick.isdigit() for tick in ticks):
            user, nice, system, idle, iowait, *others = map(int, ticks[:8])
            found[name] = (idle + iowait, user + nice + system + idle + iowait + sum(others))
    return found


def _groups(cgroups: Path, membership: Path) -> set[Path]:
    """Cgroup folders that may hold a quota; in a container the mounted root is the container's own cgroup."""
    folders = {cgroups, cgroups / "cpu", cgroups / "cpu,cpuacct"}
    for line in _read(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        for root in (cgroups,) if not controllers else (cgroups / "cpu", cgroups / controllers):
            group = root / path.strip("/")
            folders.update(folder for folder in (group, *group.parents) if folder.is_relative_to(root))
    return folders


def _quota_v2(file: Path) -> float:
    quota, _, period = _read(file).strip().partition(" ")
    return _share(quota, period)


def _quota_v1(folder: Path) -> float:
    return _share(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip())


def _share(quota: str, period: str) -> float:
    """Quota in cores; infinity if unlimited ("max" or -1)."""
    if not quota.isdigit() or not period.isdigit() or not int(period):
        return math.inf
    return int(quota) / int(period)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
