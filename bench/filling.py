"""Fill a database with years of other people's rows, in bulk and by SQL: what a server has stored long before the measurement begins.

Ids are ordered by time and digests are random, as those of a server are, so that the indexes get the shape that they have in life.
"""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench import bulk, flow
from bench.bulk import Row
from grantway import app, record_id
from grantway.accounts.account import Account, Kind
from grantway.clients import secret
from grantway.config import Config
from grantway.config_sources import load
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault, Finding
from grantway.sealing import NONCE_BYTES, Sealing
from grantway.storage.sqlite import FILE_NAME
from grantway.storage.statements import from_micros, to_micros
from grantway.trail import Check, Outcome

APPS = 64
"""So many of the clients do the measured exchanges."""
GRANTS_OF_ONE_PERSON = 50
_LIFETIME = 30 * 86_400_000_000
"""Of a consent, in microseconds."""
_SCOPES = '["read","write","list","bucket:photos"]'


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server keeps things: its folder, and the URL of its database, empty where that is a file in the folder."""

    data: Path
    database: str = field(default="", repr=False)

    @property
    def file(self) -> Path:
        """SQLite's file."""
        return self.data / FILE_NAME

    @property
    def settings(self) -> dict[str, str]:
        """What its server is told."""
        return {"GRANTWAY_DATABASE": self.database} if self.database else {}

    def config(self) -> Config:
        """The settings of a server there."""
        return load(self.settings, data=self.data)[0]


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
            at = self.now - 10 * 86_400_000_000 + number * 1000
            trace_id = record_id.trace_id(from_micros(at), os.urandom(record_id.TRACE_RANDOM_BYTES))
            yield trace_id, at, "unknown_key", _id("c", number % self.sizes.clients), self.developer, 1, finding

    def _given(self) -> Iterator[tuple[int, str, str, int]]:
        """Of each grant its number, client and person, and when it was asked for. Clients come at random, a few of them often."""
        clients, people = self.sizes.clients, self.sizes.people
        for number in range(self.sizes.grants):
            # by a multiplication, not at random: each table names the same client for a number, and each run makes the same rows
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


async def fill(place: Place, sizes: Sizes, ago: timedelta = timedelta(0)) -> None:
    """Make a database with so many rows, as a server would have had them so long ago."""
    async with app.opened(place.config()) as grantway:
        made = Account(
            id=_id("f", 0),
            kind=Kind.DEVELOPER,
            email="developer@bench.example",
            full_name="Developer",
            password_hash="none",
            created_at=datetime.now(UTC) - timedelta(days=40),
        )
        await grantway.house.accounts.accounts.add_account(made, None)
        filling = Filling(sizes, Sealing(grantway.master_key.current), made.id, to_micros(datetime.now(UTC) - ago))
    if place.database:
        await bulk.into_postgres(place.database, filling.tables())
    else:
        bulk.into_sqlite(place.file, filling.tables())


async def apps_of(place: Place) -> list[flow.App]:
    """Some of the clients there with their secrets, spread over all of them: they do the measured exchanges."""
    async with app.opened(place.config()) as grantway:
        sealing, read = Sealing(grantway.master_key.current), grantway.database.read
        last = (await read("SELECT max(client_id) FROM clients WHERE client_id LIKE 'app-%'"))[0][0]
        count, apps = int(last.removeprefix("app-")) + 1, list[flow.App]()
        for number in range(APPS):
            name = f"app-{number * count // APPS:08}"
            sql = "SELECT row_id, sealed FROM clients JOIN client_secrets ON client_row_id = row_id WHERE client_id = ?"
            row_id, sealed = (await read(sql, name))[0]
            apps.append(flow.App(name, sealing.unseal(sealed, secret.WHAT, secret.whose(row_id, 1)).decode()))
        return apps
