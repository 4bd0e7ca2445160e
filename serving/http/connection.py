"""One HTTP connection: uvicorn's protocol with an end to everything.

Nothing waits for ever: neither headers, nor the rest of a body that was answered early, nor an answer that nobody
reads, nor a close. And nothing is parsed in advance: what comes behind a request that waits for its turn stays bytes,
and the client is not read from until it is parsed. Surprising: ``Upgrade`` is ignored, as RFC 9110 (7.8) lets a server;
the parser would end the message at its headers, so the head is parsed anew without that header, before the application
hears of it.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.http.flow import Flow
from serving.http.problems import last_answer
from serving.http.request_head import HeadersTooLargeError, UnfitRequestError, unfit, without_upgrade
from serving.http.room import Room
from serving.protocol.errors import ProblemError
from serving.protocol.limits import Limits

PIECE_BYTES: Final = 4096
"""Parsed at once: some hundred requests of the shortest."""
CLOSING_SECONDS: Final = 5.0
"""Time that a closed connection has for its last bytes."""


class Connection(HttpToolsProtocol):
    """One connection; made by :func:`connections_within`, which gives it its limits and its room."""

    limits: Limits
    room: Room
    _received = 0
    _counted = 0
    _begun = False
    _heading = True
    _upgrading = False
    _half_closed = False
    _why: str | None = None
    _unparsed = b""
    _refusal: bytes | None = None
    flow: Flow
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport)
        self._owed = deque[RequestResponseCycle]()
        self.room.waiting[self] = None
        self._end_after(self.limits.body_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.leave(self)
        self._stop_timers()
        self._forget_answers()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves it after an error

    def abort(self) -> None:
        """Close at once, without what is left to send; an answer that is being made is for nobody from here on."""
        self.room.leave(self)
        self._forget_answers()
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.parser is None or self.transport.is_closing() or self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        self._unparsed += data
        self._parse()
        if (
            self._heading
            and self._deadline is None
            and not self._in_flight()
            and not self.transport.is_closing()
            and (self._begun or self.timeout_keep_alive_task is None)
        ):
            self._end_after(self.limits.body_seconds)  # something has come, and no request yet

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that has sent all it wants still gets its answer."""
        self._half_closed = any(not cycle.response_complete and not cycle.more_body for cycle in self._owed)
        return self._half_closed

    def send_400_response(self, msg: str) -> None:
        if self._counted > self.limits.header_bytes:
            self._refuse_headers()
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "invalid-request", self._why or msg)

    def on_message_begin(self) -> None:
        self._begun, self._heading, self._counted = True, True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        if self._heading:  # else it is a trailer, which must not pass for a header (RFC 9110, 6.5.1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._unfit("CONNECT is not served here")
            self._upgrading = True
            return
        if why := unfit(self.parser.get_http_version(), self.headers):
            self._unfit(why)
        super().on_headers_complete()
        self._begun, self._heading, self._received = False, False, 0
        self._stop_deadline()
        while self._owed and self._owed[0].response_complete:
            self._owed.popleft()
        self._owed.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._received = 0
        if not self.cycle.response_complete:
            self.room.hold(self, len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        super().on_message_complete()
        self._heading, self._received = True, 0
        self._stop_deadline()
        if not self.cycle.response_complete:
            self.room.waiting.pop(self, None)
        elif not self.transport.is_closing():
            self._keep_alive()

    def on_response_complete(self) -> None:
        self.room.let_go(self)
        super().on_response_complete()
        self._parse()
        if self._refusal is not None and not self._owing():
            self._close_with(self._refusal)
        if self.cycle is None or not self.cycle.response_complete:
            self._unset_keepalive_if_required()
            return  # the next of several requests is being answered
        self.room.waiting[self] = None
        if self._half_closed and not self.transport.is_closing():
            self.transport.close()
        if self.transport.is_closing():
            self._close()
        elif self._begun or not self._heading:  # a head begun, or the rest of a body answered early, has so long
            self._unset_keepalive_if_required()
            self._end_after(self.limits.body_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.room.block(self, self.transport.get_write_buffer_size() + len(self._unparsed))
        self.room.waiting[self] = None
        if self._unread is None:
            self._unread = self.loop.call_later(self.limits.body_seconds, self.abort)

    def resume_writing(self) -> None:
        self.room.unblock(self)
        if self._answering():
            self.room.waiting.pop(self, None)
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def _forget_answers(self) -> None:
        """Let no answer be written any more; uvicorn tells the latest of several requests alone."""
        for cycle in self._owed:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _in_flight(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _answering(self) -> bool:
        """Whether a whole request has come and its answer is not out."""
        return self._in_flight() and not self.cycle.more_body

    def _owing(self) -> bool:
        return any(not cycle.response_complete for cycle in self._owed)

    def _parse(self) -> None:
        """Parse what has come, up to a request that waits for its turn."""
        if not self._unparsed:
            return
        data, at = self._unparsed, 0
        while at < len(data) and not (self.pipeline or self._refusal or self.transport.is_closing()):
            piece = data[at : at + PIECE_BYTES]
            at += len(piece)
            self._received += len(piece)
            try:
                self._feed(piece)
            except httptools.HttpParserError:
                self.send_400_response("the request is not valid HTTP/1.1")
            else:
                if self._received > self.limits.header_bytes and not self.transport.is_closing():
                    self._refuse_headers()
        self._unparsed = data[at:] if self.pipeline else b""  # else nobody will ask for the rest
        self.flow.hold(bool(self._unparsed))

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = memoryview(data)[upgrade.args[0] :]
            while rest is not None:
                head = without_upgrade(self.parser, self.url, self.headers)
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self._upgrading = False
                self.parser.feed_data(head)
                try:
                    if rest:
                        self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as another:
                    rest = rest[another.args[0] :]

    def _unfit(self, why: str) -> None:
        self._why = why
        raise UnfitRequestError

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > self.limits.header_bytes:
            raise HeadersTooLargeError

    def _refuse_headers(self) -> None:
        detail = f"the request line and the headers must be at most {self.limits.header_bytes} bytes"
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", detail)

    def _refuse(self, status: HTTPStatus, kind: str, detail: str) -> None:
        """Refuse what is being parsed, once those before it are answered: clients tell answers by their order."""
        if self.transport.is_closing() or self._refusal is not None:
            return
        self._refusal = last_answer(ProblemError(status, kind, detail))
        if not self._heading:
            self._give_up_latest()
        if not self._owing():
            self._close_with(self._refusal)

    def _give_up_latest(self) -> None:
        """Let the latest request, in whose body the fault lies, be answered by the refusal, unless it was before."""
        cycle = self._owed.pop()
        if cycle.response_started:
            self._refusal = b""
        if not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()

    def _close_with(self, last: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(last)
            self._close()

    def _keep_alive(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _end_after(self, seconds: float) -> None:
        self._stop_deadline()
        self._deadline = self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        self._deadline = None
        if self._in_flight():
            self._end_after(self.limits.body_seconds)  # what is late is a further request on the same connection
        else:
            self._close()

    def _close(self) -> None:
        """Close, and after a while also if the client does not read what is left to send."""
        self._stop_deadline()
        self._deadline = self.loop.call_later(CLOSING_SECONDS, self.abort)
        self.transport.close()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_timers(self) -> None:
        self._stop_deadline()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def connections_within(limits: Limits, room: Room) -> type[Connection]:
    """The protocol class of one port."""
    return type("BoundedConnection", (Connection,), {"limits": limits, "room": room})
