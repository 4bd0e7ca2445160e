"""Secrets are cut from whatever leaves a process: lines, logs, files, answers, what is sent to MLflow.

Every edge calls :func:`without_secrets` (or :func:`stripped`, for a document) on what it writes. Secrets are the user
info of an address, the query parameters that are named like one, and the values of environment variables that are named
like one.
"""

import functools
import os
import re
from collections.abc import Mapping
from typing import Any, Final

LEFT: Final = "***"
LEAST: Final = 6
"""Characters of a variable's value that is looked for: shorter ones stand in ordinary words."""
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^\s'\"<>`]*)")
_AS_PATH: Final = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*:/)[^\s'\"/@:]*:[^\s'\"/@]*@")
"""As pathlib writes an address: with one slash."""
_NAMED: Final = r"[\w.-]*(?:passw|pwd|secret|token|signature|sig|credential|api_?key|access_?key)[\w.-]*"
_PARAMETER: Final = re.compile(rf"([?&]{_NAMED}=)[^&\s'\"<>`#]+", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"PASSW|_PASS$|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_HOST: Final = re.compile(r"[^:]*(:\d*)?|\[[0-9A-Fa-f:.%]*\](:\d*)?")


def without_secrets(text: str) -> str:
    """``text`` without user info in addresses, values of telling query parameters, and values of telling variables."""
    if ":/" in text:
        text = _AS_PATH.sub(r"\1", _ADDRESS.sub(_without_user_info, text))
    if "=" in text:
        text = _PARAMETER.sub(rf"\1{LEFT}", text)
    for value in _values():
        if value in text:
            text = text.replace(value, LEFT)
    return text


def stripped(value: Any) -> Any:
    """A document of mappings, lists and texts with every text :func:`without_secrets`; other values as they are."""
    match value:
        case str():
            return without_secrets(value)
        case Mapping():
            return {stripped(key): stripped(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(stripped(each) for each in value) if type(value) in (list, tuple) else value
    return value


def _without_user_info(found: re.Match[str]) -> str:
    scheme, rest = found[1], found[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return scheme + authority.rpartition("@")[2] + rest[len(authority) :]
    if "@" in rest and not _HOST.fullmatch(authority):  # a password with a slash in it, as nobody may write it
        return scheme + rest.rpartition("@")[2]
    return found[0]


def _values() -> list[str]:
    """Values of the variables that are named like secrets, the longest first."""
    found = {value for name in os.environ if _is_telling(name) and len(value := os.environ.get(name, "")) >= LEAST}
    return sorted(found, key=len, reverse=True)


@functools.lru_cache(maxsize=4096)
def _is_telling(name: str) -> bool:
    """Whether a variable is named like a secret; kept, since every line that is logged asks it of every variable."""
    return _VARIABLE.search(name) is not None
