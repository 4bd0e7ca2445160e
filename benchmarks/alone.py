"""A small parent process between a benchmark and a stage: ``python benchmarks/alone.py COST_FILE COMMAND ...``.

Linux keeps a process's peak RSS across ``exec``, so a stage that a large process starts would seem at least as large.
This one is small; it exits with the stage's code and writes the stage's peak RSS in KiB and CPU seconds to COST_FILE.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path


def main(cost_file: str, *command: str) -> int:
    """Run the command; returns its exit code, or 128 + the number of the signal that ended it."""
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    _, status, usage = os.wait4(process.pid, 0)
    Path(cost_file).write_text(f"{usage.ru_maxrss} {usage.ru_utime + usage.ru_stime}", encoding="utf-8")
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
