"""What the server can be told: flags of ``python -m serving``, or environment variables, with the flag winning.

Surprising: the variables are ``TILLSIDE_LISTEN_HOST`` and ``TILLSIDE_LISTEN_PORT``, because Kubernetes sets
``TILLSIDE_PORT`` to an address of its own wherever a Service is called tillside.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

VARIABLE_OF: Final = {"host": "listen-host", "port": "listen-port"}
"""Flags whose variable has another name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest request that is taken; what exceeds a limit is refused, never cut.

    Attributes:
        k: items asked for.
        session_events: events in the session.
        excluded_items: items in the exclusion list.
        text: characters of an item id or a behaviour.
        body_bytes: bytes of the body.
        body_seconds: time the client may take to send its body.
    """

    k: int = 1000
    session_events: int = 1000
    excluded_items: int = 1000
    text: int = 256
    body_bytes: int = 1 << 20
    body_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything ``python -m serving`` reads.

    Attributes:
        bundle: the bundle's directory.
        host, port: where to listen; port 0 takes a free one and logs it.
        shutdown_seconds: how long requests in flight may take to finish after SIGTERM.
    """

    bundle: Path
    host: str = "127.0.0.1"
    port: int = 8080
    shutdown_seconds: int = 10
    limits: Limits = field(default_factory=Limits)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Settings from flags and ``TILLSIDE_*`` variables.

    Raises:
        SystemExit: a flag or variable is wrong; one sentence on stderr, exit code 2.
    """
    defaults = Limits()
    parser = _Parser(prog="python -m serving", description="Answer recommendation requests from a bundle.")

    def add(flag: str, default: object, kind: Callable[[str], object], explanation: str) -> None:
        variable = f"TILLSIDE_{VARIABLE_OF.get(flag, flag).upper().replace('-', '_')}"
        given = environment.get(variable) or default  # argparse parses a default that is a string
        parser.add_argument(
            f"--{flag}", type=kind, default=given, help=f"{explanation} (${variable}; default {default})"
        )

    add("bundle", None, Path, "directory that training.export wrote")
    add("host", "127.0.0.1", str, "address to listen on")
    add("port", 8080, _integer(0, 65535), "port to listen on, 0 for any free one")
    add("shutdown-seconds", 10, _integer(0, 3600), "time that requests in flight have to finish after SIGTERM")
    add("max-k", defaults.k, _integer(1, 100_000), "most items a request may ask for")
    add("max-session", defaults.session_events, _integer(1, 100_000), "most events in a session")
    add("max-exclude", defaults.excluded_items, _integer(0, 100_000), "most items in an exclusion list")
    add("max-body-bytes", defaults.body_bytes, _integer(1, 1 << 30), "largest body")
    given = parser.parse_args(arguments)
    if given.bundle is None:
        parser.error("--bundle DIR (or TILLSIDE_BUNDLE) must be given; training.export makes one")
    limits = Limits(
        k=given.max_k,
        session_events=given.max_session,
        excluded_items=given.max_exclude,
        body_bytes=given.max_body_bytes,
    )
    return Settings(given.bundle, given.host, given.port, given.shutdown_seconds, limits)


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 12 or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be an integer from {low} to {high}, got {text!r}")
        return int(text)

    return parse
