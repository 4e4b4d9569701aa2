"""A real server in a thread, with a clock that stories can turn, and the people who walk through it over HTTP."""

import asyncio
import itertools
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from tests.engines import database_settings
from tests.no_tls import NO_TLS

from grantway import app
from grantway.app import Grantway, utc_now
from grantway.cli.serve import HttpServer, run
from grantway.clients import assertion
from grantway.config import Config

REDIRECT_URI = "https://myapp.com/callback"
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


class Clock:
    """The server's clock: real time, moved as far as a story says."""

    def __init__(self) -> None:
        self.moved = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.moved

    @contextmanager
    def later(self, by: timedelta) -> Iterator[None]:
        """While this is open, it is later by so much."""
        self.moved += by
        try:
            yield
        finally:
            self.moved -= by


@dataclass
class Server:
    """A running server and what is behind it."""

    url: str
    clock: Clock
    grantway: Grantway
    loop: asyncio.AbstractEventLoop
    http: httpx.Client = field(repr=False)

    def wait_for(self, work: Any) -> Any:
        """The result of a coroutine, run on the server's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What the database answers to this SELECT."""
        return list(self.wait_for(self.grantway.database.read(sql, *values)))


@contextmanager
def running(data: Path, **settings: Any) -> Iterator[Server]:
    """A server on a free port over that folder, until the end of the block."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    port = listening.getsockname()[1]
    config = Config(**{"data": data, "port": port, "rate_limits": False, **database_settings(str(data)), **settings})
    started, box, clock = threading.Event(), [], Clock()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        async with app.opened(config, clock) as grantway:
            server = uvicorn.Server(HttpServer(grantway).config)
            servers.append(server)
            box.append((grantway, asyncio.get_running_loop()))
            started.set()
            await server.serve([listening])

    # on the loop of `grantway serve`; asyncio's own would delay each answer by some 40 ms, for want of TCP_NODELAY
    thread = threading.Thread(target=run, args=(serve(),))
    thread.start()
    assert started.wait(60)
    grantway, loop = box[0]
    moment = time.time()
    grantway.house.rate_limits._counts._clock = lambda: moment  # no minute turns in the middle of a story
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=NO_TLS) as http:
            yield Server(f"http://127.0.0.1:{port}", clock, grantway, loop, http)
    finally:  # also of a story that fails: the tests would never end
        servers[0].should_exit = True
        thread.join()
        listening.close()


@dataclass
class Person:
    """Somebody signed in, as a user or as a developer."""

    http: httpx.Client = field(repr=False)
    token: str = field(repr=False)
    email: str

    def call(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        """One request with this person's session."""
        return self.http.request(method, path, json=body, headers={"Authorization": f"Bearer {self.token}"}, **more)


@dataclass
class App:
    """A registered app: it signs assertions and presents codes."""

    http: httpx.Client = field(repr=False)
    clock: Clock
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = REDIRECT_URI

    def jwt(self, secret: str | None = None, **claims: Any) -> str:
        """A fresh assertion; claims given here replace its own, None leaves one out."""
        now = int(self.clock().timestamp())
        all_claims = {"client_id": self.client_id, "exp": now + 240, "jti": secrets.token_hex(8), **claims}
        return assertion.sign({name: value for name, value in all_claims.items() if value is not None}, secret or self.client_secret)

    def body(self, code: str, /, **changes: Any) -> dict[str, Any]:
        """The body of a token request; None leaves a field out."""
        body = {
            "client_id": self.client_id,
            "client_secret": self.jwt(),
            "redirect_uri": self.redirect_uri,
            "code": code,
            "passphrase": "",
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}

    def exchange(self, code: str, /, **changes: Any) -> httpx.Response:
        """Present a code."""
        return self.http.post("/api/v0/oauth2/token", json=self.body(code, **changes))


def person(server: Server, kind: str = "user") -> Person:
    """Register somebody new and sign in."""
    base = "/api/v0/auth" if kind == "user" else "/api/v0/developer/auth"
    who = {"name": f"{kind} {next(_numbers)}", "email": f"{kind}{next(_numbers)}@example.org", "password": PASSWORD}
    assert server.http.post(f"{base}/register", json=who).status_code == 201
    token = server.http.post(f"{base}/token", json=who).json()["token"]
    server.http.cookies.clear()
    return Person(server.http, token, who["email"])


def new_app(server: Server, developer: Person, **changes: Any) -> App:
    """Register an app."""
    body = {"name": "Photo Box", "redirect_uris": [REDIRECT_URI], **changes}
    made = developer.call("POST", "/api/v0/developer/auth/oauth2/clients", body)
    assert made.status_code == 201, made.text
    return App(server.http, server.clock, made.json()["client_id"], made.json()["client_secret"])


def asked(user: Person, client: App, scope: list[str] | None = None, **extra: Any) -> dict[str, Any]:
    """Put the app's request before the user."""
    body = {"client_id": client.client_id, "redirect_uri": client.redirect_uri, "scope": scope or ["read", "write"], **extra}
    answer = user.call("POST", "/api/v0/oauth2/request", body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def approved(user: Person, client: App, scope: list[str] | None = None, consent: dict[str, Any] | None = None, **extra: Any) -> str:
    """Ask and approve all that is asked; the code."""
    request_id = asked(user, client, scope, **extra)["request_id"]
    body = {"request_id": request_id, "approved_scopes": scope or ["read", "write"], **(consent or {})}
    answer = user.call("POST", "/api/v0/oauth2/consent", body)
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["code"]
    return code
