"""A header field of which there must be one: two are refused, for one reader takes the first and another the last."""

import json
import socket
from collections.abc import Sequence

import httpx
import pytest
from tests.stories.running import App, Person, Server

from grantway.web.routes import ENDPOINTS, PAGES

HOST = b"Host: localhost"
TOKEN = b"POST /api/v0/oauth2/token HTTP/1.1"
LIVE = b"GET /health/live HTTP/1.1"
JSON = b"Content-Type: application/json"


def heard(server: Server, lines: Sequence[bytes], body: bytes = b"") -> tuple[int, bytes]:
    """The status and the body that come for these lines; all that comes until the connection is closed."""
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=30) as opened:
        opened.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
        answer = b""
        while piece := opened.recv(65536):
            answer += piece
    return int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]


NOT_HTTP: dict[str, tuple[list[bytes], int]] = {
    "one host": ([LIVE, HOST], 200),
    "an empty one": ([LIVE, b"Host:"], 200),
    "no host": ([LIVE], 400),
    "two hosts": ([LIVE, HOST, b"Host: elsewhere.example"], 400),
    "the same twice": ([LIVE, HOST, b"host: localhost"], 400),
    "HTTP/1.0": ([b"GET /health/live HTTP/1.0"], 200),
    "HTTP/1.0 with two": ([b"GET /health/live HTTP/1.0", HOST, HOST], 400),
    "no host for a page": ([b"GET /sign-in HTTP/1.1"], 400),
    "no host for nothing": ([b"GET /nothing HTTP/1.1"], 400),
    "two lengths": ([TOKEN, HOST, JSON, b"Content-Length: 2", b"Content-Length: 3"], 400),
    "the same length twice": ([TOKEN, HOST, JSON, b"Content-Length: 2", b"Content-Length: 2"], 400),
    "two lengths in one": ([TOKEN, HOST, JSON, b"Content-Length: 2, 2"], 400),
    "length and chunks": ([TOKEN, HOST, JSON, b"Content-Length: 2", b"Transfer-Encoding: chunked"], 400),
    "chunks and length": ([TOKEN, HOST, JSON, b"Transfer-Encoding: chunked", b"Content-Length: 2"], 400),
}


@pytest.mark.parametrize(("lines", "status"), NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_no_http(server: Server, lines: list[bytes], status: int) -> None:
    told, body = heard(server, lines, b"{}" if lines[0] == TOKEN else b"")
    assert (told, body) == (status, b"Bad Request" if status == 400 else body)


def test_a_second_request_without_host_is_refused_after_the_first_is_answered(server: Server) -> None:
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=30) as opened:
        opened.sendall(LIVE + b"\r\n" + HOST + b"\r\n\r\n")
        first = opened.recv(65536)
        opened.sendall(LIVE + b"\r\n\r\n")
        second = b""
        while piece := opened.recv(65536):
            second += piece
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("name", [b"Authorization", b"Content-Type"])
@pytest.mark.parametrize("endpoint", [*ENDPOINTS, *PAGES], ids=lambda one: f"{one.method} {one.path}")
def test_two_on_every_route(server: Server, endpoint: object, name: bytes) -> None:
    method, path = (str(getattr(endpoint, part)) for part in ("method", "path"))
    for said in (b"Bearer a", b"Basic eDp5"):
        path = path.replace("{", "").replace("}", "")
        lines = [f"{method} {path} HTTP/1.1".encode(), HOST, name + b": " + said, b"Content-Length: 2", name + b": Bearer b"]
        status, body = heard(server, lines, b"{}")
        assert status == 400, body
        if path.startswith("/api/"):
            refused = json.loads(body)
            assert refused["error"] == "invalid_request"
            assert refused["error_description"] == f"The header field {name.decode()} is there more than once."


def test_its_developer_is_told(server: Server, developer: Person, client: App) -> None:
    body = json.dumps(client.body("x" * 20)).encode()
    lines = [TOKEN, HOST, JSON, b"Authorization: Bearer a", b"authorization: Bearer a", f"Content-Length: {len(body)}".encode()]
    status, text = heard(server, lines, body)
    assert status == 400
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{json.loads(text)['trace_id']}").json()
    assert [one["cause"] for one in found["faults"]] == ["multiple_auth_methods"]
    assert found["remedy"].startswith("Send one Authorization header at most")
