"""One POST as bytes and its answer from bytes (RFC 9112): what is sent and understood, whoever carries it."""

import io
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.parse import urlencode, urlsplit

from grantway.connect.error import NoAnswerError

MAX_ANSWER = 1024 * 1024
"""Bytes of an answer with its head: an access grant for a hundred places has some 50,000."""

_USUAL_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Where a request goes, and its bytes."""

    host: str
    port: int
    is_tls: bool
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def post(url: str, form: Mapping[str, str]) -> Outgoing:
    """The request that posts a form. It asks the server to close the connection, so that an answer ends where the bytes do."""
    parts = urlsplit(url)
    body = urlencode(form).encode()
    lines = (
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: grantway-connect",
        "Accept: application/json",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return Outgoing(
        host=parts.hostname or "",
        port=parts.port or _USUAL_PORT[parts.scheme],
        is_tls=parts.scheme == "https",
        content="\r\n".join((*lines, "", "")).encode() + body,
    )


def reply(data: bytes) -> Reply:
    """The answer in those bytes; a redirect is one like any other, and followed by nobody. NoAnswerError when it is cut, or no HTTP."""
    response = HTTPResponse(cast("socket.socket", _Received(data)), method="POST")
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(status=response.status, headers=headers, body=response.read())
    except (HTTPException, OSError, OverflowError, ValueError):
        raise NoAnswerError("no_answer", "what answers does not speak HTTP, or broke off" if data else "the server hung up") from None


class _Received:
    """What HTTPResponse asks of a socket, for bytes that are all there."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)
