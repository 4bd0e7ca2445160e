"""Requests that name their shopper alone beside those with the same events, and kills while shoppers are forgotten.

Kills: senders send each batch until it is acknowledged, and some of them again; shoppers are forgotten at random, and
server, collector or the process that rewrites the log is killed. At the end no record of a forgotten shopper from
before the order may be there, every other acknowledged event must be there, and none twice.
"""

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.feedback_kills import AGAIN_SECONDS, BATCH, Live, post
from benchmarks.servers import collector, tillside
from serving.bench.load import address_of
from serving.feedback.forget import pending_orders
from tillside.bundle import CATALOGUE
from tillside.feedback.events import Event, encode_event
from tillside.feedback.segments import CONFLICTS, EVENTS, EXPOSURES, SegmentWriter, read_segment, segments_of

SHOPPERS: Final = 200
VISIT: Final = 10
"""Events of each."""
REQUESTS: Final = 500
FORGETTABLE: Final = 40
"""Shoppers of the kills, few, so that one who was forgotten comes back."""
PENDING_SECONDS: Final = 180.0


def shopper_key(work: Path, bundle: Path, *, rounds: int) -> dict[str, float]:
    """Processor time of requests by key as a multiple of that of the same requests with their events, in turn."""
    items = json.loads((bundle / CATALOGUE / "catalogue.json").read_text(encoding="utf-8"))["item_ids"]
    behaviour = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["behaviours"][0]
    now_ms, writer = int(time.time() * 1000), SegmentWriter(work / "feedback" / EVENTS)
    bodies: dict[str, list[dict[str, Any]]] = {"key": [], "events": []}
    for shopper in range(SHOPPERS):
        events = [(items[(shopper + step) % len(items)], now_ms - 1000 * (VISIT - step)) for step in range(VISIT)]
        kept = [
            Event(event_id=f"{shopper}-{at}", kind=behaviour, time=at, received=at, shopper=f"s{shopper}", item=item)
            for item, at in events
        ]
        writer.append(map(encode_event, kept))
        session = [{"item_id": item, "behaviour": behaviour, "timestamp": at} for item, at in events]
        bodies["key"].append({"shopper_id": f"s{shopper}"})
        bodies["events"].append({"shopper_id": f"s{shopper}", "session": session})
    writer.close()
    flags = ("--workers", "1", "--feedback", str(work / "feedback"), "--shoppers", "memory")
    seconds = dict.fromkeys(bodies, 0.0)
    with tillside(bundle, log=work / "server.log", flags=flags) as server:
        host, port = address_of(server.url)
        connection = http.client.HTTPConnection(host, port)
        for number in range(rounds):
            for name in ("key", "events") if number % 2 else ("events", "key"):
                before = server.cpu_seconds()
                for asked in range(REQUESTS):
                    body = json.dumps(bodies[name][asked % SHOPPERS])
                    connection.request("POST", "/v1/recommend", body, {"content-type": "application/json"})
                    answer = json.loads(connection.getresponse().read())
                    assert answer.get("remembered_events", VISIT) == VISIT, answer
                seconds[name] += server.cpu_seconds() - before
    return {"cpu_ratio": seconds["key"] / seconds["events"], "cpu_us": seconds["key"] / rounds / REQUESTS * 1e6}


@dataclass
class Said:
    """What was acknowledged.

    Attributes:
        events: shopper of each event by its id, and when it was sent first, UTC milliseconds.
        forgotten: time of each shopper's latest order.
    """

    events: dict[str, tuple[str, float]] = field(default_factory=dict)
    forgotten: dict[str, int] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)


def forget_kills(work: Path, bundle: Path, *, count: int, seed: int) -> dict[str, float]:
    """Kill ``count`` times, at random what is killed."""
    rng = np.random.default_rng(seed)
    folder, said = work / "feedback", Said()
    flags = ("--feedback", str(folder), "--shoppers", "memory", "--workers", "2", "--grace-seconds", "0")
    serving = Live(lambda: tillside(bundle, log=work / "server.log", flags=flags, admin=True))
    collecting = Live(lambda: collector(folder, log=work / "collector.log"))
    threads = [threading.Thread(target=_send, args=(said, collecting, number)) for number in range(2)]
    threads.append(threading.Thread(target=_ask, args=(said, serving)))
    for thread in threads:
        thread.start()
    for _ in range(count):
        time.sleep(float(rng.uniform(0.2, 2.0)))
        shopper = f"s{rng.integers(FORGETTABLE)}"
        status, report = serving.server.delete_admin(f"/v1/shoppers/{shopper}")
        if status == 202:
            said.forgotten[shopper] = report["time_ms"]
        time.sleep(float(rng.uniform(0.0, 3.5)))
        victim = int(rng.integers(3))
        if victim == 2:
            _kill_erasers(folder)
        else:
            (serving, collecting)[victim].kill()
            (serving, collecting)[victim].restart()
    said.stop.set()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + PENDING_SECONDS
    while pending_orders(folder)[0] and time.monotonic() < deadline:
        time.sleep(AGAIN_SECONDS)
    serving.close()
    collecting.close()
    return {"kills": float(count), "pending": float(len(pending_orders(folder)[0])), **verdict(said, folder)}


def verdict(said: Said, folder: Path) -> dict[str, float]:
    """What of the forgotten is left in a folder, what of the others is missing, and what is there more than once."""
    left, found = 0, Counter[str]()
    for name in (EVENTS, CONFLICTS, EXPOSURES):
        for path in segments_of(folder / name):
            for record in read_segment(path, report=lambda torn: None):
                document = json.loads(record)
                since = document.get("received") or document["time"]
                left += since <= said.forgotten.get(document.get("shopper"), -1)
                if name == EVENTS:
                    found[document["event_id"]] += 1
    lost = sum(
        event not in found and sent > said.forgotten.get(shopper, -1) for event, (shopper, sent) in said.events.items()
    )
    doubled = sum(times > 1 for times in found.values())
    counts = {"events": len(said.events), "forgotten": len(said.forgotten), "left": left, "lost": lost}
    return {name: float(value) for name, value in {**counts, "doubled": doubled}.items()}


def _send(said: Said, live: Live, own: int) -> None:
    """Send batches, each until it is acknowledged, and every third one again."""
    rng, number = np.random.default_rng(own), 0
    while not said.stop.is_set():
        sent, body = time.time() * 1000, []
        for each in range(BATCH):
            shopper = f"s{rng.integers(FORGETTABLE)}"
            body.append({"event_id": f"{own}-{number}-{each}", "kind": "click", "item": "fig", "shopper": shopper})
        for _ in range(2 if number % 3 == 0 else 1):
            while (answer := post(live.server, "/v1/events", body)) is None:
                time.sleep(AGAIN_SECONDS)
            assert answer["accepted"] + answer["duplicates"] == BATCH, answer
        said.events.update({event["event_id"]: (event["shopper"], sent) for event in body})
        number += 1


def _ask(said: Said, live: Live) -> None:
    rng = np.random.default_rng(0)
    while not said.stop.is_set():
        document: dict[str, Any] = {"shopper_id": f"s{rng.integers(FORGETTABLE)}", "k": 5}
        if post(live.server, "/v1/recommend", document) is None:
            time.sleep(AGAIN_SECONDS)


def _kill_erasers(folder: Path) -> None:
    """Kill whatever rewrites the log of this folder."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = each.read_bytes().split(b"\0")
            if b"serving.feedback.forget" in command and str(folder).encode() in command:
                os.kill(int(each.parent.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue
