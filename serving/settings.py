"""Settings of the server: flags of ``python -m serving`` or ``TILLSIDE_*`` environment variables; a flag wins.

Surprising: the variables are ``TILLSIDE_LISTEN_HOST`` and ``TILLSIDE_LISTEN_PORT``, because Kubernetes sets
``TILLSIDE_PORT`` in every pod if a Service is named tillside, and ``TILLSIDE_ADMIN_PORT`` if one is named
tillside-admin. Tokens come from the environment only: every user of a machine can read a command line.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from serving.bundles.registered import RegisteredModel
from serving.feedback.salt import read_salt
from serving.feedback.shoppers.limits import MEMORY, MOST_GAP_MINUTES, VisitLimits, parse_place
from serving.feedback.target import Target, parse_target
from serving.protocol.flags import Parser, address, integer, off_or, share, switch, told_by, word
from serving.protocol.limits import LONGEST_DEADLINE_MS, Limits
from tillside.bundle import REGISTERED_FORMS
from tillside.cli.shipped import file_or_shipped

VARIABLE_OF: Final = {
    "host": "listen-host",
    "port": "listen-port",
    "admin-host": "admin-listen-host",
    "admin-port": "admin-listen-port",
    "feedback-salt": "feedback-salt-file",
}
"""Flags whose variable is named differently."""

LEAST_TOKEN: Final = 16
"""Characters of a token that guards a port which other machines reach: guessing must be hopeless."""
LEAST_ON_LOOPBACK: Final = 3
"""Characters where only this machine reaches the port: a mistyped or empty-looking token is no token."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server.

    Attributes:
        bundle: the bundle's directory, or a symbolic link, which every reload resolves again.
        model: model of the MLflow registry that every reload fetches first; ``bundle`` is then the link to it.
        host, port: listening address; port 0 picks a free port and logs it.
        admin_host: address that the admin port listens on.
        admin_port: port for metrics, probes and reloads; None for none, with metrics on the main port.
        workers: number of worker processes; None for one per usable core.
        deadline_ms: default deadline of a request.
        queue: maximum number of requests waiting for the model.
        static: file of item ids for the last fallback tier.
        policy: policy file of placements; None for the bundle's own, if any.
        experiments: experiments file, whose arms are laid over the policy; read at start and on every reload.
        items_feed: items feed that is read at start and on every reload.
        grace_seconds: time to keep answering after SIGTERM, until the load balancer has noticed.
        shutdown_seconds: time for requests in flight to finish after the grace period.
        log_sample: fraction of ordinary requests that are logged; errors and degraded answers always are.
        tracing: whether to export OpenTelemetry spans, configured by the ``OTEL_*`` variables.
        token: bearer token required on the main port, if any.
        admin_token: bearer token required for changes on the admin port; None refuses all changes.
        limits: size limits of requests.
        stay: whether a first bundle that is missing or refused leaves the server up, not ready; else it ends.
        state: folder that keeps over a restart what came by the admin port; None keeps it in memory alone.
        state_from: address of such a state, fetched at start; the server is not ready before.
        state_token: bearer token sent to that address, if any.
        feedback: where each answer is written down; None for nowhere.
        feedback_salt: hashes the keys of shoppers and sessions there; None writes them as they came.
        feedback_requests: share of the answers left to chance whose request is kept there.
        shoppers: what is remembered of shoppers; None for nothing.
        shoppers_url: the Redis that remembers it; None for this server's memory, from the folder ``feedback``.
    """

    bundle: Path
    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int | None = None
    workers: int | None = None
    deadline_ms: int = 100
    queue: int = 512
    static: Path | None = None
    policy: Path | None = None
    experiments: Path | None = None
    items_feed: Path | None = None
    grace_seconds: int = 5
    shutdown_seconds: int = 10
    log_sample: float = 0.0
    tracing: bool = False
    token: str | None = field(default=None, repr=False)
    admin_token: str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)
    model: RegisteredModel | None = None
    stay: bool = False
    state: Path | None = None
    state_from: str | None = None
    state_token: str | None = field(default=None, repr=False)
    feedback: Target | None = None
    feedback_salt: bytes | None = field(default=None, repr=False)
    feedback_requests: float = 0.0
    shoppers: VisitLimits | None = None
    shoppers_url: str | None = field(default=None, repr=False)


def make_parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Parser of the flags, whose defaults are the ``TILLSIDE_*`` variables."""
    defaults = Limits()
    parser = Parser(prog="python -m serving", description="Answer recommendation requests from a bundle.")

    def add(flag: str, default: object, kind: Callable[[str], object], explanation: str) -> None:
        variable = f"TILLSIDE_{VARIABLE_OF.get(flag, flag).upper().replace('-', '_')}"
        given = environment.get(variable) or default  # argparse parses a default that is a string
        otherwise = "" if default is None else f"; default {default}"
        parser.add_argument(f"--{flag}", type=kind, default=given, help=f"{explanation} (${variable}{otherwise})")

    add("bundle", None, Path, "directory that training.export wrote")
    add("model", None, str, f"instead of it a bundle of MLflow's registry, {REGISTERED_FORMS}; needs MLflow")
    add("cache", "~/.cache/tillside", Path, "directory that bundles of the registry are kept in")
    add("host", "127.0.0.1", str, "address to listen on")
    add("port", 8080, integer(0, 65535), "port to listen on, 0 for any free one")
    add("admin-host", "127.0.0.1", str, "address that the admin port listens on")
    add("admin-port", "off", off_or(integer(0, 65535), "off"), "port for metrics, probes and reloads, or off")
    add("workers", "auto", off_or(integer(1, 1024), "auto"), "processes that answer; auto: one for each usable core")
    add("deadline-ms", 100, integer(1, LONGEST_DEADLINE_MS), "time for an answer where the request does not say")
    add("queue", 512, integer(1, 1_000_000), "most requests that wait for the model; others get the ladder at once")
    add("static", None, Path, "file of item ids, one a line, for when nothing else gives an item")
    add(
        "policy",
        None,
        told_by(partial(file_or_shipped, "policy")),
        "policy file of placements, or the name of one that ships; else the bundle's own, if any",
    )
    add(
        "experiments",
        None,
        told_by(partial(file_or_shipped, "experiments")),
        "experiments file: holdout and arms, laid over the policy; or a shipped one",
    )
    add("items-feed", None, Path, "items feed (stock, prices, new items), read at start and on every reload")
    add("state", None, Path, "directory that keeps items feeds and what is set by hand over a restart")
    add(
        "state-from",
        None,
        address,
        "address of another server's state, taken over before this one is ready, such as "
        "http://HOST:9090/v1/admin/state; $TILLSIDE_STATE_TOKEN is sent as its token",
    )
    add(
        "feedback",
        None,
        told_by(parse_target),
        "folder, or kafka://HOST:PORT/TOPIC, where each answer is written down",
    )
    add(
        "feedback-salt",
        None,
        Path,
        "file whose content hashes the keys of shoppers and sessions there, 16 to 64 bytes; $TILLSIDE_FEEDBACK_SALT "
        "may hold it instead",
    )
    add(
        "feedback-requests",
        "0",
        share,
        "share of the answers of placements that explore whose request is kept there, without keys, so that another "
        "policy can be judged by the log",
    )
    add(
        "shoppers",
        "off",
        told_by(parse_place),
        "memory: remember each shopper's visit from the events that a collector keeps in the folder of --feedback, so "
        "that a request may name shopper_id alone; redis://HOST:PORT/DB: as a collector with the same flag keeps them "
        "there",
    )
    kept = VisitLimits()
    add("shoppers-gap-minutes", kept.gap_minutes, integer(1, MOST_GAP_MINUTES), "a visit ends after so long in silence")
    add("shoppers-most", kept.shoppers, integer(1, 10_000_000), "shoppers that are remembered at most, in each worker")
    add("shoppers-events", kept.events, integer(1, 1000), "of each the latest so many events")
    add(
        "without-bundle",
        "exit",
        word("exit", "stay"),
        "exit or stay: what a first bundle that is missing or refused means; stay, for clusters: up, not ready, until "
        "a reload brings one",
    )
    add("grace-seconds", 5, integer(0, 3600), "time to go on answering after SIGTERM")
    add("shutdown-seconds", 10, integer(0, 3600), "time that requests in flight have to finish after SIGTERM")
    add("log-sample", "0", share, "share of the ordinary requests that are logged, from 0 to 1")
    add("tracing", "off", switch, "on: OpenTelemetry spans, to where OTEL_EXPORTER_OTLP_ENDPOINT says")
    add("max-k", defaults.k, integer(1, 100_000), "most items a request may ask for")
    add("max-session", defaults.session_events, integer(1, 100_000), "most events in a session")
    add("max-exclude", defaults.excluded_items, integer(0, 100_000), "most items in an exclusion list")
    add("max-body-bytes", defaults.body_bytes, integer(1, 1 << 30), "largest body")
    return parser


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Parse flags and ``TILLSIDE_*`` variables.

    Raises:
        SystemExit: a flag or variable is invalid; one sentence on stderr, exit code 2.
    """
    parser = make_parser(environment)
    given = parser.parse_args(arguments)
    model = _model(parser, given, arguments)
    if given.bundle is None and model is None:
        parser.error(
            "--bundle DIR (or TILLSIDE_BUNDLE) must be given, such as runs/latest/bundle; training.train makes one"
        )
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
        admin_host=given.admin_host,
        admin_port=given.admin_port,
        workers=given.workers,
        deadline_ms=given.deadline_ms,
        queue=given.queue,
        static=given.static,
        policy=given.policy,
        experiments=given.experiments,
        items_feed=given.items_feed,
        grace_seconds=given.grace_seconds,
        shutdown_seconds=given.shutdown_seconds,
        log_sample=given.log_sample,
        tracing=given.tracing,
        token=_token(parser, environment, "TILLSIDE_TOKEN", host=given.host),
        admin_token=_token(parser, environment, "TILLSIDE_ADMIN_TOKEN", host=given.admin_host),
        limits=limits,
        model=model,
        stay=given.without_bundle == "stay",
        state=given.state,
        state_from=given.state_from,
        state_token=_token(parser, environment, "TILLSIDE_STATE_TOKEN"),
        feedback=given.feedback,
        feedback_salt=_salt(parser, environment, given.feedback_salt),
        feedback_requests=given.feedback_requests,
        shoppers=_shoppers(parser, given),
        shoppers_url=None if given.shoppers == MEMORY else given.shoppers,
    )


def _shoppers(parser: argparse.ArgumentParser, given: argparse.Namespace) -> VisitLimits | None:
    if given.shoppers is None:
        return None
    if given.shoppers == MEMORY and not isinstance(given.feedback, Path):
        parser.error("--shoppers memory needs --feedback DIR, the folder in which a collector keeps the events")
    return VisitLimits(given.shoppers_gap_minutes, given.shoppers_most, given.shoppers_events)


def _model(parser: argparse.ArgumentParser, given: argparse.Namespace, flags: Sequence[str]) -> RegisteredModel | None:
    """The registered model, if that was asked for instead of a bundle; either flag wins over the other's variable."""
    named = {flag.partition("=")[0] for flag in flags}
    if given.model is None or ("--bundle" in named and "--model" not in named):
        return None
    if given.bundle is not None and ("--model" in named) == ("--bundle" in named):
        parser.error("either --bundle or --model must be given (or TILLSIDE_BUNDLE or TILLSIDE_MODEL), not both")
    try:
        return RegisteredModel(given.model, given.cache.expanduser())
    except ValueError as error:
        parser.error(str(error))


def _token(
    parser: argparse.ArgumentParser, environment: Mapping[str, str], variable: str, *, host: str | None = None
) -> str | None:
    """Token from the environment; it has no flag, since command lines are public.

    Args:
        host: address that it guards, which decides how short it may be; None for another server's token.
    """
    token = environment.get(variable, "").strip()
    if token and (not token.isascii() or not token.isprintable() or " " in token):
        parser.error(f"{variable} must be printable ASCII without blanks")
    least = 1 if host is None else LEAST_ON_LOOPBACK if _is_loopback(host) else LEAST_TOKEN
    if token and len(token) < least:
        parser.error(
            f"{variable} must have at least {least} characters where the port listens on {host}, got {len(token)}; "
            "openssl rand -hex 16 makes one"
        )
    return token or None


def _salt(parser: argparse.ArgumentParser, environment: Mapping[str, str], file: Path | None) -> bytes | None:
    try:
        return read_salt(environment, file)
    except ValueError as error:
        parser.error(str(error))


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
