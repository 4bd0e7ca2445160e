"""CPU cores usable by this process: its cgroup quota (v1 and v2) and affinity, not the host's core count.

A server that starts 64 workers, one per host core, inside a quota of two cores is throttled most of the time.
"""

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cores(*, cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Whole cores, at least 1: the minimum of the CPU affinity and every quota from this process's cgroup up."""
    cores = float(len(os.sched_getaffinity(0)))
    for folder in _groups(cgroups, membership):
        cores = min(cores, _quota_v2(folder / "cpu.max"), _quota_v1(folder))
    return max(1, math.floor(cores))


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
