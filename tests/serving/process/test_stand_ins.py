"""No listening socket stays without somebody who accepts, and those who answer from a bundle come first."""

import asyncio

from serving.process.stand_ins import StandIns
from tests.serving.process.stand_in_workers import member


def told(children):
    """What each worker was told meanwhile, by slot."""
    said = {slot: child.channel.told[:] for slot, child in children.items()}
    for child in children.values():
        child.channel.told.clear()
    return said


def test_the_sockets_of_one_that_ends_go_to_one_that_has_a_bundle_and_come_back():
    children = {0: member(version="v"), 1: member(version="v"), 2: member(version="v")}
    stand_ins = StandIns(children)

    async def run():
        del children[0]
        await stand_ins.replace(0)
        assert told(children) == {1: [("accept", 0)], 2: []}
        children[0] = member()  # it loads yet
        del children[1]
        await stand_ins.replace(1)
        assert told(children) == {0: [], 2: [("accept", 1), ("accept", 0)]}
        children[1] = member()
        await stand_ins.end(0)
        assert told(children) == {0: [("accept", 0)], 1: [], 2: [("release", 0)]}
        await stand_ins.end(1)
        assert told(children) == {0: [], 1: [("accept", 1)], 2: [("release", 1)]}

    asyncio.run(run())


def test_where_no_one_has_a_bundle_anyone_accepts_and_where_nobody_runs_the_next_one_will():
    children = {1: member()}
    stand_ins = StandIns(children)

    async def run():
        await stand_ins.replace(0)
        assert told(children) == {1: [("accept", 0)]}
        del children[1]
        await stand_ins.replace(1)
        children[0] = member()
        await stand_ins.end(0)
        assert told(children) == {0: [("accept", 0)]}

    asyncio.run(run())
