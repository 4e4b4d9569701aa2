"""uvicorn's HTTP/1.1 with the bounds that it lacks: how long a request's head may be, and how long all of it may take to come.

Without them one connection fills the memory with a head that never ends, and a thousand that say nothing take every place.
"""

import asyncio

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 * 1024
"""Bytes of request line and header fields, or thereabouts: they come in pieces."""
MOST_REQUEST = 16 * 1024 * 1024
"""Bytes of a whole request. A longer body was refused by the app at 64 KiB, and the answer has gone."""
PATIENCE_SECONDS = 30.0
"""From the first byte of a request to its last, and from a connection to its first request."""

_REFUSAL = b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    _is_in_head = True
    _has_asked = False
    _bytes = 0
    _began: float | None = None
    """When what is awaited was begun; None while nothing is: a request is worked on, or the connection is kept for another."""
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come."""
        super().connection_made(transport)
        self._began = self.loop.time()
        self._watch = self.loop.call_later(PATIENCE_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request, or of several."""
        super().data_received(data)
        if self._began is None or self.transport.is_closing():
            return
        self._bytes += len(data)
        # only now: the parser had to see them first, to tell whether the head is over
        if self._is_in_head and self._bytes > MOST_HEAD:
            self._end(431, b"Request Header Fields Too Large")
        elif self._bytes > MOST_REQUEST:
            self._end(413, b"Content Too Large")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._is_in_head, self._bytes, self._began = True, 0, self.loop.time()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field; what stands behind a body in chunks is nothing that we know (RFC 9110 section 6.5.1: may be dropped)."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there. Two that read it must not see two hosts in it: there must be one (RFC 9112 section 3.2)."""
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            raise HttpParserError("Host")  # goes through the parser to `send_400_response`
        self._is_in_head = False
        super().on_headers_complete()
        self._has_asked = True

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._began = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - what was wrong is not told to whoever speaks no HTTP
        """The request is none."""
        self._end(400, b"Bad Request")

    def _look(self) -> None:
        """End the connection when what is awaited has taken too long, else look again when it will have."""
        waited = 0.0 if self._began is None else self.loop.time() - self._began
        if waited >= PATIENCE_SECONDS:
            self._end(408, b"Request Timeout")
        else:
            self._watch = self.loop.call_later(PATIENCE_SECONDS - waited, self._look)

    def _end(self, status: int, words: bytes) -> None:
        """Say why, unless that would run into another answer, and close."""
        if not (self._has_asked and self._is_being_answered()):
            self.transport.write(_REFUSAL % (status, words, len(words), words))
        self.transport.close()

    def _is_being_answered(self) -> bool:
        """Whether an answer has begun and not ended: to the last request whose head is whole, or to one before it."""
        is_under_way = self.cycle.response_started or self._is_in_head
        return bool(self.pipeline) or (is_under_way and not self.cycle.response_complete)
