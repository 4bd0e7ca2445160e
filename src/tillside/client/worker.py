"""An event loop in a daemon thread, for callers without one: they wait for a coroutine so long and no longer.

The thread starts with the first question, so a client that was made before a server forked its workers works in them.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")
F = TypeVar("F")
STOP_SECONDS: Final = 1.0


class Worker:
    """The loop and its thread.

    Args:
        finish: awaited on the loop before it ends.
    """

    def __init__(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._finish = finish
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def run(self, make: Callable[[], Coroutine[Any, Any, T]], *, seconds: float, late: F, stopped: F) -> T | F:
        """What the coroutine returns; ``late`` if that takes longer than ``seconds``; ``stopped`` where none can run:
        after :meth:`stop`, or in a process that ends and starts no thread any more.
        """
        with self._lock:  # stop() closes no loop between the question whether it runs and the hand-over
            try:
                loop = None if self._stopped else self._started()
            except RuntimeError:
                loop = None
            if loop is None:
                return stopped
            future = asyncio.run_coroutine_threadsafe(make(), loop)
        try:
            return future.result(seconds)
        except concurrent.futures.CancelledError:
            return stopped
        except TimeoutError:
            return late
        finally:
            future.cancel()

    def stop(self) -> None:
        """Cancel what runs, close, and end the thread; waits for it about a second at most."""
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
            if loop is None or thread is None or not thread.is_alive():
                return
            loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_serve, args=(loop, self._finish), name="tillside-client", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                loop.close()
                raise
            self._loop, self._thread = loop, thread
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop.run_forever()
    try:
        if unfinished := asyncio.all_tasks(loop):
            for task in unfinished:
                task.cancel()
            loop.run_until_complete(asyncio.wait(unfinished))
        loop.run_until_complete(finish())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
