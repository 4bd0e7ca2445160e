"""A timer that rings once for each time it was set, on Linux's timerfd and on the event loop's own timer."""

import asyncio
import time

import pytest

from serving.bench.alarm import Alarm

HOUR = 3600.0


@pytest.mark.parametrize("platform", ["linux", "elsewhere"])
def test_a_moment_that_has_passed_rings_at_once_and_once(platform, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)

    async def run():
        rung = asyncio.Event()
        rings = []

        def ring():
            rings.append(time.monotonic())
            rung.set()

        alarm = Alarm(ring)
        alarm.ring_at(time.monotonic() + HOUR)
        alarm.ring_at(time.monotonic())  # takes the place of the one in an hour
        await rung.wait()
        alarm.close()
        return rings

    assert len(asyncio.run(run())) == 1


@pytest.mark.parametrize("platform", ["linux", "elsewhere"])
def test_it_does_not_ring_before_its_time(platform, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)

    async def run():
        rung = asyncio.get_running_loop().create_future()
        alarm = Alarm(lambda: rung.set_result(time.monotonic()))
        moment = time.monotonic() + 0.01
        alarm.ring_at(moment)
        at = await rung
        alarm.close()
        return at >= moment

    assert asyncio.run(run())


@pytest.mark.parametrize("platform", ["linux", "elsewhere"])
def test_a_closed_one_is_silent(platform, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)

    async def run():
        rings = []
        alarm = Alarm(lambda: rings.append(1))
        alarm.ring_at(time.monotonic())
        alarm.close()
        alarm.close()  # which does no harm
        for _ in range(3):
            await asyncio.sleep(0)
        return rings

    assert asyncio.run(run()) == []
