"""Groups: what comes during one sync is made durable by the next, and nobody is answered before."""

import asyncio
import threading
from pathlib import Path

import pytest

from serving.collector.intake import FullError, Intake
from serving.collector.seen import SeenIds
from tillside.feedback.events import Event
from tillside.feedback.segments import SegmentWriter


class Slow:
    """A store whose syncs wait to be told, and may fail."""

    def __init__(self, folder: Path) -> None:
        self.ids, self.ids_folder, self.state = SegmentWriter(folder), folder, folder
        self.groups: list[int] = []
        self.began, self.go, self.error = threading.Semaphore(0), threading.Semaphore(0), None

    def keep(self, events, ids, conflicts):
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
