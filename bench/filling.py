"""Fill a database with years of other people's rows, in bulk and by SQL: what a server has stored long before the measurement begins.

Ids are ordered by time and digests are random, as those of a server are, so that the indexes get the shape that they have in life.
"""

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from bench import flow
from grantway import app
from grantway.accounts.account import Account, Kind
from grantway.clients import secret
from grantway.config import Config
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault, Finding
from grantway.sealing import NONCE_BYTES, Sealing
from grantway.storage.sqlite import FILE_NAME
from grantway.storage.statements import to_micros
from grantway.trail import Check, Outcome

CACHE_KIB = 2_000_000
APPS = 64
"""So many of the clients do the measured exchanges."""
GRANTS_OF_ONE_PERSON = 50
_LIFETIME = 30 * 86_400_000_000
"""Of a consent, in microseconds."""
_SCOPES = '["read","write","list","bucket:photos"]'

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each there are to be."""

    clients: int
    grants: int
    findings: int

    def scaled(self, scale: float) -> "Sizes":
        """The same at another scale, at least a thousand of each."""
        return Sizes(*(max(1000, round(count * scale)) for count in (self.clients, self.grants, self.findings)))

    @property
    def people(self) -> int:
        """Who gave the grants."""
        return max(1, self.grants // GRANTS_OF_ONE_PERSON)


@dataclass(slots=True)
class Filling:
    """The rows, table by table. `sealing` is the server's own; `developer` owns every client; `now` in microseconds."""

    sizes: Sizes
    sealing: Sealing
    developer: str
    now: int

    def tables(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        """Name, columns and rows of each table, those first that others refer to."""
        yield "accounts", "id, kind, email, full_name, password_hash, created_at", self._people()
        yield "projects", "id, owner_id, name, created_at", self._projects()
        yield "project_keys", "project_id, head, sealed_secret, salt, version", self._project_keys()
        yield "clients", _CLIENT, self._clients()
        yield "client_secrets", "client_row_id, version, sealed, handed_out_digest", self._secrets()
        yield "requests", _REQUEST, self._requests()
        yield "consents", _CONSENT, self._consents()
        yield "codes", _CODE, self._codes()
        yield "findings", "trace_id, at, cause, client_row_id, developer_id, seen, finding", self._findings()

    def _people(self) -> Iterator[Row]:
        for number in range(self.sizes.people):
            yield _id("a", number), "user", f"person-{number}@bench.example", "Somebody", "none", self.now - _LIFETIME

    def _projects(self) -> Iterator[Row]:
        for number in range(self.sizes.people):
            yield _id("b", number), _id("a", number), "My project", self.now - _LIFETIME

    def _project_keys(self) -> Iterator[Row]:
        for number in range(self.sizes.people):
            yield _id("b", number), os.urandom(32), os.urandom(77), os.urandom(16), 1

    def _clients(self) -> Iterator[Row]:
        uris = msgspec.json.encode([flow.REDIRECT_URI]).decode()
        for number in range(self.sizes.clients):
            made = self._at(number, self.sizes.clients)
            said = ("Bench", "One of many.", uris, "[]", "[]", 1, made, made, "client_secret_jwt", 1)
            yield _id("c", number), f"app-{number:08}", self.developer, *said

    def _secrets(self) -> Iterator[Row]:
        for number in range(self.sizes.clients):
            text, row_id = secrets.token_urlsafe(43), _id("c", number)
            made = secret.sealed(self.sealing, row_id, 1, text, os.urandom(NONCE_BYTES))
            yield row_id, 1, made.sealed, made.handed_out_digest

    def _requests(self) -> Iterator[Row]:
        for number, client, person, made in self._given():
            asked = (flow.REDIRECT_URI, _SCOPES, secrets.token_hex(8), None, None, "approved")
            yield _id("d", number), client, person, *asked, made, made + 60_000_000, made

    def _consents(self) -> Iterator[Row]:
        for number, client, person, made in self._given():
            ids = (_id("e", number), _id("d", number), person, client, _id("b", number % self.sizes.people))
            yield *ids, _SCOPES, "[]", os.urandom(60), os.urandom(32), made, self.now + made % _LIFETIME

    def _codes(self) -> Iterator[Row]:
        for number, _client, _person, made in self._given():
            used = (made + 1_000_000, os.urandom(32), os.urandom(32), os.urandom(45), secrets.token_hex(16))
            times = (made, made + 30_000_000, self.now + _LIFETIME + made % _LIFETIME)
            yield os.urandom(32), _id("e", number), flow.REDIRECT_URI, *times, *used

    def _findings(self) -> Iterator[Row]:
        finding = msgspec.json.encode(_finding()).decode()
        for number in range(self.sizes.findings):
            at = self.now - 10 * 86_400_000_000 + number
            yield secrets.token_hex(16), at, "unknown_key", _id("c", number % self.sizes.clients), self.developer, 1, finding

    def _given(self) -> Iterator[tuple[int, str, str, int]]:
        """Of each grant its number, client and person, and when it was asked for. Clients come at random, a few of them often."""
        clients, people = self.sizes.clients, self.sizes.people
        for number in range(self.sizes.grants):
            client = (number * 2_654_435_761) % clients if number % 2 else (number * 40_503) % min(clients, 1000)
            yield number, _id("c", client), _id("a", number % people), self._at(number, self.sizes.grants)

    def _at(self, number: int, of: int) -> int:
        """When the `number`th of so many was made: evenly over the last thirty days but one."""
        return self.now - _LIFETIME + number * (_LIFETIME - 86_400_000_000) // of


_CLIENT = """row_id, client_id, developer_id, name, description, redirect_uris, scopes, required_scopes, is_active, created_at,
    updated_at, auth_method, require_pkce"""
_REQUEST = (
    "id, client_row_id, user_id, redirect_uri, scopes, state, code_challenge, project_id, status, created_at, expires_at, answered_at"
)
_CONSENT = """id, request_id, user_id, client_row_id, project_id, scopes, rejected_scopes, caveat, tail_digest, created_at, not_after"""
_CODE = """digest, consent_id, redirect_uri, issued_at, expires_at, keep_until, used_at, used_by, grant_tail_digest, grant_caveat,
    claimed_in"""


def _id(kind: str, number: int) -> str:
    """An id like ours: as long, ordered by time, scattered at its end."""
    digits = f"{number:08x}"
    return f"0190{kind}{digits[:3]}-{digits[3:7]}-7{digits[7:]}00-8000-{number * 2_654_435_761 & 0xFFFFFFFFFFFF:012x}"


def _finding() -> Finding:
    fault = Fault(cause=Cause.UNKNOWN_KEY, verdict="Signed with a key that is not known.", remedy="Sign with the current secret.")
    return Finding(
        trace_id="0" * 32,
        at=datetime.now(UTC),
        endpoint="token",
        status=401,
        error="invalid_client",
        claimed="app",
        faults=(fault,),
        checks=tuple(Check(name, Outcome.PASSED, {}) for name in ("assertion_readable", "client_known", "signature_valid")),
    )


async def fill(data: Path, sizes: Sizes, ago: timedelta = timedelta(0)) -> None:
    """Make a SQLite database in `data` with so many rows, as a server would have had them so long ago."""
    config = Config(data=data)
    async with app.opened(config) as grantway:
        made = Account(
            id=_id("f", 0),
            kind=Kind.DEVELOPER,
            email="developer@bench.example",
            full_name="Developer",
            password_hash="none",
            created_at=datetime.now(UTC) - timedelta(days=40),
        )
        await grantway.house.accounts.accounts.add_account(made, None)
        filling = Filling(sizes, Sealing.under(grantway.master_key.key), made.id, to_micros(datetime.now(UTC) - ago))
    into_sqlite(data / FILE_NAME, filling)


def apps_of(data: Path) -> list[flow.App]:
    """Some of the clients in that folder with their secrets, spread over all of them: they do the measured exchanges."""
    sealing = Sealing.under(bytes.fromhex((data / "master.key").read_text()))
    with closing(sqlite3.connect(data / FILE_NAME)) as connection:
        (last,) = connection.execute("SELECT max(client_id) FROM clients WHERE client_id LIKE 'app-%'").fetchone()
        count = int(last.removeprefix("app-")) + 1
        names = [f"app-{number * count // APPS:08}" for number in range(APPS)]
        sql = """SELECT client_id, row_id, sealed FROM clients JOIN client_secrets ON client_row_id = row_id WHERE client_id = ?"""
        rows = [connection.execute(sql, (name,)).fetchone() for name in names]
    return [flow.App(name, sealing.unseal(sealed, secret.WHAT, secret.whose(row_id, 1)).decode()) for name, row_id, sealed in rows]


def into_sqlite(path: Path, filling: Filling) -> None:
    """All rows in one transaction without a journal; the indexes that can wait are made at the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {setting}")
        waiting = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        connection.execute("BEGIN")
        for name, _ in waiting:
            connection.execute(f"DROP INDEX {name}")
        for table, columns, rows in filling.tables():
            began = time.perf_counter()
            marks = ", ".join("?" * (columns.count(",") + 1))
            done = connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
            print(f"  {table}: {done.rowcount:,} rows in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        for _, sql in waiting:
            connection.execute(sql)
        connection.execute("COMMIT")
        print(f"  indexes in {time.perf_counter() - began:.0f} s", flush=True)
