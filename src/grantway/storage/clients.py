"""Clients and their secrets."""

import functools
from collections.abc import Callable
from datetime import datetime

from grantway.clients import secret
from grantway.clients.client import AuthMethod, Client, Registration
from grantway.clients.secret import ClientSecret, Renewal
from grantway.storage import withdrawal
from grantway.storage.database import Database
from grantway.storage.sealing_check import Seals
from grantway.storage.statements import (
    MOST_REMEMBERED,
    Row,
    Statement,
    Work,
    audit,
    from_list,
    from_micros,
    maybe_from_micros,
    to_list,
    to_micros,
)

COLUMNS = """clients.row_id, clients.client_id, clients.developer_id, clients.name, clients.description, clients.redirect_uris,
    clients.scopes, clients.required_scopes, clients.is_active, clients.created_at, clients.updated_at, clients.auth_method,
    clients.require_pkce"""
COLUMN_COUNT = 13
_TEXTS = slice(3, 8)
"""Where the columns stand that a developer may fill."""
_EVERY = 2**31  # a LIMIT that both engines take; for none at all each has a word of its own


class Clients:
    """Implements what `grantway.clients` asks of storage."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def add_client(self, new: Client, first: ClientSecret, most: int | None = None) -> Registration:
        """Store a client with its secret, unless its client_id is or was taken, or its developer has `most` already, or is gone."""

        def work() -> Work[Registration]:
            # one statement counts and adds: many at once get no more than there is room for
            if not (yield _insert_client(new, _EVERY if most is None else most)):
                return (yield from _why_not(new))
            yield from self._insert_secret(new.row_id, first)
            yield audit("client_registered", new.created_at, account_id=new.developer_id, client_row_id=new.row_id)
            return Registration.ADDED

        return await self._database.write(work)

    async def client(self, developer_id: str | None, either_id: str) -> Client | None:
        """The client with that row id or client_id, if it is this developer's (None: anybody's)."""
        sql = f"SELECT {COLUMNS} FROM clients WHERE (row_id = ? OR client_id = ?) AND deleted_at IS NULL"
        found = [as_client(row) for row in await self._database.read(sql, either_id, either_id)]
        # two may be found: an app that moved here brought its client_id along, and that may be spelled as another's row id
        mine = [client for client in found if developer_id in {None, client.developer_id}]
        return mine[0] if mine else None

    async def deleted_client(self, either_id: str) -> Client | None:
        """The client with that row id or client_id, if it is deleted."""
        sql = f"SELECT {COLUMNS} FROM clients WHERE (row_id = ? OR client_id = ?) AND deleted_at IS NOT NULL"
        rows = await self._database.read(sql, either_id, either_id)
        return as_client(rows[0]) if rows else None

    async def clients_of(self, developer_id: str | None) -> list[Client]:
        """The developer's clients (None: everybody's), the oldest first."""
        whose, values = ("developer_id = ? AND", (developer_id,)) if developer_id is not None else ("", ())
        sql = f"SELECT {COLUMNS} FROM clients WHERE {whose} deleted_at IS NULL ORDER BY created_at, row_id"
        return [as_client(row) for row in await self._database.read(sql, *values)]

    async def change_client(self, row_id: str, changed: Callable[[Client], Client]) -> Client | None:
        """Store what a developer may change of what `changed` makes of the client as it is; None when it is deleted."""

        def work() -> Work[Client | None]:
            rows = yield Statement(f"SELECT {COLUMNS} FROM clients WHERE row_id = ? AND deleted_at IS NULL", (row_id,))
            if not rows:
                return None
            new = changed(as_client(rows[0]))
            sql = """UPDATE clients SET name = ?, description = ?, redirect_uris = ?, scopes = ?, required_scopes = ?, updated_at = ?,
                auth_method = ?, require_pkce = ? WHERE row_id = ?"""
            authenticates = (new.auth_method.value, int(new.require_pkce))
            yield Statement(sql, (*_described(new), to_micros(new.updated_at), *authenticates, row_id))
            return new

        return await self._database.write(work)

    async def set_active(self, row_id: str, is_active: bool, now: datetime) -> None:
        """Store the status."""

        def work() -> Work[None]:
            sql = "UPDATE clients SET is_active = ?, updated_at = ? WHERE row_id = ? AND deleted_at IS NULL"
            yield Statement(sql, (int(is_active), to_micros(now), row_id))
            yield audit("client_enabled" if is_active else "client_disabled", now, client_row_id=row_id)

        await self._database.write(work)

    async def add_secret(
        self, client_row_id: str, new: ClientSecret, old_live_until: datetime, purge_at: datetime, now: datetime, is_promise_kept: bool
    ) -> Renewal:
        """Store a new current secret; only its predecessor stays live, until `old_live_until`."""

        def work() -> Work[Renewal]:
            rows = yield Statement("SELECT max(version) FROM client_secrets WHERE client_row_id = ?", (client_row_id,))
            # 1. nobody made another one meanwhile: of two that are shown at once one would be good for nothing
            if rows[0][0] != new.version - 1:
                return Renewal.OVERTAKEN
            # 2. no older one ends before the time that its developer was told, unless that is wanted
            older = "SELECT 1 FROM client_secrets WHERE client_row_id = ? AND live_until > ?"
            if is_promise_kept and (yield Statement(older, (client_row_id, to_micros(now)))):
                return Renewal.PROMISED
            # 3. of old ones only the last stays live: no more than `TRIED_SECRETS` are tried
            sql = "UPDATE client_secrets SET live_until = ? WHERE client_row_id = ? AND live_until > ?"
            yield Statement(sql, (to_micros(now), client_row_id, to_micros(now)))
            # 4. the current one gets its end, the new one takes its place, and what is more than is kept goes
            sql = "UPDATE client_secrets SET live_until = ?, purge_at = ? WHERE client_row_id = ? AND live_until IS NULL"
            yield Statement(sql, (to_micros(old_live_until), to_micros(purge_at), client_row_id))
            yield from self._insert_secret(client_row_id, new)
            last_kept = new.version - secret.MOST_KEPT + 1
            yield Statement("DELETE FROM client_secrets WHERE client_row_id = ? AND version < ?", (client_row_id, last_kept))
            yield audit("secret_regenerated", now, client_row_id=client_row_id)
            return Renewal.ADDED

        return await self._database.write(work)

    async def last_secret_version(self, client_row_id: str) -> int:
        """The version of the current secret."""
        sql = "SELECT coalesce(max(version), 0) FROM client_secrets WHERE client_row_id = ?"
        return int((await self._database.read(sql, client_row_id))[0][0])

    async def live_secrets(self, limit: int | None, now: datetime) -> list[tuple[Client, ClientSecret]]:
        """The secrets that authenticate now, with their clients, the newest first; at most `limit`."""
        sql = f"""SELECT {COLUMNS}, client_secrets.version, client_secrets.sealed, client_secrets.live_until,
            client_secrets.handed_out_digest FROM clients JOIN client_secrets ON client_secrets.client_row_id = clients.row_id
            WHERE clients.deleted_at IS NULL AND (client_secrets.live_until IS NULL OR client_secrets.live_until > ?)
            ORDER BY clients.created_at DESC, client_secrets.version DESC LIMIT ?"""
        rows = await self._database.read(sql, to_micros(now), _EVERY if limit is None else limit)
        return [(as_client(row), _secret(*row[COLUMN_COUNT:])) for row in rows]

    async def delete_client(self, row_id: str, now: datetime) -> None:
        """Disable it; then mark it deleted, forget its secrets, reject what it asked for, revoke all that was issued to it."""
        # first and by itself: people who are asked on and on could have the deletion run again until it is given up
        await self._database.one("UPDATE clients SET is_active = 0 WHERE row_id = ? AND deleted_at IS NULL", row_id)
        await self._database.write(lambda: withdrawal.delete_client(row_id, now))

    def _insert_secret(self, client_row_id: str, new: ClientSecret) -> Work[None]:
        sealed = yield from self._seals.storable(new.sealed, secret.WHAT, secret.whose(client_row_id, new.version))
        live_until = None if new.live_until is None else to_micros(new.live_until)
        sql = "INSERT INTO client_secrets (client_row_id, version, sealed, live_until, handed_out_digest) VALUES (?, ?, ?, ?, ?)"
        yield Statement(sql, (client_row_id, new.version, sealed, live_until, new.handed_out_digest))


def _why_not(new: Client) -> Work[Registration]:
    if not (yield Statement("SELECT id FROM accounts WHERE id = ? AND deleted_at IS NULL", (new.developer_id,))):
        return Registration.DEVELOPER_GONE
    is_taken = yield Statement("SELECT row_id FROM clients WHERE client_id = ?", (new.client_id,))
    return Registration.TAKEN if is_taken else Registration.TOO_MANY


def _insert_client(new: Client, most: int) -> Statement:
    """Only where the developer's account stands: it may have been deleted since the session was read."""
    sql = """INSERT INTO clients (row_id, client_id, developer_id, name, description, redirect_uris, scopes, required_scopes,
        is_active, created_at, updated_at, auth_method, require_pkce) SELECT ?, ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
        FROM accounts WHERE id = ? AND deleted_at IS NULL AND (SELECT count(*) FROM clients
        WHERE clients.developer_id = accounts.id AND clients.deleted_at IS NULL) < ? ON CONFLICT DO NOTHING RETURNING row_id"""
    times = (to_micros(new.created_at), to_micros(new.updated_at))
    authenticates = (new.auth_method.value, int(new.require_pkce))
    row = (new.row_id, new.client_id, *_described(new), int(new.is_active), *times, *authenticates)
    return Statement(sql, (*row, new.developer_id, most))


