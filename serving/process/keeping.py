"""Changes that come by the admin port: one after another, checked, kept on disk, and the same in all workers.

A change is tried on by every worker first, then kept on disk, then put in force, and only then answered: so what was
answered with 200 survives a kill, and what one worker refuses none has. A new worker gets all of it before its first
answer, and so does a new server that is given the state of another one.
"""

import asyncio
import logging
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from msgspec import structs

from serving.policy.feeds import FeedReport, OutdatedFeedError, combined
from serving.policy.revisions import Revision, Revisions, TriedOn
from serving.policy.state_folder import State, StateFolder, exported, imported
from serving.protocol.errors import ProblemError
from serving.settings import Settings
from tillside.cli.secrets import without_secrets
from tillside.policy import ItemsFeed

log = logging.getLogger("serving")
FETCH_SECONDS: Final = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
Change = Mapping[str, Any]
"""Fields of :class:`ByHand` and their new values."""


class Wearers(Protocol):
    """The processes that answer requests: this one, or all workers."""

    async def stock(self, feed: ItemsFeed, *, late: bool = False) -> FeedReport:
        """Apply an items feed."""
        ...

    async def try_on(self, revision: Revision, *, changed: str | None, take_unknown: bool) -> TriedOn:
        """Make what ``revision`` needs, beside what is in force.

        Args:
            changed: the field whose names must be known to the shop; the others' are only remarked on.
            take_unknown: its names are only remarked on too.

        Raises:
            ValueError: it holds mistakes, one a line; a ConflictError if it is only not for this shop.
            ConnectionError: nobody was left to say; nothing may be kept that could end them all again.
        """
        ...

    async def settle(self, *, kept: bool) -> None:
        """Put in force what was tried on, or forget it."""
        ...


