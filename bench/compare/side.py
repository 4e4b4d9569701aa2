"""What a side is: how it is told from the others, how it is started, and how it is asked for the three jobs."""

import base64
import json
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

import jwt

from bench import servers
from bench.compare.install import Tools
from bench.flow import ASSERTION_TYPE, CHALLENGE, JWT_LIFE, REDIRECT_URI, VERIFIER, App
from bench.load import message
from bench.postgres import Postgres

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What authenticates a client in one request: fields of the form, headers."""

    fields: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Client(Protocol):
    """A registered client that can prove who it is, and be told with the wrong key."""

    @property
    def app(self) -> App:
        """Its id and secret."""

    def prove(self) -> Credentials:
        """Fresh credentials for one request."""

    def impostor(self) -> "Client":
        """The same id with another key."""


@dataclass(frozen=True, slots=True)
class JwtClient:
    """client_secret_jwt (HS256), or private_key_jwt where `key` is a private one; each JWT has a `jti` of its own."""

    app: App
    audience: str
    key: Any = None
    algorithm: str = "HS256"

    def prove(self) -> Credentials:
        """A JWT signed just now."""
        now, client_id = int(time.time()), self.app.client_id
        # `client_id` is for Grantway's v0 contract, the rest is RFC 7523; all sides get both.
        claims: dict[str, Any] = {"client_id": client_id, "iss": client_id, "sub": client_id, "aud": self.audience}
        claims |= {"iat": now, "exp": now + JWT_LIFE, "jti": secrets.token_hex(16)}
        assertion = jwt.encode(claims, self.key or self.app.client_secret, algorithm=self.algorithm)
        return Credentials({"client_id": client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})

    def impostor(self) -> "JwtClient":
        """Signed with a secret that nobody registered."""
        return replace(self, app=App(self.app.client_id, secrets.token_hex(32)), key=None, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class BasicClient:
    """client_secret_basic: the secret itself, in a header."""

    app: App

    def prove(self) -> Credentials:
        """The header."""
        both = f"{self.app.client_id}:{self.app.client_secret}".encode()
        return Credentials(headers={"Authorization": f"Basic {base64.b64encode(both).decode()}"})

    def impostor(self) -> "BasicClient":
        """With a secret that nobody registered."""
        return BasicClient(App(self.app.client_id, secrets.token_hex(32)))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The paths of the three jobs; introspection may have a port of its own."""

    token: str = "/token"
    introspection: str = "/introspect"
    revocation: str = "/revoke"
    introspection_port: int | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A side that runs, and the requests for its jobs as RFC 6749, 7636, 7662 and 7009 have them."""

    server: servers.Server
    client: Client
    codes: Callable[[int], list[str]]
    endpoints: Endpoints = Endpoints()
    field: str = "access_token"
    beside: str = ""
    """Another field that an exchange must answer with; empty: none."""

    @property
    def introspection_port(self) -> int:
        """Where introspection is asked."""
        return self.endpoints.introspection_port or self.server.port

    def exchange(self, code: str, *, verifier: str = VERIFIER, credentials: Credentials | None = None) -> bytes:
        """Code in, token out."""
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": verifier}
        return self._form(self.server.port, self.endpoints.token, asked, credentials)

    def introspect(self, token: str) -> bytes:
        """What the token is worth now."""
        return self._form(self.introspection_port, self.endpoints.introspection, {"token": token})

    def revoke(self, token: str) -> bytes:
        """The token's end."""
        return self._form(self.server.port, self.endpoints.revocation, {"token": token})

    def _form(self, port: int, path: str, asked: dict[str, str], credentials: Credentials | None = None) -> bytes:
        shown = credentials or self.client.prove()
        return message("POST", port, path, urllib.parse.urlencode(asked | shown.fields).encode(), FORM | shown.headers)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a side runs: its cores, how many processes shall serve (where that can be said), PostgreSQL, a folder, and the tools."""

    cores: frozenset[int]
    processes: int
    postgres: Postgres
    folder: Path
    tools: Tools


@dataclass(frozen=True, slots=True)
class Side:
    """One row of the table. `install` gives what it is in words, or raises UnavailableError; `start` may be called after it."""

    key: str
    name: str
    storage: str
    client_proof: str
    install: Callable[[Tools], str]
    start: Callable[[Place], AbstractContextManager[Running]]
    notes: tuple[str, ...] = ()


def new_app() -> App:
    """A client's id and secret, for sides that take them from us."""
    return App(secrets.token_hex(16), secrets.token_hex(32))


def seeded(port: int) -> Callable[[int], list[str]]:
    """Codes from the `/codes` that our set-up of a peer answers, made by the peer's own models."""

    def codes(count: int) -> list[str]:
        url = f"http://127.0.0.1:{port}/codes?count={count}&challenge={CHALLENGE}"
        with urllib.request.urlopen(url, timeout=120) as answer:
            return cast("list[str]", json.load(answer)["codes"])

    return codes


@contextmanager
def gunicorn(place: Place, name: str, app: str, env: dict[str, str], port: int, workers: int, threads: int) -> Iterator[servers.Server]:
    """A WSGI peer: threads, which keep connections alive as gunicorn's sync workers cannot."""
    programs = Path(env["PEER_PROGRAMS"])
    options = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--worker-class", "gthread", "--threads", str(threads)]
    options += ["--keep-alive", "120", "--log-level", "warning", "--chdir", str(servers.HERE / "peers" / name)]
    with servers.running([programs / "gunicorn", *options, app], port, "/ready", servers.environment(**env), place.cores) as server:
        yield server
