"""Requests that never end, or never begin: each is refused within a bound, and everybody else is served."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from itertools import repeat

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.running import Server

from grantway.cli import bounded_http

HEAD = b"POST /api/v0/oauth2/token HTTP/1.1\r\nhost: localhost\r\n"
CHUNKED = HEAD + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
ENDLESS = {
    "header fields": (HEAD, b"a: b\r\n", b"431"),
    "one header field": (HEAD + b"a: ", b"b" * 1000, b"431"),
    "one name": (HEAD, b"a" * 1000, b"431"),
    "an address": (b"GET /", b"a" * 1000, b"4"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"a: b\r\n", b"413"),
    "one trailer": (CHUNKED + b"2\r\n{}\r\n0\r\na: ", b"b" * 1000, b"413"),
}
SLOW = {
    "nothing": b"",
    "half a line": b"GET /hea",
    "half a head": HEAD,
    "half a body": HEAD + b"content-length: 100\r\n\r\n{",
    "half a chunk": CHUNKED + b"9\r\n{",
}


@contextmanager
def connection(server: Server) -> Iterator[socket.socket]:
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=60) as opened:
        yield opened


def answer(opened: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    heard = b""
    try:
        while piece := opened.recv(65536):
            heard += piece
    except ConnectionResetError:  # what we had sent beyond the bound was never read
        pass
    return heard


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends(server: Server, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(bounded_http, "MOST_REQUEST", 200_000)
    begin, piece, status = ENDLESS[what]
    with connection(server) as opened:
        opened.sendall(begin)
        sent = 0
        try:
            for block in repeat(piece * 100):
                opened.sendall(block)
                sent += len(block)
                assert sent < 20_000_000
        except (BrokenPipeError, ConnectionResetError):
            pass
        heard = answer(opened)
    assert heard == b"" or heard.startswith(b"HTTP/1.1 " + status)
    assert httpx.get(f"{server.url}/health/live", verify=NO_TLS).status_code == 200


def test_a_head_too_long_is_told(server: Server) -> None:
    """As above, but sent up to the bound and no further: nothing is on its way that could undo the answer."""
    with connection(server) as opened:
        opened.sendall(HEAD + b"a: ")
        opened.sendall(b"b" * bounded_http.MOST_HEAD)
        assert answer(opened).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.mark.parametrize("what", SLOW)
def test_what_does_not_come(server: Server, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(bounded_http, "PATIENCE_SECONDS", 0.2)
    with connection(server) as opened:
        opened.sendall(SLOW[what])
        assert answer(opened).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert httpx.get(f"{server.url}/health/live", verify=NO_TLS).status_code == 200


def test_whoever_was_answered_may_ask_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience is for one request: a connection that is kept begins anew with each."""
    monkeypatch.setattr(bounded_http, "PATIENCE_SECONDS", 0.5)
    url = httpx.URL(server.url)
    kept = HTTPConnection(url.host, url.port, timeout=60)

    def asked() -> int:
        kept.request("GET", "/health/live")
        heard = kept.getresponse()
        heard.read()
        return heard.status

    with closing(kept), connection(server) as silent:
        assert [asked(), asked()] == [200, 200]
        assert answer(silent).startswith(b"HTTP/1.1 408")  # half a second has gone
        assert asked() == 200


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2-integration"])
def test_a_url_full_of_names(server: Server, path: str) -> None:
    """Each is looked at for its like, and nobody waits for long meanwhile."""
    began = time.process_time()
    names = "&".join(f"{number:x}" for number in range(0x1000, 0x1000 + 12_000))
    assert server.http.get(f"{path}?{names}").status_code == 400
    assert time.process_time() - began < 1
