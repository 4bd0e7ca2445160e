"""A small process between a benchmark and a stage: ``python benchmarks/alone.py COST_FILE COMMAND ...``.

Linux hands the peak memory of a process on to the program that it becomes, so a stage that a large process starts would
seem at least as large. This one is small; it ends with the stage's code and leaves its peak, in KiB, and its processor
seconds in a file.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path


def main(cost_file: str, *command: str) -> int:
    """Run the command; its exit code, or 128 and the number of the signal that ended it."""
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    _, status, usage = os.wait4(process.pid, 0)
    Path(cost_file).write_text(f"{usage.ru_maxrss} {usage.ru_utime + usage.ru_stime}", encoding="utf-8")
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
