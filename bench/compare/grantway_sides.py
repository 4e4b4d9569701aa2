"""Grantway as a side: on SQLite, and on PostgreSQL where this version of `grantway serve` takes `--database`."""

import contextlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import flow, servers
from bench.compare import install, notes
from bench.compare.install import Tools, UnavailableError
from bench.compare.side import Credentials, Endpoints, JwtClient, Place, Running, Side
from bench.load import post

PEOPLE = 8


@dataclass(frozen=True, slots=True)
class ExchangeInJson(Running):
    """The exchange of the v0 contract, which hands out a whole access grant; the other two jobs are forms like everybody's."""

    def exchange(self, code: str, *, verifier: str = flow.VERIFIER, credentials: Credentials | None = None) -> bytes:
        """The JWT of `credentials` stands in `client_secret`."""
        app = self.client.app
        proof = (credentials or self.client.prove()).fields["client_assertion"]
        body = {"client_id": app.client_id, "client_secret": proof, "redirect_uri": flow.REDIRECT_URI, "code": code}
        body |= {"code_verifier": verifier, "passphrase": ""}
        return post(self.server.port, flow.TOKEN_PATH, json.dumps(body).encode())


def _help(program: Path) -> str:
    return install.run("Grantway", [program, "serve", "--help"], env=servers.environment(COLUMNS="200"))


def _install(tools: Tools) -> str:
    program = install.grantway(tools.python)
    version = install.run("Grantway", [program, "--version"]).split()[-1]
    python = install.run("Python", [tools.python, "--version"]).split()[-1]
    processes = "a process for each core" if "--workers" in _help(program) else "one process"
    return f"Grantway {version} on Python {python}, {processes}"


def _install_for_postgres(tools: Tools) -> str:
    about = _install(tools)
    if "--database" not in _help(install.grantway(tools.python)):
        raise UnavailableError("this version of `grantway serve` has no --database; it is measured as soon as it has")
    return about


@contextlib.contextmanager
def _running(place: Place, database: str | None) -> Iterator[Running]:
    program, port = install.grantway(place.tools.python), servers.free_port()
    issuer = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [program, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", place.folder / "grantway"]
    if database:
        command += ["--database", database]
    if place.processes > 1 and "--workers" in _help(program):
        command += ["--workers", str(place.processes)]
    env = servers.environment(GRANTWAY_RATE_LIMITS="off", GRANTWAY_ISSUER=issuer)
    with servers.running(command, port, "/health/ready", env, place.cores) as server:
        walk = flow.prepare(port, PEOPLE)
        endpoints = Endpoints(introspection="/oauth2/introspect", revocation="/oauth2/revoke")
        client = JwtClient(walk.app, issuer)
        yield ExchangeInJson(server, client, lambda count: flow.codes(walk, count, challenge=flow.CHALLENGE), endpoints, "access_grant")


@contextlib.contextmanager
def _on_sqlite(place: Place) -> Iterator[Running]:
    own = place.folder / f"sqlite-{secrets.token_hex(4)}"
    own.mkdir()
    with _running(Place(place.cores, place.processes, place.postgres, own, place.tools), None) as running:
        yield running


@contextlib.contextmanager
def _on_postgres(place: Place) -> Iterator[Running]:
    with _running(place, place.postgres.url(place.postgres.make_database())) as running:
        yield running


NOTES = (notes.ACCESS_GRANT, notes.REMEMBERED, notes.JWT_ASKS)
SQLITE = Side("grantway-sqlite", "Grantway", "SQLite", "client_secret_jwt", _install, _on_sqlite, (*NOTES, notes.IN_PROCESS))
POSTGRES = Side("grantway-postgres", "Grantway", "PostgreSQL", "client_secret_jwt", _install_for_postgres, _on_postgres, NOTES)
