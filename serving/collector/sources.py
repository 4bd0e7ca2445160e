"""Who may send events: one source for each token, with its own rate and the web pages that may send in its name.

A page's token can be read by whoever opens the page, so it is a name rather than a secret: its rate is what guards.
"""

import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml
from msgspec import Meta, Struct

BURST_SECONDS: Final = 2.0
"""Events of so long may come at once."""
LEAST_BURST: Final = 1000.0
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Token = Annotated[str, Meta(pattern=r"^[!-~]{3,256}$")]
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^\s/]+)$")]


class SourceTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """A source as its file has it.

    Attributes:
        token: what it sends, 3 to 256 printable characters.
        events_per_second: how many it may send; None for as many as it likes.
        origins: web pages that may send in its name, such as ``https://shop.example``; ``*`` for any.
    """

    token: Token
    events_per_second: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    origins: list[Origin] = []


class Source:
    """A source and what is left of its rate. Not for several threads.

    Args:
        name: None of a collector that asks for no token.
        rate: events a second; None without a limit.
    """

    def __init__(self, name: str | None, *, rate: float | None = None) -> None:
        self.name = name
        self._rate = rate
        self._most = self._left = max(LEAST_BURST, BURST_SECONDS * (rate or 0))
        self._at = -math.inf

    def wait(self, events: int, *, now: float) -> float:
        """Seconds until so many events may be sent; 0 if they may now, and are then counted."""
        if self._rate is None:
            return 0.0
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if events > self._left and self._left < self._most:
            return (min(events, self._most) - self._left) / self._rate
        self._left -= events
        return 0.0


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of a collector.

    Attributes:
        anyone: the source of events that come without a token, where none is asked for; else None.
        by_token: the others.
        origins: web pages that may send, whatever their token.
    """

    anyone: Source | None
    by_token: Mapping[str, Source]
    origins: frozenset[str]

    def find(self, token: str | None) -> Source | None:
        """The source of a token; None if there is none."""
        if self.anyone is not None:
            return self.anyone
        found = None
        for known, source in self.by_token.items():  # all of them, in constant time
            if hmac.compare_digest(known.encode(), (token or "").encode("utf-8", "replace")):
                found = source
        return found

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may send."""
        return origin in self.origins or "*" in self.origins


def open_to_all(*, rate: float | None = None, origins: frozenset[str] = frozenset()) -> Sources:
    """Sources of a collector that asks for no token."""
    return Sources(Source(None, rate=rate), {}, origins)


def read_sources(path: Path) -> Sources:
    """Sources of a YAML file: names, each with a token and what else :class:`SourceTerms` has.

    Raises:
        ValueError: the file cannot be read or holds a mistake; the message names it, never a token.
    """
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        terms = msgspec.convert(document, dict[Name, SourceTerms])
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise ValueError(f"{path} is no YAML{'' if line is None else f' at line {line + 1}'}") from None
    except msgspec.ValidationError as error:
        raise ValueError(f"{path}: {error}") from None
    if not terms:
        raise ValueError(f"{path} holds no source, so that nobody could send")
    by_token = {own.token: Source(name, rate=own.events_per_second) for name, own in terms.items()}
    if len(by_token) < len(terms):
        raise ValueError(f"{path}: two sources have one token")
    return Sources(None, by_token, frozenset(origin for own in terms.values() for origin in own.origins))
