"""Hydra's part of a command: its config composed of YAML, dataclasses and overrides, with errors as one sentence.

Surprising: ``policy=FILE`` and ``rules=FILE`` never reach Hydra, which would take the folder configs/policy for a
config group; either may be the name of a shipped file. A key that is a Python keyword, such as ``from``, maps to the
field ``from_``.
"""

import dataclasses
import keyword
from pathlib import Path
from typing import Any, Final

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tillside.cli.shipped import existing_or_shipped, shipped_directory
from training.cli.command_lines import AS_TYPED, BY_PATH
from training.cli.keys import Key, as_typed, describe, groups_of

VALUES: Final = {"dataset": "DIR", "out": "DIR", "path": "FILE", "policy": "FILE", "run": "RUN_ID"}
"""How the value of a key that must be given is named, by the last part of the key."""
NOISE: Final = ("full_key:", "object_type=", "reference_type=", "To append to your", "Config search path", "provider=")
"""How lines begin that Hydra and OmegaConf add for their own developers."""


def config_directory() -> Path:
    """Folder of the YAML configs: inside the installed wheel, or at the top of the checkout."""
    return shipped_directory()


def composed(name: str, arguments: list[str]) -> DictConfig:
    """The config of ``configs/NAME.yaml`` and the overrides.

    Raises:
        ValueError: a wrong key or value.
    """
    GlobalHydra.instance().clear()
    with initialize_config_dir(version_base="1.3", config_dir=str(config_directory())):
        try:
            return compose(name, overrides=arguments)
        except (HydraException, OmegaConfBaseException) as error:
            raise ValueError(sentence(error)) from None


def typed(config: DictConfig) -> Any:
    """The config as its dataclass.

    Raises:
        ValueError: a key that must be given is missing, or nothing reads a key that was added.
    """
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ValueError(must_be_given(missing[0]))
    _refuse_added_keys(config, "")
    return OmegaConf.to_object(config)


def must_be_given(key: str) -> str:
    """The sentence about a missing key."""
    value = VALUES.get(key.rpartition(".")[2], "VALUE")
    newest = ", or run=latest for the newest" if value == "RUN_ID" else ""
    return f"{key} must be given, as {key}={value}{newest}"


def groups(name: str) -> list[Key]:
    """Keys that choose a whole group in ``configs/NAME.yaml``, with the choice it makes as the default."""
    chosen: dict[str, Any] = {}
    for each in OmegaConf.load(config_directory() / f"{name}.yaml").get("defaults", []):
        chosen |= dict(each) if not isinstance(each, str) else {}
    schema = OmegaConf.get_type(ConfigStore.instance().load(f"{name}_schema.yaml").node)
    assert schema is not None
    found = groups_of(schema, config_directory())
    return [dataclasses.replace(key, default=chosen.get(key.name)) for key in found if key.name not in BY_PATH]


def keys(config: DictConfig, prefix: str = "") -> list[Key]:
    """Keys of a composed config, with the values they have there as defaults; a chosen group has its own keys."""
    schema = OmegaConf.get_type(config)
    assert schema is not None
    described = {key.name: key for key in describe(schema)}
    found: list[Key] = []
    for field in dataclasses.fields(schema):
        name = field.name.removesuffix("_") if keyword.iskeyword(field.name.removesuffix("_")) else field.name
        missing = OmegaConf.is_missing(config, field.name)
        value = None if missing else config[field.name]
        if isinstance(value, DictConfig) and dataclasses.is_dataclass(OmegaConf.get_type(value)):
            found += keys(value, f"{prefix}{name}.")
        elif name in described:
            plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
            default = None if missing else as_typed(plain)
            found.append(dataclasses.replace(described[name], name=prefix + name, default=default))
    return found


def without_files(arguments: list[str]) -> tuple[list[str], dict[str, str | None]]:
    """Arguments with keys spelled as fields, except those of BY_PATH and AS_TYPED, and their values; the last of a key
    wins."""
    apart = {*BY_PATH, *AS_TYPED}
    pairs = [(argument, *argument.partition("=")) for argument in arguments]
    others = [_as_field(argument) for argument, key, _, _ in pairs if key not in apart]
    return others, {key: None if path == "null" else path for _, key, equals, path in pairs if key in apart and equals}


def located(files: dict[str, str | None]) -> dict[str, str | None]:
    """Paths of files that are given by their path or by a shipped name; of AS_TYPED what was given.

    Raises:
        ValueError: there is no such file.
    """
    return {
        key: each if each is None or key in AS_TYPED else str(existing_or_shipped(BY_PATH[key], each))
        for key, each in files.items()
    }


def sentence(error: BaseException) -> str:
    """An error's text on one line, without its number and what Hydra and OmegaConf add for developers."""
    texts = [str(error)]
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        texts = [f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"]
    if isinstance(error, HydraException) and isinstance(error.__cause__, OmegaConfBaseException):
        texts.append(str(error.__cause__))
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    return " ".join(dict.fromkeys(line for line in lines if not line.startswith(NOISE))) or type(error).__name__


def _as_field(argument: str) -> str:
    key, equals, value = argument.partition("=")
    return f"{key}_={value}" if equals and keyword.iskeyword(key) else argument


def _refuse_added_keys(node: DictConfig, prefix: str) -> None:
    """Raise ValueError for ``+key=value`` with a key that nothing reads: Hydra lets it bypass the schema."""
    schema = OmegaConf.get_type(node)
    if schema is not None and dataclasses.is_dataclass(schema):
        allowed = sorted(field.name for field in dataclasses.fields(schema))
        for key in node:
            if key not in allowed:
                raise ValueError(f"{prefix}{key} is not a setting; allowed here: {', '.join(allowed)}")
    for key in node:
        if not OmegaConf.is_missing(node, key) and isinstance(node[key], DictConfig):
            _refuse_added_keys(node[key], f"{prefix}{key}.")
