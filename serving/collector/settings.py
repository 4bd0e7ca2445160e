"""Settings of the collector: flags of ``python -m serving.collector`` or ``TILLSIDE_COLLECTOR_*`` variables.

The salt alone has the server's own variable, since both must hash alike. Tokens stand in a file, as there are several.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from serving.collector.intake import WAITING
from serving.collector.sources import Sources, open_to_all, read_sources
from serving.feedback.salt import read_salt
from serving.feedback.shoppers.limits import MEMORY, MOST_GAP_MINUTES, VisitLimits, parse_place
from serving.feedback.target import Target, Topic, parse_target
from serving.protocol.flags import Parser, integer, told_by
from serving.protocol.limits import Limits

MOST_EVENTS: Final = 1000
BODY_BYTES: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """Settings of one collector.

    Attributes:
        feedback: where events are kept.
        state: folder of the ids that were seen; the feedback folder's own, except with Kafka.
        host, port: listening address; port 0 picks a free port and logs it.
        sources: who may send.
        salt: hashes the keys of shoppers and sessions; None keeps them as they came.
        most_events: events of one body.
        waiting: events that wait for a sync before others are told to come again.
        grace_seconds: time to keep answering after it was told to end; no load balancer stands before it.
        shutdown_seconds: time for requests in flight to finish at the end.
        limits: of headers and body.
        shoppers: what of shoppers' visits is kept in a Redis; None for nothing.
        shoppers_url: that Redis.
    """

    feedback: Target
    state: Path
    host: str = "127.0.0.1"
    port: int = 8090
    sources: Sources = field(default_factory=open_to_all)
    salt: bytes | None = field(default=None, repr=False)
    most_events: int = MOST_EVENTS
    waiting: int = WAITING
    grace_seconds: int = 0
    shutdown_seconds: int = 10
    limits: Limits = field(default_factory=lambda: Limits(body_bytes=BODY_BYTES))
    shoppers: VisitLimits | None = None
    shoppers_url: str | None = field(default=None, repr=False)


def make_parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Parser of the flags, whose defaults are the ``TILLSIDE_COLLECTOR_*`` variables."""
    parser = Parser(prog="python -m serving.collector", description="Take a shop's events and keep each one once.")

    def add(flag: str, default: object, kind: Callable[[str], object], explanation: str) -> None:
        variable = f"TILLSIDE_COLLECTOR_{NAMED.get(flag, flag).upper().replace('-', '_')}"
        given = environment.get(variable) or default
        otherwise = "" if default is None else f"; default {default}"
        parser.add_argument(f"--{flag}", type=kind, default=given, help=f"{explanation} (${variable}{otherwise})")

    add(
        "feedback",
        None,
        told_by(parse_target),
        "folder, or kafka://HOST:PORT/TOPIC, that keeps the events; must be given",
    )
    add("state", None, Path, "with Kafka: folder of this process's own that remembers which events were seen")
    add("host", "127.0.0.1", str, "address to listen on")
    add("port", 8090, integer(0, 65535), "port to listen on, 0 for any free one")
    add("sources", None, Path, "YAML file of who may send: names, each with token, events_per_second, origins")
    add("origins", None, str, "without it: web pages that may send, such as https://shop.example,... or *")
    add("events-per-second", None, integer(1, 1_000_000_000), "without it: how many events may be sent")
    add(
        "feedback-salt",
        None,
        Path,
        "file whose content hashes the keys of shoppers and sessions, as the server's; or $TILLSIDE_FEEDBACK_SALT",
    )
    add("max-events", MOST_EVENTS, integer(1, 100_000), "most events in a body")
    add("max-body-bytes", BODY_BYTES, integer(1, 1 << 28), "largest body, packed or unpacked")
    add(
        "waiting",
        WAITING,
        integer(1, 10_000_000),
        "events that wait for the disk at most; others are sent away with 429",
    )
    add(
        "shoppers",
        "off",
        told_by(parse_place),
        "redis://HOST:PORT/DB: keep each shopper's visit there for servers with the same flag; with a folder alone",
    )
    kept = VisitLimits()
    add("shoppers-gap-minutes", kept.gap_minutes, integer(1, MOST_GAP_MINUTES), "a visit ends after so long in silence")
    add("shoppers-events", kept.events, integer(1, 1000), "of each the latest so many events")
    add("shutdown-seconds", 10, integer(0, 3600), "time that requests in flight have to finish after SIGTERM")
    return parser


NAMED: Final = {"host": "listen-host", "port": "listen-port", "feedback-salt": "salt-file"}
"""Flags whose variable is named differently: Kubernetes sets TILLSIDE_COLLECTOR_PORT for a Service of that name."""


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> CollectorSettings:
    """Parse flags and variables.

    Raises:
        SystemExit: one is invalid; one sentence on stderr, exit code 2.
    """
    parser = make_parser(environment)
    given = parser.parse_args(arguments)
    if given.feedback is None:
        parser.error("--feedback must be given: a folder, or kafka://HOST:PORT/TOPIC")
    if isinstance(given.feedback, Topic) != (given.state is not None):
        parser.error("--state DIR goes with --feedback kafka://..., and must be given there")
    if given.shoppers is not None and (given.shoppers == MEMORY or isinstance(given.feedback, Topic)):
        parser.error("--shoppers redis://HOST:PORT/DB goes with --feedback DIR; a server remembers in memory by itself")
    try:
        sources = _sources(given)
        salt = read_salt(environment, given.feedback_salt)
    except ValueError as error:
        parser.error(str(error))
    return CollectorSettings(
        feedback=given.feedback,
        state=given.state or given.feedback,
        host=given.host,
        port=given.port,
        sources=sources,
        salt=salt,
        most_events=given.max_events,
        waiting=given.waiting,
        shutdown_seconds=given.shutdown_seconds,
        limits=Limits(body_bytes=given.max_body_bytes),
        shoppers=None
        if given.shoppers is None
        else VisitLimits(gap_minutes=given.shoppers_gap_minutes, events=given.shoppers_events),
        shoppers_url=given.shoppers,
    )


def _sources(given: argparse.Namespace) -> Sources:
    if given.sources is None:
        origins = frozenset(filter(None, (given.origins or "").split(",")))
        return open_to_all(rate=given.events_per_second, origins=origins)
    if given.origins is not None or given.events_per_second is not None:
        raise ValueError("with --sources its file says origins and events_per_second of each source")
    return read_sources(given.sources)
