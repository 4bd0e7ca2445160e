"""Reading from a connection, that can be held: no end of an answer resumes it while bytes wait to be parsed."""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """uvicorn's flow control of one connection.

    Surprising: uvicorn resumes reading at the end of each answer, however many requests wait behind it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._held = self._wanted = False

    def hold(self, held: bool) -> None:
        """Read no more while ``held``; afterwards again, if somebody wanted to meanwhile."""
        if held == self._held:
            return
        if held:
            self._wanted = not self.read_paused
            self.pause_reading()
            self._held = True
        else:
            self._held = False
            if self._wanted:
                self.resume_reading()

    def resume_reading(self) -> None:
        """Read again, or as soon as it is not held."""
        if self._held:
            self._wanted = True
        else:
            super().resume_reading()
