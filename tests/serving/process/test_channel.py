"""Calls between the parent and a worker over a socket pair: values, refusals, and an end that has gone."""

import asyncio
import contextlib
import socket

import pytest

from serving.answering.board import AbsentNameError
from serving.process.channel import Channel
from serving.protocol.errors import FieldError
from tillside.policy import ConflictError
from tillside.policy.file.values import TermError

SECRET = "an-id-that-no-log-may-hold"


@contextlib.asynccontextmanager
async def pair(answer):
    """Two ends that run; the second answers calls by ``answer``."""

    async def nothing(op, arguments):
        raise AssertionError

    ends = [Channel(nothing), Channel(answer)]
    for channel, end in zip(ends, socket.socketpair(), strict=True):
        await channel.open(end)
    tasks = [asyncio.create_task(channel.run()) for channel in ends]
    try:
        yield ends
    finally:
        for channel in ends:
            channel.close()
        await asyncio.gather(*tasks)


def test_a_call_gets_its_own_value_however_the_answers_are_ordered():
    async def run():
        first_may_end = asyncio.Event()

        async def answer(op, arguments):
            if arguments["number"] == 1:
                await first_may_end.wait()
            else:
                first_may_end.set()
            return [op, arguments["number"]]

        async with pair(answer) as (parent, _):
            return await asyncio.gather(parent.call("ask", number=1), parent.call("ask", number=2))

    assert asyncio.run(run()) == [["ask", 1], ["ask", 2]]


def test_a_refusal_is_raised_where_the_call_was_made():
    async def answer(op, arguments):
        raise ValueError("it is bad")

    async def run():
        async with pair(answer) as (parent, _):
            await parent.call("prepare", path="x")

    with pytest.raises(ValueError, match="it is bad") as caught:
        asyncio.run(run())
    assert type(caught.value) is ValueError


@pytest.mark.parametrize(
    "error",
    [
        TermError("a list of 2", field="pins", allowed="a list of 3"),
        ConflictError("not for this shop"),
        ConflictError("a and b", field="b", allowed="c"),
        FieldError("k", "k must be 1", allowed="1"),
        AbsentNameError("placement", "placement must be a", allowed="a"),
    ],
)
def test_a_refusal_keeps_its_kind_and_its_field(error):
    async def answer(op, arguments):
        raise error

    async def run():
        async with pair(answer) as (parent, _):
            await parent.call("board")

    with pytest.raises(ValueError) as caught:
        asyncio.run(run())
    assert (type(caught.value), str(caught.value), vars(caught.value)) == (type(error), str(error), vars(error))


def test_a_fault_is_told_by_its_type_alone(caplog):
    async def answer(op, arguments):
        raise KeyError(SECRET)

    async def run():
        async with pair(answer) as (parent, _):
            await parent.call("stock")

    with pytest.raises(ValueError, match=r"^stock failed with KeyError$"):
        asyncio.run(run())
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


def test_when_the_other_end_goes_calls_that_wait_and_later_ones_fail():
    async def run():
        asked = asyncio.Event()

        async def answer(op, arguments):
            asked.set()
            await asyncio.Event().wait()

        async with pair(answer) as (parent, worker):
            waiting = asyncio.create_task(parent.call("prepare"))
            await asked.wait()
            worker.close()
            with pytest.raises(ConnectionError, match="the other end has gone"):
                await waiting
            with pytest.raises(ConnectionError, match="the other end has gone"):
                await parent.call("prepare")

    asyncio.run(run())


def test_a_late_answer_to_a_call_that_was_given_up_is_nobody_elses():
    """Of all calls under way each gets its own; one that timed out left its number to another, once."""

    async def run():
        may_end = asyncio.Event()

        async def answer(op, arguments):
            await may_end.wait()
            return op

        async with pair(answer) as (parent, _):
            late = asyncio.create_task(parent.call("samples"))
            await asyncio.sleep(0)
            late.cancel()
            await asyncio.gather(late, return_exceptions=True)
            del late
            asyncio.get_running_loop().call_soon(may_end.set)
            return await asyncio.gather(*(parent.call("stock") for _ in range(20)))

    assert asyncio.run(run()) == ["stock"] * 20


@pytest.mark.slow
def test_a_message_may_have_any_length():
    """What is set by hand may be this long: each of five lists 64 MB, and a name escaped takes more."""
    text = "x" * (1 << 27)

    async def answer(op, arguments):
        return len(arguments["text"])

    async def run():
        async with pair(answer) as (parent, _):
            return await parent.call("try_on", text=text)

    assert asyncio.run(run()) == 1 << 27
