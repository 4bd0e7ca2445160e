"""What a worker does at its parent's word."""

import asyncio
import socket

import pytest

from serving.process.worker import Worker
from serving.settings import Settings


@pytest.fixture
def listeners():
    made = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield made
    for listener in made:
        listener.close()


def told(worker, op, **arguments):
    """What the worker answers to an operation, as the channel would ask for it."""
    return worker._handle(op, arguments)


def test_it_accepts_from_the_slots_it_is_told_and_closes_the_others_at_the_end(tmp_path, listeners):
    async def run():
        worker = Worker(Settings(tmp_path, admin_port=0), listeners)
        await told(worker, "accept", slot=0)
        await told(worker, "accept", slot=1)
        await told(worker, "release", slot=0)
        worker._close_others()

    asyncio.run(run())
    assert [listener.fileno() == -1 for listener in listeners] == [True, False]


def test_its_samples_are_json(tmp_path, listeners):
    async def run():
        return await told(Worker(Settings(tmp_path, admin_port=0), listeners), "samples")

    names = {family["name"] for family in asyncio.run(run())}
    assert {"tillside_answers", "tillside_queue_depth"} <= names


def test_a_word_that_it_does_not_know_is_refused(tmp_path, listeners):
    async def run():
        await told(Worker(Settings(tmp_path), listeners), "dance")

    with pytest.raises(ValueError, match="a worker cannot dance"):
        asyncio.run(run())


def test_a_fault_of_the_channel_ends_it_as_one_that_hears_nothing_serves_what_is_old(tmp_path, listeners):
    async def run():
        worker = Worker(Settings(tmp_path), listeners)
        ours, theirs = socket.socketpair()
        await worker._channel.open(theirs)
        with ours:
            ours.sendall((3).to_bytes(8) + b"{{{")
            with pytest.raises(ValueError):
                await worker._obey()
        return worker._process.server.should_exit

    assert asyncio.run(run())
