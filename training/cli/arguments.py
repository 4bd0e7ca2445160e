"""What is typed after a command's name, checked before anything is done: how it is written, and what was meant.

Surprising: a value goes through two readers, the shell and Hydra, and Hydra takes more characters for its own than a
newcomer expects; what it cannot read is answered with the same value quoted for both.
"""

import dataclasses
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from tillside.cli.likeness import did_you_mean, most_like
from training.cli.command_lines import AS_TYPED, BY_PATH
from training.cli.keys import Key

FLAGS: Final = (
    "-h", "--help", "--hydra-help", "--version", "-m", "--multirun", "-r", "--run", "-sc", "--shell-completion", "-i",
    "--info", "--resolve", "--experimental-rerun",
)  # fmt: skip
"""Hydra's flags, alone or with ``=``."""
FLAGS_OF_A_VALUE: Final = ("-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd",
                           "--config-dir", "--experimental-rerun", "-i", "--info")  # fmt: skip
"""Hydra's flags that may be followed by a value."""
INFOS: Final = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
OPEN: Final = ("mapping", "anything")
"""How the types begin of keys that take keys of their own."""
LIKE: Final = 0.6
"""Similarity (difflib's ratio) from which a name is offered instead of a mistyped one."""
LOOKED_INTO: Final = 2000
"""Maximum entries of folders looked at for data sets."""


@dataclasses.dataclass(frozen=True)
class Known:
    """What a command knows: its keys, and the groups it can choose."""

    command: str
    keys: Sequence[Key]
    groups: Sequence[Key]

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """Choices by group."""
        return {group.name: group.choices for group in self.groups}

    def find(self, name: str) -> Key | None:
        """The key of that name, or the one that takes keys of its own and is given one."""
        for key in self.keys:
            if name == key.name or (name.startswith(f"{key.name}.") and key.type.startswith(OPEN)):
                return key
        return None

    def is_part(self, name: str) -> bool:
        """Whether keys stand below the name, as below ``trainer``."""
        return any(key.name.startswith(f"{name}.") for key in self.keys) or name in self.choices

    def like(self, name: str) -> list[str]:
        """Keys that may have been meant: of the same last part, or else written alike, the likest first."""
        last = name.rpartition(".")[2]
        same = [key.name for key in self.keys if key.name.rpartition(".")[2] == last]
        if same:
            return same
        parents = sorted({key.name.rpartition(".")[0] for key in self.keys} - {""}) if "." not in name else []
        names = [key.name for key in self.keys] + [group for group in self.choices if "." not in group] + parents
        names = [each for each in names if not name.startswith(f"{each}.")]  # where it stands is no other name for it
        alike = most_like(name, names)
        if alike is not None:
            return [alike]
        lasts = {key.name.rpartition(".")[2]: key.name for key in reversed(self.keys)}
        alike = most_like(last, lasts)
        return [] if alike is None else [lasts[alike]]

    def below(self, name: str) -> list[str]:
        """Names allowed in the place of an unknown one."""
        parent = name.rpartition(".")[0]
        while parent and not self.is_part(parent):
            parent = parent.rpartition(".")[0]
        prefix = f"{parent}." if parent else ""
        inside = [key.name.removeprefix(prefix) for key in self.keys if key.name.startswith(prefix)]
        names = {each.partition(".")[0] for each in inside}
        return sorted(names | (set() if parent else set(self.choices)))


def check(known: Known, arguments: Sequence[str], *, several: bool) -> None:
    """Refuse arguments that cannot be meant as they are written.

    Args:
        several: whether a key may have several values, to try each (``-m``).

    Raises:
        ValueError: the sentence says how it is written, or what may have been meant.
    """
    before: str | None = None
    given = list(_without_flags(arguments, known))
    for place, argument in enumerate(given):
        key, equals, value = argument.partition("=")
        if argument[:1] in "'\"“”‘’":
            raise ValueError(
                f"a key cannot begin with a quote, as in {argument}; the shell has not taken the quotes away: write "
                f'double ones around key and value, as in "dataset=DIR"'
            )
        if not argument.startswith("~") and (not equals or not key):
            raise ValueError(_unwritten(known, argument, given[place + 1 :], before))
        if not argument.startswith("~"):
            _check_one(known, key.lstrip("+"), value, argument, several=several)
        before = argument


def groups_only(known: Known, arguments: Sequence[str]) -> list[str]:
    """The arguments that choose a group, as far as there is such a choice."""
    pairs = [(argument, *argument.partition("=")) for argument in arguments]
    return [argument for argument, key, _, value in pairs if value in known.choices.get(key, ())]


def take_action(arguments: list[str], actions: Sequence[str], *, of: str) -> None:
    """Write the first argument, if it is an action's name, as the key ``do=`` that it is short for.

    Args:
        arguments: without the command's name; changed in place.
        of: what the actions are done to, in words.

    Raises:
        ValueError: it is a word, and no action.
    """
    first = arguments[0] if arguments else ""
    if first in actions:
        arguments[0] = f"do={first}"
    elif first.isalpha():
        meant = did_you_mean(first, actions, alike=LIKE, before="; ")
        raise ValueError(f"'{first}' is nothing to do with {of}{meant}; there are {', '.join(actions)}")


def written(key: str, value: str) -> str:
    """``key=value`` as it is typed in a shell, with the value quoted for Hydra where it needs that."""
    for each in (value, '"' + re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + (found[2] and '\\"'), value) + '"'):
        try:
            override = parse(f"{key}={each}")
        except HydraException:
            continue
        if not override.is_sweep_override() and str(override.value()) == value:
            return shlex.quote(f"{key}={each}")
    return shlex.quote(f"{key}={value}")


def parse(argument: str) -> Override:
    """An override as Hydra reads it.

    Raises:
        HydraException: it cannot.
    """
    return OverridesParser.create().parse_override(argument)


def datasets_here(folder: Path) -> list[Path]:
    """Prepared data sets in the folder, at most two levels down; the newest first."""
    found: list[tuple[float, Path]] = []
    left, places = LOOKED_INTO, [(folder, 0)]
    for place, depth in places:
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    left -= 1
                    if entry.name == "dataset.json" and place != folder:
                        found.append((entry.stat().st_mtime, place.relative_to(folder)))
                    elif depth < 2 and not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                        places.append((Path(entry.path), depth + 1))
        except OSError:
            continue
        if left <= 0:
            break
    return [path for _, path in sorted(found, reverse=True)]


def _without_flags(arguments: Sequence[str], known: Known) -> Iterator[str]:
    """Arguments that are not Hydra's flags or a flag's value."""
    flag = ""
    for place, argument in enumerate(arguments):
        takes, flag = flag, ""
        if not argument.startswith("-"):
            if not takes or "=" in argument or (takes in ("-i", "--info") and argument not in INFOS):
                yield argument
            continue
        name, equals, value = argument.partition("=")
        if name in FLAGS or name in FLAGS_OF_A_VALUE:
            flag = name if name in FLAGS_OF_A_VALUE and not equals else ""
            continue
        word = name.lstrip("-").replace("-", "_")
        after = arguments[place + 1] if place + 1 < len(arguments) and "=" not in arguments[place + 1] else "VALUE"
        flags = [each for each in (*FLAGS, *FLAGS_OF_A_VALUE) if each.startswith("--")]
        hint = did_you_mean(name, flags, alike=LIKE, before="; ")
        key = word if known.find(word) or word in known.choices else next(iter(known.like(word)), None)
        if key is not None:
            hint = f"; keys are written without dashes: {written(key, value if equals else after)}"
        raise ValueError(f"{name} is not a flag of {known.command}{hint or '; keys are written as KEY=VALUE'}")


def _unwritten(known: Known, argument: str, rest: Sequence[str], before: str | None) -> str:
    """The sentence about an argument without ``=``, or without a key before it."""
    word, _, after = argument.rstrip("=").partition(":")
    key = word if known.find(word) or word in known.choices else next(iter(known.like(word)), None)
    if word and key is not None:
        follow = [each for each in rest[:2] if "=" not in each.strip("=")] if not after else []
        follow = follow[: 2 if follow[:1] == ["="] else 1]
        value = after or "".join(follow).lstrip("=") or "VALUE"
        said = " ".join([argument, *follow])
        return f"{said}: a key and its value are written in one word with =, as in {written(key, value)}"
    if before is not None and "=" in before and argument != "=":
        name, _, value = before.partition("=")
        return (
            f"{argument} is not KEY=VALUE; where it belongs to {before}, quote the whole: "
            f"{written(name, f'{value} {argument}')}"
        )
    if (place := Path(argument)).exists() and argument:
        names = [key.name for key in known.keys if key.default is None] or ["dataset"]
        name = "dataset" if (place / "dataset.json").is_file() else names[0]
        return f"{argument} is not KEY=VALUE; where a key is meant, write {written(name, argument)}"
    return f"{argument} is not KEY=VALUE, as in seed=1; python -m training.{known.command} --help lists the keys"


def _check_one(known: Known, name: str, value: str, argument: str, *, several: bool) -> None:
    if name.startswith(("hydra.", "hydra/")) or "@" in name or "/" in name:
        return
    key = _need_known(known, name)
    if name in BY_PATH or name in AS_TYPED:
        return
    try:
        override = parse(argument)
    except HydraException:
        raise ValueError(
            f"{name}: its value {value} has characters that mean something to Hydra; quote it for the shell and for "
            f"Hydra: {written(name, value)}"
        ) from None
    if override.is_sweep_override():
        if not several:
            raise ValueError(
                f"{argument} gives several values: one is taken, or each is tried with -m; a list is written "
                f"{shlex.quote(f'{name}=[{value}]')}, a text {written(name, value)}"
            )
        return
    meant = override.value()
    if isinstance(meant, dict) and key is None:
        for part in meant:
            _need_known(known, f"{name}.{part}")
    choices = known.choices.get(name) if isinstance(meant, str) else None
    if choices is None and key is not None:
        choices = key.choices
    for word in meant if isinstance(meant, list) else [meant]:
        if choices and isinstance(word, str) and word not in choices:
            hint = did_you_mean(word, choices, alike=LIKE, before="; ")
            raise ValueError(f"{name}={word} is not a choice{hint or ';'} allowed: {', '.join(choices)}")


def _need_known(known: Known, name: str) -> Key | None:
    """The key of that name; None for a group or what keys stand below.

    Raises:
        ValueError: there is no such name.
    """
    key = known.find(name)
    if key is None and not known.is_part(name):
        alike = known.like(name)
        hint = f"; did you mean {' or '.join(alike)}?" if alike else ";"
        allowed = ", ".join(known.below(name))
        raise ValueError(f"{name} is not a key of {known.command}{hint} allowed here: {allowed}")
    return key
