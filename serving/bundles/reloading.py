"""Two-phase change of the active bundle: first load, reload, rollback.

First every answerer loads and verifies the new bundle beside the old one (prepare); only when all have, all swap
(conclude). So a bundle refused by one is used by none, and the old one never stops answering. A rollback loads the
previous bundle from its folder again, with the same verification: keeping it in memory would double the server's
memory for a rare event.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol, TypedDict

from serving.bundles.private_copies import PrivateCopies
from tillside.cli.secrets import without_secrets

log = logging.getLogger("serving")

Result = Literal["loaded", "refused", "rolled_back"]
VERBS: Final = {"loaded": "loaded", "rolled_back": "rolled back to"}


class Report(TypedDict):
    """Result of the latest reload or rollback.

    ``at`` is UTC, ISO 8601; ``folder`` the bundle's folder name; ``bundle`` its version, null if it was refused;
    ``reason`` why it was refused, else null.
    """

    result: Result
    at: str
    folder: str
    bundle: str | None
    reason: str | None


class Answerers(Protocol):
    """The processes that answer requests: this one, or all workers."""

    async def prepare(self, path: Path) -> str:
        """Load and verify the bundle beside the active one, and return its version.

        Raises:
            ValueError: the bundle is refused; nothing has changed.
        """
        ...

    async def conclude(self, report: Report) -> None:
        """Swap to the prepared bundle, or discard it if the report says refused."""
        ...


class Reloads:
    """Bundle changes of one server, serialised by a lock.

    Args:
        source: the bundle's folder; if it is a symbolic link, every reload resolves it again.
        fetch: updates ``source`` before each reload; raises ValueError if it cannot.
        copies: what is loaded is a copy made there; None for the folder itself.

    Attributes:
        current: folder of the active bundle, links resolved; None before the first.
        loaded: folder that it was loaded from, its private copy if there is one.
        reason: why a bundle was refused last; None if none was.
    """

    def __init__(
        self,
        source: Path,
        answerers: Answerers,
        *,
        fetch: Callable[[], Awaitable[None]] | None = None,
        copies: PrivateCopies | None = None,
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._copies = copies
        self._answerers = answerers
        self._lock = asyncio.Lock()
        self.current: Path | None = None
        self.reason: str | None = None
        self._previous: Path | None = None
        self.loaded: Path | None = None
        self._installed: Report | None = None

    async def reload(self, name: str | None = None) -> Report:
        """Load the bundle that the source resolves to now, or the folder ``name`` beside the current one.

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
        """Load the previous bundle; a second rollback undoes the first.

        Raises:
            ValueError: there is no previous bundle.
        """
        if self._previous is None:
            raise ValueError("no bundle has answered before this one, so there is nothing to go back to")
        return await self._install(self._previous, "rolled_back")

    async def bring(self, replacement: Answerers) -> str | None:
        """Install the active bundle in a new answerer; returns its version, or None without an active bundle.

        Raises:
            ValueError: the new answerer refuses it.
        """
        async with self._lock:
            if self.loaded is None or self._installed is None:
                return None
            version = await replacement.prepare(self.loaded)
            await replacement.conclude(self._installed)
            return version

    def _follow(self) -> Path:
        """The source with links resolved; unresolved if they form a loop, so that loading refuses it."""
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
            held = path if self._copies is None else await asyncio.to_thread(self._copies.of, path)
            try:
                version = await self._answerers.prepare(held)
            except ValueError as error:
                report = await self._refuse(path, ValueError(str(error).replace(str(held), str(path))))
                await self._drop(held)
                return report
            except Exception as error:  # whatever a foreign file brings: the server goes on with what it has
                log.error("loading failed", exc_info=error)
                report = await self._refuse(
                    path, ValueError(f"it cannot be loaded ({type(error).__name__}); see the log")
                )
                await self._drop(held)
                return report
            self._installed = report = _report(result, path, version=version)
            if path != self.current:
                self._previous, self.current = self.current, path
            replaced, self.loaded = self.loaded, held
            log.info("%s bundle %s from %s", VERBS[result], version, path)
            await self._answerers.conclude(report)
            await self._drop(replaced)
            return report

    async def _drop(self, copy: Path | None) -> None:
        if self._copies is not None:
            await asyncio.to_thread(self._copies.drop, copy)

    async def _refuse(self, path: Path, error: ValueError) -> Report:
        """Report a refusal to all answerers; the active bundle stays."""
        reason = without_secrets(str(error))
        report = _report("refused", path, reason=reason)
        self.reason = reason
        log.error("bundle refused: %s", error)
        if self.current is None:
            log.error("without a bundle every answer is not_ready: the shop's own list (--static FILE) or empty")
        await self._answerers.conclude(report)
        return report


def _report(result: Result, path: Path, *, version: str | None = None, reason: str | None = None) -> Report:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"result": result, "at": at, "folder": path.name, "bundle": version, "reason": reason}
