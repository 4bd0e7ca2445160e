"""``--help`` of a command: what it does, then every group and key on a line of its own.

Where the output is a terminal, lines are wrapped to its width; in a pipe each key stays on one line, so that it can be
searched for.
"""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from training.cli.keys import Key

FLAGS: Final = (
    ("--help", "these lines; with a group, as in data=rees46 --help, the keys of that choice"),
    ("--cfg job", "print the config that would be used, and stop"),
    ("-m", "try every combination of several values, as in seed=1,2"),
)


def help_text(doc: str, groups: Sequence[Key], keys: Sequence[Key], *, width: int | None) -> str:
    """The text of ``--help``.

    Args:
        doc: the docstring of the command's module.
        width: maximum characters of a line; None for no limit.
    """
    lines = [doc.replace("``", "").strip()]
    if groups:
        lines += ["", "Groups, chosen by name; each sets the keys below that begin with its name:"]
        lines += _aligned([(f"{each.name}=", _choice(each)) for each in groups], width)
    ordered = sorted(keys, key=lambda key: "." in key.name)
    for name, inside in groupby(ordered, key=lambda key: key.name.partition(".")[0] if "." in key.name else ""):
        lines += ["", f"Keys of {name}:" if name else "Keys, written as KEY=VALUE:"]
        lines += _aligned([(each.name, _meaning(each)) for each in inside], width)
    flags = FLAGS if any(group.name == "sweep" for group in groups) else FLAGS[:-1]
    lines += ["", "Flags:", *_aligned(flags, width)]
    return "\n".join(lines)


def terminal_width() -> int | None:
    """Width of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _choice(group: Key) -> str:
    default = f" (default {group.default})" if group.default else ""
    return f"{', '.join(group.choices)}{default}  {group.line}".rstrip()


def _meaning(key: Key) -> str:
    names = "|".join(key.choices)
    kind = key.type.replace("names", names).replace("name", names) if names else key.type
    default = "must be given" if key.default is None else "default " + (key.default or "''")
    return f"{kind}, {default}.  {key.line}".rstrip()


def _aligned(rows: Sequence[tuple[str, str]], width: int | None) -> list[str]:
    left = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{left}}  {text}" for name, text in rows]
    if width is None:
        return lines
    indent = " " * min(left + 4, width // 3)
    return [
        textwrap.fill(
            line, max(width - 1, 40), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in lines
    ]
