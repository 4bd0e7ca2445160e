"""Which bundle answers: the first one, a reload, a rollback, each in two steps.

First everybody who answers loads the new bundle beside the old one and proves it; only when all have, all swap. So a
bundle that is refused anywhere is used nowhere, and the old one has never stopped answering. A rollback loads the
bundle before this one again from its folder, with the same proof: keeping it in memory would double what a server
needs for the sake of a rare minute.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol, TypedDict

log = logging.getLogger("serving")

Result = Literal["loaded", "refused", "rolled_back"]
VERBS: Final = {"loaded": "loaded", "rolled_back": "rolled back to"}


class Report(TypedDict):
    """What became of the latest bundle that was tried.

    ``folder`` is the last part of its path; ``bundle`` its version, null where it was refused; ``reason`` says why.
    """

    result: Result
    at: str
    folder: str
    bundle: str | None
    reason: str | None


class Answerers(Protocol):
    """Those who answer requests: this process, or all workers."""

    async def prepare(self, path: Path) -> str:
        """Load and prove the bundle beside the one that answers; its version.

        Raises:
            ValueError: it is refused; nothing has changed.
        """
        ...

    async def conclude(self, report: Report) -> None:
        """Swap to what was prepared, or forget it where the report says refused."""
        ...


class Reloads:
    """The bundles of one server, one change at a time.

    Args:
        source: the bundle's folder; where it is a link, every reload follows it anew.
        fetch: brings ``source`` up to date before that; ValueError where it cannot.

    Attributes:
        current: the folder that answers, links resolved; None until one does.
        reason: why the latest bundle was refused, if it was.
    """

    def __init__(
        self, source: Path, answerers: Answerers, *, fetch: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._answerers = answerers
        self._lock = asyncio.Lock()
        self.current: Path | None = None
        self.reason: str | None = None
        self._previous: Path | None = None
        self._installed: Report | None = None

    async def reload(self, name: str | None = None) -> Report:
        """Load what the source points to now, or the folder ``name`` beside the current one.

        Raises:
            ValueError: ``name`` is not the name of a folder there.
        """
        if name is not None:
            return await self._install(self._beside(name), "loaded")
        if self._fetch is not None:
            try:
                await self._fetch()
            except ValueError as error:
                if self.current is not None or not self._source.exists():
                    async with self._lock:
                        return await self._refuse(self._source, error)
                log.error("%s; the copy fetched before this one is taken", error)
        return await self._install(self._follow(), "loaded")

    async def rollback(self) -> Report:
        """Go back to the bundle before this one; called twice, it is undone.

        Raises:
            ValueError: there is none before this one.
        """
        if self._previous is None:
            raise ValueError("no bundle has answered before this one, so there is nothing to go back to")
        return await self._install(self._previous, "rolled_back")

    async def bring(self, newcomer: Answerers) -> str | None:
        """Give somebody new the bundle that answers; its version, or None where there is none.

        Raises:
            ValueError: it is refused there.
        """
        async with self._lock:
            if self.current is None or self._installed is None:
                return None
            version = await newcomer.prepare(self.current)
            await newcomer.conclude(self._installed)
            return version

    def _follow(self) -> Path:
        """Where the source leads now; itself, to be refused, where it leads in a circle."""
        try:
            return self._source.resolve()
        except (OSError, RuntimeError):
            return self._source.absolute()

    def _beside(self, name: str) -> Path:
        shelf = (self.current or self._follow()).parent
        plain = 0 < len(name.encode()) < 256 and not {"/", "\0"} & set(name) and name not in (".", "..")
        if not plain or (shelf / name).resolve().parent != shelf:
            raise ValueError(f"bundle must be the name of a folder beside the current one, got {name[:60]!r}")
        return (shelf / name).resolve()

    async def _install(self, path: Path, result: Result) -> Report:
        async with self._lock:
            try:
                version = await self._answerers.prepare(path)
            except ValueError as error:
                return await self._refuse(path, error)
            self._installed = report = _report(result, path, version=version)
            if path != self.current:
                self._previous, self.current = self.current, path
            log.info("%s bundle %s from %s", VERBS[result], version, path)
            await self._answerers.conclude(report)
            return report

    async def _refuse(self, path: Path, error: ValueError) -> Report:
        """Everybody stays with what answers."""
        report = _report("refused", path, reason=str(error))
        self.reason = str(error)
        log.error("bundle refused: %s", error)
        await self._answerers.conclude(report)
        return report


def _report(result: Result, path: Path, *, version: str | None = None, reason: str | None = None) -> Report:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"result": result, "at": at, "folder": path.name, "bundle": version, "reason": reason}
