"""Groups: what comes during one sync is made durable by the next, and nobody is answered before."""

import asyncio
import threading
from pathlib import Path

import pytest

from serving.collector.intake import FullError, Intake
from serving.collector.seen import SeenIds
from serving.feedback.compacting import compact
from tests.serving.collector.collecting import collecting, kept, sent
from tillside.feedback.events import Event
from tillside.feedback.forgetting import Order, digest_of, orders_in
from tillside.feedback.segments import SegmentWriter
from tillside.feedback.subjects import hashed


class Slow:
    """A store whose syncs wait to be told, and may fail."""

    def __init__(self, folder: Path) -> None:
        self.ids, self.ids_folder, self.state = SegmentWriter(folder), folder, folder
        self.groups: list[int] = []
        self.began, self.go, self.error = threading.Semaphore(0), threading.Semaphore(0), None

    def keep(self, events, ids, conflicts, withdrawn=()):
        self.began.release()
        assert self.go.acquire(timeout=30)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.groups.append(len(events))

    def ids_of(self, record):
        return ()

    def close(self):
        pass


def click(number):
    return Event(event_id=str(number), kind="click", time=1, item="fig")


@pytest.fixture
def store(tmp_path):
    return Slow(tmp_path / "ids")


def intake_of(store, **options):
    return Intake(store, SeenIds(store.state / "seen", store.ids_of), salt=None, **options)


async def begun(store):
    assert await asyncio.to_thread(store.began.acquire, timeout=30)


def test_what_comes_during_a_sync_is_one_group(store):
    async def work():
        intake = intake_of(store)
        running = asyncio.create_task(intake.run())
        first = asyncio.create_task(intake.take([click(0)], None))
        await begun(store)
        later = [asyncio.create_task(intake.take([click(n), click(n)], None)) for n in (1, 2, 0)]
        await asyncio.sleep(0)
        assert not first.done()
        store.go.release(2)
        tallies = [await each for each in (first, *later)]
        intake.end()
        await running
        return [(each.accepted, each.duplicates) for each in tallies]

    assert asyncio.run(work()) == [(1, 0), (1, 1), (1, 1), (0, 2)]
    assert store.groups == [1, 2]


def test_of_a_group_that_fails_nothing_is_a_duplicate_later(store):
    async def work():
        intake = intake_of(store)
        running = asyncio.create_task(intake.run())
        store.error = OSError(5, "Input/output error")
        first = asyncio.create_task(intake.take([click(0)], None))
        await begun(store)
        second = asyncio.create_task(intake.take([click(0)], None))
        await asyncio.sleep(0)
        store.go.release(2)
        with pytest.raises(OSError, match="Input/output"):
            await first
        tally = await second
        intake.end()
        await running
        return tally.accepted, tally.duplicates

    assert asyncio.run(work()) == (1, 0)


def test_a_batch_beyond_the_bound_is_taken_where_no_other_waits(store):
    """Told to send it again, its sender would do so for ever."""

    async def work():
        intake = intake_of(store, most=3)
        running = asyncio.create_task(intake.run())
        store.go.release(1)
        tally = await intake.take([click(number) for number in range(5)], None)
        intake.end()
        await running
        return tally.accepted

    assert asyncio.run(work()) == 5


def test_beyond_its_bound_nothing_is_taken(store):
    async def work():
        intake = intake_of(store, most=3)
        running = asyncio.create_task(intake.run())
        first = asyncio.create_task(intake.take([click(0)], None))
        await begun(store)
        second = asyncio.create_task(intake.take([click(1), click(2), click(3)], None))
        await asyncio.sleep(0)
        assert intake.waiting == 3
        with pytest.raises(FullError):
            await intake.take([click(4)], None)
        store.go.release(2)
        await asyncio.gather(first, second)
        assert intake.waiting == 0
        intake.end()
        await running

    asyncio.run(work())


