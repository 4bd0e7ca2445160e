"""Which worker accepts from a slot's listening socket while the slot's own is not up.

A socket from which nobody accepts hangs its clients: so what a worker that ends had in its care, its own socket and
those that it stood in for, goes to another at once, and to one that has a bundle where there is any.
"""

import contextlib
from collections.abc import Mapping

from serving.process.crew import Child


class StandIns:
    """Stand-ins of the slots.

    Args:
        children: workers that run, by slot.
    """

    def __init__(self, children: Mapping[int, Child]) -> None:
        self._children = children
        self._instead: dict[int, int] = {}

    async def replace(self, gone: int) -> None:
        """Let another worker accept from all sockets that the one of slot ``gone`` accepted from; it runs no more."""
        ready = (slot for slot, child in self._children.items() if child.version)
        other = next(ready, next(iter(self._children), None))
        for slot in [gone, *(slot for slot, by in self._instead.items() if by == gone and slot != gone)]:
            if other is None:
                self._instead.pop(slot, None)
            else:
                self._instead[slot] = other
                await self.order(other, "accept", slot)

    async def end(self, slot: int) -> None:
        """Let the slot's own worker accept from its socket, and its stand-in no more."""
        await self.order(slot, "accept", slot)
        other = self._instead.pop(slot, slot)
        if other != slot:
            await self.order(other, "release", slot)

    async def order(self, worker: int, op: str, slot: int) -> None:
        """Make a worker accept from a slot's socket or release it; ignored if the worker has gone."""
        with contextlib.suppress(ConnectionError, KeyError):
            await self._children[worker].channel.call(op, slot=slot)
