"""Command lines that are printed for people: they do what they say when pasted into a shell, from the same folder.

A setting goes through two grammars, the shell's and Hydra's; each quotes only what it must. ``python`` stands for this
interpreter where the shell's PATH finds it under that name, else its path is printed.
"""

import functools
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tillside.cli.modules import rooms

BY_PATH: Final = {
    "policy": "policy",
    "before": "policy",
    "rules": "compatibility",
    "experiments": "experiments",
}
"""Keys whose value is a file or the name of a shipped one, which Hydra never sees, and the folder of configs that holds
those: Hydra would take it for a group."""
AS_TYPED: Final = ("reject",)
"""Keys whose value is a person's sentence, whose commas and brackets are no grammar of Hydra's."""


def command_line(name: str, settings: Mapping[str, Any], *, more: str = "") -> str:
    """The line that runs ``training.NAME`` with these settings; those that are None are left out.

    Args:
        more: overrides that are shell-quoted already, with a leading space each.
    """
    return module_line(f"training.{name}", *(override(k, v) for k, v in settings.items() if v is not None)) + more


def module_line(module: str, *arguments: str) -> str:
    """The line that runs a module with these arguments, which are quoted here."""
    stranger = Path.cwd() != rooms() and Path(module.partition(".")[0]).exists()  # `-m` would run that one
    return shlex.join([interpreter(), *(["-P"] if stranger else []), "-m", module, *arguments])


def override(key: str, value: Any) -> str:
    """``key=value`` as Hydra reads it, not yet quoted for a shell."""
    return f"{key}={os.fspath(value) if key in (*BY_PATH, *AS_TYPED) and value is not None else _value(value)}"


def _value(value: Any) -> str:
    match value:
        case str() | os.PathLike():
            text = os.fspath(value)
            return text if _as_it_is(text) else _quoted(text)
        case list() | tuple():
            return f"[{','.join(map(_value, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{key}: {_value(each)}' for key, each in value.items())}}}"
    from training.cli.keys import as_typed  # lazy: most lines need it not

    return as_typed(value)


@functools.cache
def interpreter() -> str:
    """What to type for this Python."""
    found, own = shutil.which("python"), Path(sys.executable)
    if found is not None and Path(found).parent.resolve() == own.parent.resolve():
        return "python"
    here = Path.cwd()
    return str(own.relative_to(here)) if own.is_relative_to(here) else str(own)


def _as_it_is(text: str) -> bool:
    """Whether Hydra reads the bare text as this very text."""
    from hydra.core.override_parser.overrides_parser import OverridesParser  # lazy: slow to import
    from hydra.errors import HydraException

    if "$" in text or "\\" in text:
        return False
    try:
        read = OverridesParser.create().parse_override(f"key={text}").value()
    except HydraException:
        return False
    return isinstance(read, str) and read == text


def _quoted(text: str) -> str:
    """Hydra's double-quoted string, which needs no quotes of the shell's but single ones around it.

    A backslash escapes a quote and, for OmegaConf, ``${``; elsewhere it is itself.
    """
    pieces: list[str] = []
    slashes = 0
    for place, letter in enumerate(text):
        if letter == "\\":
            slashes += 1
            continue
        special = letter == '"' or text.startswith("${", place)
        pieces.append("\\" * (2 * slashes + 1 if special else slashes) + letter)
        slashes = 0
    pieces.append("\\" * slashes * 2)
    return '"' + "".join(pieces) + '"'
