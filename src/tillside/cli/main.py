"""The command ``tillside NAME ...``: runs the module of that name as ``python -m`` would, without the working folder.

Surprising: nothing of training or serving is imported before the name is known, and nothing heavy ever, so that help,
version and mistyped names answer at once; modules are named by strings, since the shared room may import neither.
Processes that libraries start (Lightning's for further devices) inherit PYTHONSAFEPATH, which is ``python -P``.
"""

import os
import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tillside import __version__
from tillside.cli.extras import require
from tillside.cli.likeness import did_you_mean
from tillside.cli.modules import refuse_stranger


@dataclass(frozen=True)
class Command:
    """A command: the module that it runs, the extra that the module needs, and what it gives, in a line."""

    module: str
    extra: str
    gives: str


COMMANDS: Final = {
    "demo": Command("training.demo", "train", "the whole way on a simulated shop, from a log to answers over HTTP"),
    "simulate": Command("training.simulate", "train", "a shop with known truth: events, items, truth/"),
    "prepare": Command("training.prepare", "train", "a raw log to a data set"),
    "relate": Command("training.relate", "train", "what goes with what: relations of a data set"),
    "train": Command("training.train", "train", "a data set to a run: model, metrics, figures, bundle"),
    "evaluate": Command("training.evaluate", "train", "metrics of a run, a bundle, a policy or baselines"),
    "policy": Command("training.policy", "train", "check a policy file, see what it shows, compare two"),
    "experiment": Command("training.experiment", "train", "experiments on live shoppers: check, plan, read"),
    "weigh": Command("training.weigh", "train", "a policy's weights, learned on validation"),
    "export": Command("training.export", "train", "a run to a bundle, if torch and onnxruntime agree"),
    "promote": Command("training.promote", "train", "a registered version to champion, or the reason against it"),
    "retrain": Command("training.retrain", "train", "a run that goes on from the champion with a newer log"),
    "backtest": Command("training.backtest", "train", "quality by age of the model, over several windows"),
    "measure": Command("training.measure", "train", "what came of the answers: outcomes, orders, effects, a page"),
    "send": Command("training.send", "train", "what MLflow missed of a run while it was away"),
    "collect": Command("serving.collector", "serve", "the shop's events, each kept once: seen, clicked, bought"),
    "serve": Command("serving", "serve", "a bundle to answers over HTTP"),
    "bench": Command("serving.bench", "serve", "load on a running server, and its latencies"),
}
"""By name, in the order of the work."""
HELP: Final = ("help", "-h", "--help")
VERSION: Final = ("version", "-V", "--version")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that ``arguments`` (default: what was typed) begin with.

    Raises:
        SystemExit: there is no such command, or it cannot run in this installation: one sentence on stderr, exit
            code 2.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    if typed[:1] == ["help"] and len(typed) > 1:
        typed = [*typed[1:], "--help"]
    if not typed:
        print(overview(), file=sys.stderr)
        sys.exit(2)
    name, *rest = typed
    if name in HELP:
        print(overview())
    elif name in VERSION:
        print(f"tillside {__version__}")
    elif name in COMMANDS:
        run(name, rest)
    else:
        sys.exit(_failed(unknown(name)))


def run(name: str, arguments: Sequence[str]) -> None:
    """Run a command of COMMANDS in this process, as its main module."""
    command = COMMANDS[name]
    try:
        refuse_stranger(command.module)
    except ValueError as error:
        sys.exit(_failed(str(error)))
    require(command.extra, asked=f"tillside {name}")
    os.environ["PYTHONSAFEPATH"] = "1"
    sys.argv = [f"tillside {name}", *arguments]
    runpy.run_module(command.module, run_name="__main__", alter_sys=True)


def overview() -> str:
    """Help text: every command in a line."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.gives}" for name, command in COMMANDS.items()]
    return "\n".join(
        (
            "usage: tillside COMMAND [ARGUMENT ...]",
            "",
            "Next-item recommendation for shops: from a raw log to answers over HTTP.",
            "",
            *lines,
            "",
            "tillside COMMAND --help says what it takes; tillside --version which version this is.",
        )
    )


def unknown(name: str) -> str:
    """Sentence for a word that is no command."""
    plain = name.removeprefix("training.").removeprefix("serving.")
    meant = did_you_mean(plain, COMMANDS, before="; ") or "."
    return f"'{name}' is no command of tillside{meant} There are: {', '.join(COMMANDS)}"


def _failed(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
