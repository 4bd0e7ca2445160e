"""What another policy makes of a log's answers, as the server's own code says.

That is ``serving.feedback.retrace``, in a process of its own, since training never imports the server.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tillside.cli.modules import module_command

MODULE: Final = "serving.feedback.retrace"
ERROR: Final = "error: "


@dataclass
class Retracing:
    """Asks a log's answers again.

    Args:
        feedback: feedback folder with exposures that kept their requests.
        items_feed: of the shop; None for what the bundle knows.

    Attributes:
        left: answers that could not be asked, by reason; whole once the lines are read.
        versions: of policy and bundle, likewise.
    """

    feedback: Path
    bundle: Path
    policy: str
    items_feed: Path | None = None
    left: Mapping[str, int] = field(default_factory=dict, init=False)
    versions: Mapping[str, str] = field(default_factory=dict, init=False)

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """A line for each answer, with the fields of ``serving.feedback.retrace.Line``.

        Raises:
            ValueError: bundle or policy are refused, or the server's packages are not installed.
        """
        feed = [] if self.items_feed is None else ["--items-feed", str(self.items_feed)]
        given = [str(self.feedback), "--bundle", str(self.bundle), "--policy", self.policy, *feed]
        command = module_command(MODULE, *given)
        with tempfile.TemporaryFile("w+b") as told:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told) as process:
                assert process.stdout is not None
                try:
                    for record in process.stdout:
                        line = json.loads(record)
                        if "left" in line:
                            self.left = line.pop("left")
                            self.versions = line
                        else:
                            yield line
                    status = process.wait()
                finally:
                    process.kill()
            if status:
                told.seek(0)
                raise ValueError(_why(told.read().decode(errors="replace")))


def _why(told: str) -> str:
    """The sentence in which a process ended."""
    lines = told.strip().splitlines() or ["it said nothing"]
    for number, line in enumerate(lines):
        if line.startswith(ERROR):
            return "\n".join([line.removeprefix(ERROR), *lines[number + 1 :]])
    return f"{MODULE} failed: {lines[-1]}"