def test_the_end_keeps_what_waits(store):
    async def work():
        intake = intake_of(store)
        running = asyncio.create_task(intake.run())
        first = asyncio.create_task(intake.take([click(0)], None))
        await begun(store)
        second = asyncio.create_task(intake.take([click(1)], None))
        await asyncio.sleep(0)
        intake.end()
        store.go.release(2)
        await running
        assert first.done()
        return (await second).accepted

    assert asyncio.run(work()) == 1
    assert store.groups == [1, 1]


def test_a_full_segment_ends_and_its_ids_become_a_run(tmp_path):
    from serving.collector.stores import FolderStore

    store = FolderStore(tmp_path, segment_bytes=1)
    seen = SeenIds(tmp_path / "seen", store.ids_of)

    async def work():
        intake = Intake(store, seen, salt=None)
        running = asyncio.create_task(intake.run())
        tallies = [await intake.take([click(n)], None) for n in (0, 1, 0, 2)]
        intake.end()
        await running
        intake.close()
        return [(each.accepted, each.duplicates) for each in tallies]

    assert asyncio.run(work()) == [(1, 0), (1, 0), (0, 1), (1, 0)]
    assert seen.runs == 2
    assert len(seen) == 3


def told(folder):
    """Digests of shoppers whose withdrawn consent was told."""
    return [key for order in orders_in(folder / "withdrawn") for key in order.keys]


def view(number, **more):
    return {"event_id": str(number), "kind": "view", "item": "fig", **more}


@pytest.mark.parametrize("salt", [None, b"0123456789abcdef"])
def test_a_withdrawn_consent_is_told_once_and_again_after_another_consent(tmp_path, salt):
    async def work():
        async with collecting(tmp_path, salt=salt) as client:
            await sent(client, [view(1, shopper="ann"), view(2, shopper="ann", consent=False)])
            await sent(client, [view(3, shopper="ann", consent=False), view(4, consent=False)])
            one = told(tmp_path)
            await sent(client, [view(5, shopper="ann", consent=True)])
            await sent(client, [view(6, shopper="ann", consent=False)])
            return one, told(tmp_path)

    kept_key = "ann" if salt is None else hashed("ann", salt)
    one, both = asyncio.run(work())
    assert one == [digest_of(kept_key).hex()]
    assert both == 2 * one
    assert [event.shopper for event in kept(tmp_path)] == [kept_key, None, None, None, kept_key, None]


def test_a_withdrawn_consent_that_could_not_be_kept_is_told_with_the_next_try(tmp_path, monkeypatch):
    async def work():
        async with collecting(tmp_path) as client:
            with monkeypatch.context() as patch:
                patch.setattr(client.store.ids, "append", lambda events: 1 / 0)
                assert (await sent(client, [view(1, shopper="ann", consent=False)])).status_code == 503
            before = len(told(tmp_path))
            assert (await sent(client, [view(1, shopper="ann", consent=False)])).status_code == 200
            return before

    assert asyncio.run(work()) == 1  # told, though the event was not kept: that forgets too much, never too little
    assert len(told(tmp_path)) == 2


def test_segments_end_for_an_order_and_their_ids_stay_known(tmp_path):
    """After it the segments can lose a shopper, and an event that is sent again is still a duplicate."""

    async def work():
        async with collecting(tmp_path) as client:
            await sent(client, [view(1, shopper="ann"), view(2)])
            await sent(client, [view(1, item="other", shopper="ann")])
            client.intake.end_segments()
            while client.seen.runs == 0:
                await asyncio.sleep(0)
            done = compact(tmp_path, [Order([digest_of("ann").hex()], 4_000_000_000_000)])
            again = await sent(client, [view(1, shopper="ann"), view(2)])
            return done, again.json()["duplicates"]

    done, duplicates = asyncio.run(work())
    assert (done.records, done.waiting) == (2, [])  # the event, and the one that contradicted it
    assert duplicates == 2
    assert [event.event_id for event in kept(tmp_path)] == ["2"]


def test_an_idle_intake_ends_its_segments_too_and_then_waits(tmp_path):
    async def work():
        async with collecting(tmp_path) as client:
            client.intake.end_segments()
            await asyncio.sleep(0)
            return (await sent(client, [view(1)])).status_code

    assert asyncio.run(work()) == 200
