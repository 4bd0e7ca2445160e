"""A collector in memory of this process, over a folder, and what lies in that folder."""

import asyncio
import contextlib
import json
import zlib
from pathlib import Path

import httpx

from serving.collector.app import Collector
from serving.collector.intake import Intake
from serving.collector.metrics import CollectorMetrics
from serving.collector.seen import SeenIds
from serving.collector.settings import CollectorSettings
from serving.collector.sources import Sources, open_to_all
from serving.collector.stores import FolderStore
from serving.protocol.limits import Limits
from tillside.feedback.events import decode_event
from tillside.feedback.segments import read_segment, segments_of

CLICK = {"event_id": "e1", "kind": "click", "time": 5, "item": "fig", "recommendation_id": "nobody knows it"}
NOW = 1_700_000_000.5


@contextlib.asynccontextmanager
async def collecting(
    folder: Path,
    *,
    sources: Sources | None = None,
    salt=None,
    most_events=10,
    waiting=1000,
    ready=True,
    body_bytes=5000,
):
    """A client of a collector that keeps its events in ``folder``; the collector itself is its ``app``."""
    limits = Limits(body_bytes=body_bytes, body_seconds=5)
    settings = CollectorSettings(
        folder, folder, sources=sources or open_to_all(), most_events=most_events, limits=limits
    )
    store = FolderStore(folder)
    seen = SeenIds(folder / "seen", store.ids_of)
    seen.catch_up(segments_of(store.ids_folder))
    intake = Intake(store, seen, salt=salt, most=waiting, clock=lambda: NOW)
    app = Collector(settings, intake, CollectorMetrics(waiting=lambda: 0, seen=lambda: len(seen), runs=lambda: 0))
    app.ready = ready
    running = asyncio.create_task(intake.run())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector") as client:
        client.app, client.store, client.intake, client.seen = app, store, intake, seen
        yield client
    intake.end()
    await running
    intake.close()


async def sent(client, document, *, lines=False, gzip=False, **headers):
    """The response to events, sent as JSON, or as a line each."""
    body = b"\n".join(json.dumps(each).encode() for each in document) if lines else json.dumps(document).encode()
    if gzip:
        packer = zlib.compressobj(wbits=31)
        body = packer.compress(body) + packer.flush()
        headers["content-encoding"] = "gzip"
    kind = "application/x-ndjson" if lines else "application/json"
    return await client.post("/v1/events", content=body, headers={"content-type": kind, **headers})


def kept(folder: Path, name="events"):
    """Events that lie in a folder."""
    return [decode_event(record) for path in segments_of(folder / name) for record in read_segment(path)]
