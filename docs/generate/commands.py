"""The reference of commands: each one's keys, with type, default and meaning, read off the config dataclasses.

Surprising: a command is what has both a module at the top of ``training`` and a config of its name.
"""

import ast
import importlib
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from docs.generate.tables import NOTE, code, table
from training.cli.command import config_directory
from training.cli.keys import Key, describe, groups_of
from training.data.readers import READERS
from training.settings.sweep import SweepConfig

ORDER = (
    "simulate",
    "prepare",
    "relate",
    "train",
    "evaluate",
    "policy",
    "experiment",
    "weigh",
    "export",
    "promote",
    "retrain",
    "backtest",
    "send",
)
"""Commands in the order of their stages; one that is not here comes last."""
HEAD = ("key", "type", "default", "meaning")
SHARED = ("model", "loss", "optimizer", "trainer", "tracking", "data", "split")
"""Groups of keys that several commands have; each is told once, below the commands."""


def commands() -> list[str]:
    """Names of the commands that take keys."""
    names = {path.stem for path in config_directory().glob("*.yaml")}
    return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def schema_of(command: str) -> type:
    """The dataclass of a command's config, whose module is imported for it to be registered."""
    importlib.import_module(f"training.{command}")
    found = OmegaConf.get_type(ConfigStore.instance().load(f"{command}_schema.yaml").node)
    assert isinstance(found, type)
    return found


def commands_page() -> str:
    """The page, as Markdown."""
    shared: dict[str, list[Key]] = {}
    lines = [
        NOTE,
        "",
        "# Commands and keys",
        "",
        "Every command is typed `python -m training.NAME key=value ...`, with lists as `'key=[a,b]'` and nothing as",
        "`key=null`; `--cfg job` prints the whole config. A key without a default must be given.",
        "",
    ]
    for command in commands():
        schema = schema_of(command)
        keys = describe(schema)
        own = [key for key in keys if key.name.partition(".")[0] not in SHARED or "." not in key.name]
        for key in keys:
            group = key.name.partition(".")[0]
            if key not in own and group != "data" and key.name not in {each.name for each in shared.get(group, [])}:
                shared.setdefault(group, []).append(key)
        used = dict.fromkeys(key.name.partition(".")[0] for key in keys if key not in own)
        lines += [f"## {command}", "", _summary(command), "", "```sh", _usage(command, own), "```", ""]
        lines += [*table(HEAD, map(_row, own)), ""] if own else []
        choices = {key.name: key for key in groups_of(schema, config_directory())}
        for group in used:
            lines += [_group_line(command, group, choices.get(group)), ""]
    lines += ["## Shared keys", ""]
    for group, keys in shared.items():
        lines += [f"### {group}", "", *table(HEAD, map(_row, keys)), ""]
        lines += _files(group)
    lines += ["### sweep", "", "With `-m`, of `training.train` alone.", ""]
    lines += [*table(HEAD, map(_row, describe(SweepConfig, "sweep."))), "", *_files("sweep"), "## Kinds of log", ""]
    for reader in READERS:
        lines += [f"### data={reader.name}", "", _comment(config_directory() / f"data/{reader.name}.yaml"), ""]
        lines += [*table(HEAD, map(_row, describe(reader, "data."))), ""]
    return "\n".join(lines).rstrip() + "\n"


def _row(key: Key) -> list[str]:
    kind = f"{key.type}: {', '.join(map(code, key.choices))}" if key.choices else key.type
    return [code(key.name), kind, "" if key.default is None else code(key.default), key.doc]


def _usage(command: str, keys: list[Key]) -> str:
    needed = [f"{key.name}={key.name.upper()}" for key in keys if key.default is None]
    return " ".join([f"python -m training.{command}", *needed])


def _summary(command: str) -> str:
    """First paragraph of the module's docstring."""
    source = (Path(importlib.import_module(f"training.{command}").__file__ or "")).read_text(encoding="utf-8")
    return " ".join((ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0].replace("``", "`").split())


def _group_line(command: str, group: str, choice: Key | None) -> str:
    if group == "data":
        return f"`data=` names the kind of log: {', '.join(f'[{r.name}](#data{r.name})' for r in READERS)}."
    line = f"[`{group}.*`](#{group})"
    if choice is not None:
        default = _composed(command).get(group)
        named = ", ".join(f"`{name}`{' (default)' if name == default else ''}" for name in choice.choices)
        line += f"; `{group}=` takes one of {named}"
    return f"And the keys {line}."


def _composed(command: str) -> dict[str, str]:
    """Group to the file that the command's YAML chooses."""
    chosen = yaml.safe_load((config_directory() / f"{command}.yaml").read_text(encoding="utf-8"))["defaults"]
    return {key: name for each in chosen if isinstance(each, dict) for key, name in each.items()}


def _files(group: str) -> list[str]:
    """What each file of a group sets."""
    lines: list[str] = []
    for path in sorted((config_directory() / group).glob("*.yaml")):
        values = {
            key: value for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items() if key != "defaults"
        }
        told = ", ".join(f"`{name}={_short(value)}`" for name, value in _flat(values))
        lines.append(f"- `{group}={path.stem}`{': ' + told if told else ''}. {_comment(path)}".rstrip())
    return [*lines, ""] if lines else []


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in values.items():
        pairs += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return pairs


def _short(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _comment(path: Path) -> str:
    """The comment at the head of a YAML file, commands and remarks about where keys stand left out."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.removeprefix("#")
        if not text.startswith(("   ", " @", " python -m", " Every key")):
            lines.append(text.strip())
    return " ".join(lines)
