"""The sync and the async client: the same rules around one HTTP exchange.

Neither raises for failures of the server or the network. An invalid argument is a ValueError before anything is sent.
"""

import abc
import asyncio
import functools
import logging
import os
import ssl
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from typing import Final, Self, TypeVar

from tillside.client.answers import PlacedRecommendation, Recommendation
from tillside.client.breaker import Breaker
from tillside.client.exchange import AsyncExchange, Exchange, Failure
from tillside.client.messages import AnyQuestion, PageQuestion, PlacementQuestion, Question, check_deadline
from tillside.client.requests import Event, PagePlacement, Request

log = logging.getLogger("tillside.client")
Answered = TypeVar("Answered")

DEFAULT_TIMEOUT_MS: Final = 50
MOST_SENTENCES: Final = 100
"""Distinct messages logged, each once; further ones are dropped."""

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()
_left_behind: list[Exchange] = []
"""The parent's exchanges after a fork, referenced so that garbage collection does not close its connections."""


class _Caller(abc.ABC):
    """Steps before and after the exchange that both clients share.

    Args:
        url: base URL of the server, such as ``http://tillside:8080``.
        fallback: the shop's own item ids, best first, returned if the server gives no answer.
        timeout_ms: total timeout of one call, from 1 to 10000.
        token: the server's bearer token, if it requires one.
        breaker: circuit breaker, may be shared; a default one if None.
        on_failure: called with the ``degraded_reason`` whenever the fallback answers, in the caller's thread.
        tls: SSL context for a private CA or client certificates, with an https url.

    Raises:
        ValueError: an argument is invalid.
    """

    def __init__(
        self,
        url: str,
        *,
        fallback: Sequence[str] = (),
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        token: str | None = None,
        breaker: Breaker | None = None,
        on_failure: Callable[[str], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if isinstance(fallback, str) or not all(isinstance(item_id, str) for item_id in fallback):
            raise ValueError("fallback must be a sequence of item ids, got something else")
        self._fallback = tuple(fallback)
        self._seconds = check_deadline("timeout_ms", timeout_ms)
        self._breaker = Breaker() if breaker is None else breaker
        self._on_failure = on_failure
        self._logged: set[str] = set()
        self._start(url, token, tls)

    @abc.abstractmethod
    def _start(self, url: str, token: str | None, tls: ssl.SSLContext | None) -> None:
        """Create the exchange."""

    def _deadline(self, deadline_ms: float | None) -> float:
        seconds = self._seconds if deadline_ms is None else check_deadline("deadline_ms", deadline_ms)
        return time.monotonic() + seconds

    def _settle(self, question: AnyQuestion[Answered], ticket: int, outcome: bytes | Failure) -> Answered:
        """The decoded answer, or the fallback; reports the outcome to the breaker."""
        if isinstance(outcome, bytes):
            try:
                answer = question.decode(outcome)
            except ValueError:
                outcome = Failure("bad_answer")
            else:
                self._breaker.report(ticket, answered=True)
                return answer
        self._breaker.report(ticket, answered=outcome.answered)
        return self._own_answer(question, outcome)

    def _own_answer(self, question: AnyQuestion[Answered], failure: Failure) -> Answered:
        if failure.sentence:
            self._log_once(f"the request got the own list for an answer ({failure.reason}): {failure.sentence}")
        if self._on_failure is not None:
            try:
                self._on_failure(failure.reason)
            except Exception as error:
                self._log_once(f"on_failure raised {type(error).__name__}: {error}")
        return question.own_answer(self._fallback, reason=failure.reason)

    def _log_once(self, sentence: str) -> None:
        if sentence not in self._logged and len(self._logged) < MOST_SENTENCES:
            self._logged.add(sentence)
            log.warning("%s", sentence)


class Client(_Caller):
    """Synchronous client; thread-safe and fork-safe.

    Arguments as for :class:`_Caller`. Close it, or use it in a ``with`` statement.
    """

    _exchange: Exchange

    def recommend(
        self,
        session: Sequence[Event],
        *,
        behaviour: str | None = None,
        k: int | None = None,
        exclude: Collection[str] = (),
        history: Sequence[Event] = (),
        hide_seen: bool = False,
        deadline_ms: float | None = None,
    ) -> Recommendation:
        """Top-k next items for a session, or the fallback.

        Args:
            session: events of the session, oldest first.
            behaviour: target behaviour; the bundle's first one if None.
            k: number of items; 20 if None.
            exclude: item ids that must not be returned.
            history: events of the shopper's earlier sessions, oldest first.
            hide_seen: whether items of the session must not be returned.
            deadline_ms: total timeout of this call, from 1 to 10000; the client's ``timeout_ms`` if None.

        Raises:
            ValueError: an argument is invalid; nothing was sent.
        """
        asked = Question(session, behaviour=behaviour, k=k, exclude=exclude, history=history, hide_seen=hide_seen)
        return self._ask(asked, deadline_ms)

    def ask(self, request: Request, *, deadline_ms: float | None = None) -> Recommendation:
        """As :meth:`recommend`, for all that a request may say."""
        return self._ask(Question((), request=request), deadline_ms)

    def place(
        self, placement: str, request: Request | None = None, *, deadline_ms: float | None = None
    ) -> PlacedRecommendation:
        """Items of a placement of the policy, or the fallback.

        Raises:
            ValueError: an argument is invalid; nothing was sent.
        """
        return self._ask(PlacementQuestion(placement, request or Request()), deadline_ms)

    def page(
        self,
        placements: Sequence[str | PagePlacement],
        request: Request | None = None,
        *,
        deadline_ms: float | None = None,
    ) -> tuple[PlacedRecommendation, ...]:
        """Items of several placements, in their order, no item twice; or the fallback, dealt out likewise.

        Raises:
            ValueError: an argument is invalid; nothing was sent.
        """
        return self._ask(PageQuestion(placements, request or Request()), deadline_ms)

    def _ask(self, question: AnyQuestion[Answered], deadline_ms: float | None) -> Answered:
        deadline = self._deadline(deadline_ms)
        ticket = self._breaker.admit()
        if ticket is None:
            return self._own_answer(question, Failure("circuit_open"))
        try:
            outcome = self._exchange.ask(question, deadline=deadline)
        except BaseException:
            self._breaker.report(ticket, answered=None)
            raise
        return self._settle(question, ticket, outcome)

    def close(self) -> None:
        """Close the connections; calls in progress and later ones return the fallback."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, url: str, token: str | None, tls: ssl.SSLContext | None) -> None:
        self._make_exchange = functools.partial(Exchange, url, token=token, tls=tls)
        self._exchange = self._make_exchange()
        _clients.add(self)

    def _start_over(self) -> None:
        """Reinitialise in a forked child: the connections are the parent's, and its threads may hold copied locks."""
        _left_behind.append(self._exchange)
        self._breaker.reset()
        self._exchange = self._make_exchange()


class AsyncClient(_Caller):
    """Asyncio client; one per event loop.

    Arguments as for :class:`_Caller`. Close it, or use it in an ``async with`` statement.
    """

    _exchange: AsyncExchange

    def _start(self, url: str, token: str | None, tls: ssl.SSLContext | None) -> None:
        self._exchange = AsyncExchange(url, token=token, tls=tls)

    async def recommend(
        self,
        session: Sequence[Event],
        *,
        behaviour: str | None = None,
        k: int | None = None,
        exclude: Collection[str] = (),
        history: Sequence[Event] = (),
        hide_seen: bool = False,
        deadline_ms: float | None = None,
    ) -> Recommendation:
        """As :meth:`Client.recommend`; cancelling it cancels the request.

        Raises:
            ValueError: an argument is invalid; nothing was sent.
        """
        asked = Question(session, behaviour=behaviour, k=k, exclude=exclude, history=history, hide_seen=hide_seen)
        return await self._ask(asked, deadline_ms)

    async def ask(self, request: Request, *, deadline_ms: float | None = None) -> Recommendation:
        """As :meth:`Client.ask`."""
        return await self._ask(Question((), request=request), deadline_ms)

    async def place(
        self, placement: str, request: Request | None = None, *, deadline_ms: float | None = None
    ) -> PlacedRecommendation:
        """As :meth:`Client.place`."""
        return await self._ask(PlacementQuestion(placement, request or Request()), deadline_ms)

    async def page(
        self,
        placements: Sequence[str | PagePlacement],
        request: Request | None = None,
        *,
        deadline_ms: float | None = None,
    ) -> tuple[PlacedRecommendation, ...]:
        """As :meth:`Client.page`."""
        return await self._ask(PageQuestion(placements, request or Request()), deadline_ms)

    async def _ask(self, question: AnyQuestion[Answered], deadline_ms: float | None) -> Answered:
        deadline = self._deadline(deadline_ms)
        ticket = self._breaker.admit()
        if ticket is None:
            return self._own_answer(question, Failure("circuit_open"))
        outcome: bytes | Failure
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                outcome = await self._exchange.ask(question, deadline=deadline)
        except TimeoutError:
            outcome = Failure("timeout")
        except BaseException:
            self._breaker.report(ticket, answered=None)
            raise
        return self._settle(question, ticket, outcome)

    async def close(self) -> None:
        """Close the connections; later calls return the fallback."""
        await self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _start_clients_over() -> None:
    for client in list(_clients):
        client._start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_clients_over)