def as_client(row: Row) -> Client:
    """A client from a row that begins with `COLUMNS`."""
    columns = row[:COLUMN_COUNT]
    # `__wrapped__` goes past what is remembered: thousands of rows as long as they may be would fill gigabytes
    return (_client if sum(map(len, columns[_TEXTS])) <= MOST_REMEMBERED else _client.__wrapped__)(*columns)


@functools.lru_cache(4096)
def _client(
    row_id: str,
    client_id: str,
    developer_id: str,
    name: str,
    description: str,
    uris: str,
    scopes: str,
    required: str,
    is_active: int,
    created: int,
    updated: int,
    auth_method: str,
    require_pkce: int,
) -> Client:
    """Rows rarely change, and reading one costs more than looking it up here by all that stands in it."""
    return Client(
        row_id=row_id,
        client_id=client_id,
        developer_id=developer_id,
        name=name,
        description=description,
        redirect_uris=from_list(uris),
        scopes=from_list(scopes),
        required_scopes=from_list(required),
        is_active=bool(is_active),
        created_at=from_micros(created),
        updated_at=from_micros(updated),
        auth_method=AuthMethod(auth_method),
        require_pkce=bool(require_pkce),
    )


def _described(client: Client) -> tuple[str, str, str, str, str]:
    lists = (to_list(client.redirect_uris), to_list(client.scopes), to_list(client.required_scopes))
    return (client.name, client.description, *lists)


def _secret(version: int, sealed: bytes, live_until: int | None, handed_out: bytes | None) -> ClientSecret:
    return ClientSecret(version=version, sealed=sealed, live_until=maybe_from_micros(live_until), handed_out_digest=handed_out)
