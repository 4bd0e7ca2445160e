"""What the server can be told: flags of ``python -m serving``, or environment variables, with the flag winning.

Surprising: the variables are ``TILLSIDE_LISTEN_HOST`` and ``TILLSIDE_LISTEN_PORT``, because Kubernetes sets
``TILLSIDE_PORT`` to an address of its own wherever a Service is called tillside, and ``TILLSIDE_ADMIN_PORT`` where one
is called tillside-admin. Tokens come from the environment alone: everybody on a machine can read a command line.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from serving.bundles.registered import RegisteredModel
from serving.protocol.limits import LONGEST_DEADLINE_MS, Limits
from tillside.bundle import REGISTERED_FORMS

VARIABLE_OF: Final = {"host": "listen-host", "port": "listen-port", "admin-port": "admin-listen-port"}
"""Flags whose variable has another name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything ``python -m serving`` reads.

    Attributes:
        bundle: the bundle's directory, or a link to it, which every reload follows anew.
        model: what every reload fetches from MLflow's registry before that; ``bundle`` is then the link to it.
        host, port: where to listen; port 0 takes a free one and logs it.
        admin_port: the same for metrics, probes and reloads; None: no such port, and metrics are on the main one.
        workers: processes that answer; None: as many as whole cores may be used.
        deadline_ms: how long an answer may take where the request does not say.
        queue: requests that may wait for the model.
        static: the shop's own list of item ids, for when nothing else gives an item.
        policy: the policy file of placements; None: the bundle's own, if it has one.
        items_feed: an items feed that is read at the start and on every reload.
        grace_seconds: how long to go on answering after SIGTERM, while nobody is sent here any more.
        shutdown_seconds: how long requests in flight may take to finish after that.
        log_sample: share of the ordinary requests that are logged; errors and degradations always are.
        tracing: export OpenTelemetry spans, to where the ``OTEL_*`` variables say.
        token: what clients of the main port must send, if anything.
        admin_token: what those must send who change the bundle; None: nobody may.
    """

    bundle: Path
    host: str = "127.0.0.1"
    port: int = 8080
    admin_port: int | None = None
    workers: int | None = None
    deadline_ms: int = 100
    queue: int = 512
    static: Path | None = None
    policy: Path | None = None
    items_feed: Path | None = None
    grace_seconds: int = 5
    shutdown_seconds: int = 10
    log_sample: float = 0.0
    tracing: bool = False
    token: str | None = field(default=None, repr=False)
    admin_token: str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    model: RegisteredModel | None = None


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
    add("model", None, str, f"instead of it a bundle of MLflow's registry, {REGISTERED_FORMS}; needs MLflow")
    add("cache", "~/.cache/tillside", Path, "directory that bundles of the registry are kept in")
    add("host", "127.0.0.1", str, "address to listen on")
    add("port", 8080, _integer(0, 65535), "port to listen on, 0 for any free one")
    add("admin-port", "off", _off_or(_integer(0, 65535), "off"), "port for metrics, probes and reloads, or off")
    add("workers", "auto", _off_or(_integer(1, 1024), "auto"), "processes that answer; auto: one for each usable core")
    add("deadline-ms", 100, _integer(1, LONGEST_DEADLINE_MS), "time for an answer where the request does not say")
    add("queue", 512, _integer(1, 1_000_000), "most requests that wait for the model; others get the ladder at once")
    add("static", None, Path, "file of item ids, one a line, for when nothing else gives an item")
    add("policy", None, Path, "policy file of placements; without it the bundle's own, if it has one")
    add("items-feed", None, Path, "items feed (stock, prices, new items), read at start and on every reload")
    add("grace-seconds", 5, _integer(0, 3600), "time to go on answering after SIGTERM")
    add("shutdown-seconds", 10, _integer(0, 3600), "time that requests in flight have to finish after SIGTERM")
    add("log-sample", "0", _share, "share of the ordinary requests that are logged, from 0 to 1")
    add("tracing", "off", _switch, "on: OpenTelemetry spans, to where OTEL_EXPORTER_OTLP_ENDPOINT says")
    add("max-k", defaults.k, _integer(1, 100_000), "most items a request may ask for")
    add("max-session", defaults.session_events, _integer(1, 100_000), "most events in a session")
    add("max-exclude", defaults.excluded_items, _integer(0, 100_000), "most items in an exclusion list")
    add("max-body-bytes", defaults.body_bytes, _integer(1, 1 << 30), "largest body")
    given = parser.parse_args(arguments)
    model = _model(parser, given, arguments)
    if given.bundle is None and model is None:
        parser.error("--bundle DIR (or TILLSIDE_BUNDLE) must be given; training.export makes one")
    limits = Limits(
        k=given.max_k,
        session_events=given.max_session,
        excluded_items=given.max_exclude,
        body_bytes=given.max_body_bytes,
    )
    return Settings(
        bundle=model.link if model else given.bundle,
        host=given.host,
        port=given.port,
        admin_port=given.admin_port,
        workers=given.workers,
        deadline_ms=given.deadline_ms,
        queue=given.queue,
        static=given.static,
        policy=given.policy,
        items_feed=given.items_feed,
        grace_seconds=given.grace_seconds,
        shutdown_seconds=given.shutdown_seconds,
        log_sample=given.log_sample,
        tracing=given.tracing,
        token=_token(parser, environment, "TILLSIDE_TOKEN"),
        admin_token=_token(parser, environment, "TILLSIDE_ADMIN_TOKEN"),
        limits=limits,
        model=model,
    )


def _model(parser: _Parser, given: argparse.Namespace, flags: Sequence[str]) -> RegisteredModel | None:
    """The model of the registry, where it is what was asked for: a flag wins over the other one's variable."""
    named = {flag.partition("=")[0] for flag in flags}
    if given.model is None or ("--bundle" in named and "--model" not in named):
        return None
    if given.bundle is not None and ("--model" in named) == ("--bundle" in named):
        parser.error("either --bundle or --model must be given (or TILLSIDE_BUNDLE or TILLSIDE_MODEL), not both")
    try:
        return RegisteredModel(given.model, given.cache.expanduser())
    except ValueError as error:
        parser.error(str(error))


def _token(parser: argparse.ArgumentParser, environment: Mapping[str, str], variable: str) -> str | None:
    """A token, which has no flag: the command line is there for all to read."""
    token = environment.get(variable, "").strip()
    if token and (not token.isascii() or not token.isprintable() or " " in token):
        parser.error(f"{variable} must be printable ASCII without blanks")
    return token or None


def _off_or(parse: Callable[[str], int], word: str) -> Callable[[str], int | None]:
    def parse_or_none(text: str) -> int | None:
        return None if text == word else parse(text)

    return parse_or_none


def _share(text: str) -> float:
    if not re.fullmatch(r"0(\.\d{1,9})?|1(\.0{1,9})?", text):
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text[:60]!r}")
    return float(text)


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"must be on or off, got {text[:60]!r}")
    return text == "on"


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 12 or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be an integer from {low} to {high}, got {text!r}")
        return int(text)

    return parse