class Keeper:
    """Items feed and revisions of one server.

    Attributes:
        feed: sum of all feeds.
        waiting: why the server has no state yet, in words; None once it has.
        lock: held while a change is under way.

    Raises:
        ValueError: the state folder cannot be used.
    """

    def __init__(self, settings: Settings, wearers: Wearers) -> None:
        self._wearers = wearers
        self._url, self._token = settings.state_from, settings.state_token
        self._folder = None if settings.state is None else StateFolder(settings.state)
        self._revisions = Revisions() if self._folder is None else self._folder.revisions
        self.feed: ItemsFeed | None = None if self._folder is None else self._folder.feed
        self.waiting: str | None = "what was set by hand is being read"
        self.lock = asyncio.Lock()
        self._opened = asyncio.Event()

    @property
    def current(self) -> Revision:
        """The revision in force."""
        return self._revisions.current

    async def open(self) -> None:
        """Take over the state of another server, if one is named, and give the workers what there is.

        Waits until the other server answers: without its state this one could sell what is sold out.
        """
        pause = FIRST_PAUSE
        while self._url is not None:
            try:
                await self._take_over(imported(await asyncio.to_thread(_fetch, self._url, self._token)))
                break
            except (ValueError, OSError) as error:
                self.waiting = f"the state of {without_secrets(self._url)} could not be taken over: {error}"
                log.error("%s; trying again in %g s", self.waiting, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        async with self.lock:
            await self.give(self._wearers)
            self.waiting = None
        self._opened.set()

    async def opened(self) -> None:
        """Wait for :meth:`open` to end."""
        await self._opened.wait()

    async def give(self, wearers: Wearers) -> None:
        """Give feed and revision to processes that have neither; :attr:`lock` is held."""
        if self.feed is not None:
            await wearers.stock(self.feed, late=True)
        if self.current.revision:
            try:
                await wearers.try_on(self.current, changed=None, take_unknown=True)
            except ConnectionError:
                return  # they ended; those that come after them get it
            except ValueError as error:
                log.error("what was set by hand does not hold any more: %s", error)
            await wearers.settle(kept=True)

    async def stock(self, feed: ItemsFeed) -> FeedReport:
        """Keep and apply an items feed.

        Raises:
            OutdatedFeedError: it is older than the one in use.
            ProblemError: it cannot be kept, or the server has no state yet.
        """
        async with self.lock:
            self._refuse_while_waiting()
            OutdatedFeedError.check(self.feed, feed)
            if self._folder is not None:
                await _kept(self._folder.add, feed)
                self.feed = self._folder.feed
            else:
                self.feed = await asyncio.to_thread(combined, self.feed, feed)
            return await self._wearers.stock(feed, late=True)

    async def change(self, change: Change, *, take_unknown: bool = False) -> dict[str, Any]:
        """Change one field of what is set by hand; returns the report of the new revision.

        Raises:
            ValueError: it holds mistakes, one a line; nothing has changed. A ConflictError if it is only not for this
                shop as it stands.
            ProblemError: it cannot be kept, or the server has no state yet.
        """
        (field,) = change
        async with self.lock:
            self._refuse_while_waiting()
            by_hand = structs.replace(self.current.by_hand, **change)
            return await self._put(self._revisions.changed(field, by_hand), field, take_unknown)

    async def undo(self, revision: int | None = None) -> dict[str, Any]:
        """Go back to a revision, or to the one before this.

        Raises:
            ValueError: there is none, or it holds mistakes by now.
            ProblemError: it cannot be kept, or the server has no state yet.
        """
        async with self.lock:
            self._refuse_while_waiting()
            return await self._put(self._revisions.undone(revision), None, True)

    def document(self) -> dict[str, Any]:
        """What is set by hand, and the revisions there are."""
        now = self.current
        return {**structs.asdict(now), "by_hand": now.by_hand, "revisions": self._revisions.listed()}

    def state(self) -> bytes:
        """State for another server to take over."""
        self._refuse_while_waiting()
        return exported(self.feed, self.current)

    def close(self) -> None:
        """Let another server have the state folder."""
        if self._folder is not None:
            self._folder.close()

    async def _put(self, revision: Revision, changed: str | None, take_unknown: bool) -> dict[str, Any]:
        tried: TriedOn
        try:
            tried = await self._wearers.try_on(revision, changed=changed, take_unknown=take_unknown)
            await _kept(self._revisions.keep, revision)
        except BaseException as error:
            await self._wearers.settle(kept=False)
            if isinstance(error, ConnectionError):
                detail = f"nothing was changed, as {error}; the log says how workers ended"
                raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", detail) from None
            raise
        await self._wearers.settle(kept=True)
        log.info("revision %d of what is set by hand: %s", revision.revision, revision.change)
        return {"revision": revision.revision, "at": revision.at, "change": revision.change, **tried}

    async def _take_over(self, state: State) -> None:
        feed = state.items_feed()
        async with self.lock:
            if feed is not None and self._folder is not None:
                await asyncio.to_thread(self._folder.add, feed)
                self.feed = self._folder.feed
            elif feed is not None:
                self.feed = combined(self.feed, feed)
            if state.revision.revision > self.current.revision:
                await asyncio.to_thread(self._revisions.keep, state.revision)

    def _refuse_while_waiting(self) -> None:
        if self.waiting is not None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", self.waiting)


async def _kept(keep: Any, what: Any) -> None:
    """Keep something on disk.

    Raises:
        ProblemError: 507, it cannot be written.
    """
    try:
        await asyncio.to_thread(keep, what)
    except OSError as error:
        detail = f"nothing was changed, as it cannot be kept in the state folder: {error.strerror or error}"
        raise ProblemError(HTTPStatus.INSUFFICIENT_STORAGE, "not-kept", detail) from None


def _fetch(url: str, token: str | None) -> bytes:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=FETCH_SECONDS) as response:
            data: bytes = response.read()
            return data
    except urllib.error.HTTPError as error:
        raise ValueError(f"it answered {error.code}") from None
    except urllib.error.URLError as error:
        raise ValueError(str(error.reason)) from None
