"""Kills of server and collector at random moments, under load: what was acknowledged is there, and there once.

Senders send each batch until it is acknowledged, as a shop would; askers ask for recommendations and note when each was
answered. At the end every acknowledged event must lie in the folder exactly once, and every answer, save those of the
last moments before a kill, which the server had not written yet.
"""

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.servers import Server, collector, tillside
from serving.bench.load import address_of
from tillside.feedback.events import decode_event
from tillside.feedback.exposures import decode_exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, Torn, read_segment, segments_of

SENDERS: Final = 3
BATCH: Final = 20
TIMEOUT: Final = 30.0
AGAIN_SECONDS: Final = 0.02
UNWRITTEN_SECONDS: Final = 0.5
"""Before a kill: answers of so long may not have been written; the server promises a twentieth of a second."""


@dataclass
class Told:
    """What the processes acknowledged.

    Attributes:
        events: ids that the collector acknowledged.
        answers: recommendation ids, with when each was given, seconds of time.monotonic.
        kills: when the server was killed.
        acknowledged: begin and end of each batch of events that was sent and acknowledged.
        stop: set at the end.
    """

    events: list[str] = field(default_factory=list)
    answers: list[tuple[str, float]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    acknowledged: list[tuple[float, float]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)


class Live:
    """A process that is killed and started again; ``server`` is the one that runs."""

    def __init__(self, start: Callable[[], contextlib.AbstractContextManager[Server]]) -> None:
        self._start = start
        self._held = contextlib.ExitStack()
        self.server = self._held.enter_context(start())

    def kill(self) -> float:
        """Kill it by SIGKILL; returns when."""
        at = time.monotonic()
        self.server.process.kill()
        self.server.process.wait()
        self.close()
        return at

    def restart(self) -> None:
        """Start another."""
        self.server = self._held.enter_context(self._start())

    def close(self) -> None:
        """Stop it, if it runs."""
        self._held.close()


@contextlib.contextmanager
def under_load(
    told: Told, serving: Live, collecting: Live, event: Callable[[str], dict[str, Any]], *, rest_seconds: float = 0.0
) -> Iterator[None]:
    """Senders and an asker at work while the block runs; at its end they are waited for, and both processes stopped.

    Args:
        event: what to send, by its id.
        rest_seconds: time between the last answer and the stop.
    """
    threads = [threading.Thread(target=send_on, args=(told, collecting, own, event)) for own in range(SENDERS)]
    threads.append(threading.Thread(target=ask_on, args=(told, serving)))
    for thread in threads:
        thread.start()
    yield
    told.stop.set()
    for thread in threads:
        thread.join()
    time.sleep(rest_seconds)
    serving.close()
    collecting.close()


def kills(work: Path, bundle: Path, *, count: int, seed: int) -> dict[str, float]:
    """Kill ``count`` times, server and collector in turn."""
    rng = np.random.default_rng(seed)
    folder, told = work / "feedback", Told()
    flags = ("--feedback", str(folder), "--workers", "2", "--grace-seconds", "0")
    serving = Live(lambda: tillside(bundle, log=work / "server.log", flags=flags))
    collecting = Live(lambda: collector(folder, log=work / "collector.log"))
    with under_load(told, serving, collecting, _click):
        for number in range(count):
            time.sleep(float(rng.uniform(0.2, 2.0)))
            victim = (serving, collecting)[number % 2]
            at = victim.kill()
            if victim is serving:
                told.kills.append(at)
            victim.restart()
    return {"kills": float(count), **verdict(told, folder)}


def verdict(told: Told, folder: Path) -> dict[str, float]:
    """What of the acknowledged is missing in a folder, and what is there more than once."""
    torn: list[Torn] = []
    events = Counter(decode_event(record).event_id for record in records(folder / EVENTS, torn))
    exposures = Counter(decode_exposure(record).recommendation_id for record in records(folder / EXPOSURES, torn))
    lost_events = sum(name not in events for name in told.events)
    due = [name for name, at in told.answers if not any(0 <= kill - at < UNWRITTEN_SECONDS for kill in told.kills)]
    lost_answers = sum(name not in exposures for name in due)
    doubled = sum(times > 1 for counts in (events, exposures) for times in counts.values())
    return {
        "events": float(len(told.events)),
        "answers": float(len(told.answers)),
        "lost": float(lost_events + lost_answers),
        "doubled": float(doubled),
        "torn": float(len(torn)),
    }


def records(folder: Path, torn: list[Torn]) -> Iterator[bytes]:
    """Records of all segments of a folder; what is torn is put down."""
    for path in segments_of(folder):
        yield from read_segment(path, report=torn.append)


def _click(name: str) -> dict[str, Any]:
    return {"event_id": name, "kind": "click", "time": 1, "item": "fig"}


def send_on(told: Told, live: Live, own: int, event: Callable[[str], dict[str, Any]]) -> None:
    """Send batches of events, each until it is acknowledged, till the end."""
    number = 0
    while not told.stop.is_set():
        names = [f"{own}-{number}-{each}" for each in range(BATCH)]
        body = [event(name) for name in names]
        begun = time.monotonic()
        while (answer := post(live.server, "/v1/events", body)) is None:
            time.sleep(AGAIN_SECONDS)
            begun = time.monotonic()
        told.acknowledged.append((begun, time.monotonic()))
        assert answer["accepted"] + answer["duplicates"] == BATCH, answer
        told.events += names
        number += 1


def ask_on(told: Told, live: Live) -> None:
    """Ask for recommendations, one after another, till the end."""
    while not told.stop.is_set():
        answer = post(live.server, "/v1/recommend", {"session": [], "k": 5})
        if answer is None:
            time.sleep(AGAIN_SECONDS)
        else:
            told.answers.append((answer["recommendation_id"], time.monotonic()))


def post(server: Server, path: str, document: object) -> dict[str, Any] | None:
    """The answer to a document; None if there was none, or nothing was taken."""
    host, port = address_of(server.url)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("POST", path, json.dumps(document), {"content-type": "application/json"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if response.status != 200:
        return None
    answer: dict[str, Any] = json.loads(body)
    return answer
