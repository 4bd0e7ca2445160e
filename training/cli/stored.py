"""Configurations that a run keeps in a file: without secrets, and read as data alone.

A folder of somebody else's run is no command: an interpolation in it (``${oc.env:NAME}``) would print what this machine
keeps in its environment, so it is refused.
"""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from tillside.cli.secrets import stripped


def stored_text(config: Any) -> str:
    """YAML of a config, a dataclass or a mapping, without secrets."""
    whole = OmegaConf.structured(config) if hasattr(config, "__dataclass_fields__") else OmegaConf.create(config)
    return OmegaConf.to_yaml(OmegaConf.create(_escaped(stripped(OmegaConf.to_container(whole, enum_to_str=True)))))


def read_stored(path: Path) -> DictConfig:
    """The config in a file.

    Raises:
        ValueError: it is no mapping, or holds an interpolation.
    """
    config = OmegaConf.load(path)
    if not isinstance(config, DictConfig):
        raise ValueError(f"{path} must hold a mapping")
    _refuse_interpolations(OmegaConf.to_container(config, resolve=False), path)
    return config


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", "\\${")
    if isinstance(value, dict):
        return {key: _escaped(each) for key, each in value.items()}
    return [_escaped(each) for each in value] if isinstance(value, list) else value


def _refuse_interpolations(value: Any, path: Path) -> None:
    if isinstance(value, str) and "${" in value.replace("\\${", ""):
        raise ValueError(f"{path} holds the interpolation {value[:60]!r}, which is not followed in a stored file")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_interpolations(each, path)
