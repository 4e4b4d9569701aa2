"""Findings, kept within quotas, and what a diagnosis looks up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from grantway.authorization.code import AuthorizationCode
from grantway.clients.client import MAX_CLIENT_ID, Client
from grantway.clients.secret import ClientSecret
from grantway.diagnosis.attempt import AssertionUse
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.evidence import ClaimedClient, SealedSecret
from grantway.diagnosis.finding import Finding, FindingQuery, Usage
from grantway.storage.clients import COLUMN_COUNT, COLUMNS, as_client
from grantway.storage.database import Database
from grantway.storage.statements import Statement, Value, Work, from_micros, maybe_from_micros, to_micros
from grantway.storage.tokens import read_code

REFUSED_KEPT = 100
"""Of each client and cause, proved and not proved apart: neither another cause nor a stranger drives the app's own out."""
GRANTED_KEPT = 500
UNKNOWN_KEPT = 500
"""Of each cause, those of no client at all."""
SHARE = 5
"""One source has a fifth of a quota of refusals at most. Beyond the quota, the source with most loses its oldest first."""
SCANNED = 20_000
SHORTEST_TYPED = 6

_decoder = msgspec.json.Decoder(Finding)

_INSERT = """INSERT INTO findings (trace_id, at, cause, client_row_id, developer_id, seen, finding, proved, source) VALUES {rows}
    ON CONFLICT DO NOTHING RETURNING client_row_id, at, cause, seen"""
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TOGETHER = (32, 8, 1)
"""So many are stored by one statement: few different statements, which an engine may prepare once."""
_COUNT = """INSERT INTO usage (client_row_id, hour, cause, answers) VALUES (?, ?, ?, ?)
    ON CONFLICT (client_row_id, hour, cause) DO UPDATE SET answers = usage.answers + excluded.answers"""
_HOUR = 3_600_000_000
"""In microseconds."""
_GROUP = "client_row_id = ? AND cause = ?"
# SQLite knows no OFFSET without a LIMIT, and only PostgreSQL a LIMIT ALL
_OF_GRANTED = f"""DELETE FROM findings WHERE trace_id IN (SELECT trace_id FROM findings WHERE {_GROUP}
    ORDER BY at DESC, trace_id DESC LIMIT 1000000 OFFSET ?) RETURNING seen"""
# each source's newest come first, then each source's second newest, and so on
_OF_REFUSED = f"""DELETE FROM findings WHERE trace_id IN (SELECT trace_id FROM
    (SELECT trace_id, nth, row_number() OVER (ORDER BY nth, at DESC, trace_id DESC) AS place FROM
    (SELECT trace_id, at, row_number() OVER (PARTITION BY source ORDER BY at DESC, trace_id DESC) AS nth
    FROM findings WHERE {_GROUP} AND proved = ?) AS counted) AS placed WHERE nth > ? OR place > ?) RETURNING seen"""
_ADD_SEEN = f"""UPDATE findings SET seen = seen + ? WHERE trace_id =
    (SELECT trace_id FROM findings WHERE {_GROUP} AND proved = ? ORDER BY at DESC, trace_id DESC LIMIT 1)"""

# three thirds of the id: of up to two slips at least one third is left whole
# `replace` tells whether the middle one is somewhere in it: `instr` is SQLite's own
_NEAR = f"""SELECT {COLUMNS} FROM (SELECT * FROM clients WHERE deleted_at IS NULL ORDER BY created_at DESC LIMIT {SCANNED}) AS clients
    WHERE lower(client_id) = ? OR lower(row_id) = ? OR lower(name) = ? OR (CAST(? AS BIGINT) >= {SHORTEST_TYPED} AND
    length(client_id) BETWEEN ? AND ? AND (substr(client_id, 1, ?) = ?
    OR substr(client_id, length(client_id) - ? + 1) = ? OR replace(client_id, ?, '') <> client_id)) LIMIT 200"""


class Findings:
    """Implements what `grantway.diagnosis` asks of storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, findings: Sequence[Finding]) -> None:
        """Store findings, all in one transaction, and drop what is more than the quotas allow."""
        if findings:
            await self._database.write(lambda: _keep(findings))

    async def finding(self, trace_id: str, developer_id: str | None) -> Finding | None:
        """The finding under that trace_id, if this developer may see it (None: anybody's)."""
        whose, values = ("AND developer_id = ?", (developer_id,)) if developer_id is not None else ("", ())
        rows = await self._database.read(f"SELECT finding, seen FROM findings WHERE trace_id = ? {whose}", trace_id, *values)
        return _finding(rows[0][0], rows[0][1]) if rows else None

    async def findings(self, query: FindingQuery) -> list[Finding]:
        """The findings that the query asks for, the newest first."""
        conditions, values = ["1 = 1"], list[Value]()
        for condition, value in _conditions(query):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if query.before is not None:
            whose, value = ("developer_id", query.developer_id) if query.developer_id is not None else ("trace_id", query.before)
            conditions.append(f"(at, trace_id) < (SELECT at, trace_id FROM findings WHERE trace_id = ? AND {whose} = ?)")
            values += [query.before, value]
        if query.refused_only:
            conditions.append("cause <> ''")
        sql = f"SELECT finding, seen FROM findings WHERE {' AND '.join(conditions)} ORDER BY at DESC, trace_id DESC LIMIT ?"
        return [_finding(text, seen) for text, seen in await self._database.read(sql, *values, query.limit)]

    async def usage(self, client_row_id: str, since: datetime) -> list[Usage]:
        """How often the client was answered, by hour and cause, the oldest hour first."""
        sql = "SELECT hour, cause, answers FROM usage WHERE client_row_id = ? AND hour >= ? ORDER BY hour, cause"
        rows = await self._database.read(sql, client_row_id, to_micros(since))
        return [
            Usage(hour=from_micros(hour), cause=Cause[cause.upper()] if cause else None, answers=answers) for hour, cause, answers in rows
        ]

    async def claimed_client(self, client_id: str) -> ClaimedClient | None:
        """The client under that client_id, a deleted one too, with all its secrets that are kept, the newest first."""
        sql = f"""SELECT {COLUMNS}, clients.deleted_at, client_secrets.version, client_secrets.sealed, client_secrets.live_until
            FROM clients LEFT JOIN client_secrets ON client_secrets.client_row_id = clients.row_id
            WHERE clients.client_id = ? ORDER BY client_secrets.version DESC"""
        rows = await self._database.read(sql, client_id[: MAX_CLIENT_ID + 1])  # longer is nobody's
        if not rows:
            return None
        secrets = (row[COLUMN_COUNT + 1 :] for row in rows)
        return ClaimedClient(
            client=as_client(rows[0]),
            is_deleted=rows[0][COLUMN_COUNT] is not None,
            secrets=tuple(
                ClientSecret(version=version, sealed=sealed, live_until=maybe_from_micros(live_until))
                for version, sealed, live_until in secrets
                if sealed is not None
            ),
        )

    async def near_clients(self, claimed: str, limit: int) -> tuple[Client, ...]:
        """Clients that the claimed id may mean, the nearest first."""
        bare = "".join(claimed.split())[: MAX_CLIENT_ID + 2]
        folded, length = bare.lower(), len(bare)
        third = length // 3
        parts = (third, bare[:third], third, bare[length - third :], bare[third : 2 * third])
        equal = (folded, folded, claimed[:200].strip().lower())
        rows = await self._database.read(_NEAR, *equal, length, length - 2, length + 2, *parts)
        clients = [(_distance(folded, client), client) for client in map(as_client, rows)]
        named = claimed.strip().casefold()
        kept = [
            (distance, client)
            for distance, client in clients
            if distance <= 2 or folded == client.row_id.lower() or named == client.name.strip().casefold()
        ]
        return tuple(client for _, client in sorted(kept, key=lambda pair: pair[0])[:limit])

    async def secrets_of_developer(self, developer_id: str, limit: int) -> tuple[SealedSecret, ...]:
        """The current secrets of this developer's clients, the newest clients first."""
        sql = f"""SELECT {COLUMNS}, client_secrets.version, client_secrets.sealed FROM clients
            JOIN client_secrets ON client_secrets.client_row_id = clients.row_id AND client_secrets.live_until IS NULL
            WHERE clients.developer_id = ? AND clients.deleted_at IS NULL ORDER BY clients.created_at DESC LIMIT ?"""
        return tuple(
            SealedSecret(client=as_client(row), secret=ClientSecret(version=row[-2], sealed=row[-1], live_until=None))
            for row in await self._database.read(sql, developer_id, limit)
        )

    async def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest, used or not, with its consent."""
        return await read_code(self._database, digest)

    async def request_status(self, request_id: str) -> str | None:
        """What became of the consent request with that id; None when there is none."""
        rows = await self._database.read("SELECT status FROM requests WHERE id = ?", request_id)
        return str(rows[0][0]) if rows else None

    async def assertion_use(self, digest: bytes) -> AssertionUse | None:
        """What the assertion with that digest was used for."""
        rows = await self._database.read("SELECT used_at, claimed_in FROM codes WHERE used_by = ?", digest)
        return AssertionUse(at=from_micros(rows[0][0]), trace_id=rows[0][1]) if rows else None

    async def is_exposed(self, digest: bytes) -> bool:
        """Whether the assertion with that digest stood in the URL of the integration page."""
        return bool(await self._database.read("SELECT 1 FROM exposed_assertions WHERE digest = ?", digest))


def _keep(findings: Sequence[Finding]) -> Work[None]:
    groups = dict.fromkeys((one.client_row_id or "", one.cause or "", int(one.proved)) for one in findings)
    counted: Counter[tuple[str, int, str]] = Counter()
    for part in _parts(findings):
        values = [value for one in part for value in _values(one)]
        # by what comes back: one that was there already is not counted again
        for client, at, cause, seen in (yield Statement(_INSERT.format(rows=", ".join([_ROW] * len(part))), values)):
            counted[client, at - at % _HOUR, cause] += seen
    for counter, answers in counted.items():
        if counter[0]:
            yield Statement(_COUNT, (*counter, answers))
    for group in groups:
        dropped = yield _surplus(*group)
        if dropped:
            yield Statement(_ADD_SEEN, (sum(row[0] for row in dropped), *group))


def _parts(findings: Sequence[Finding]) -> Iterator[Sequence[Finding]]:
    start = 0
    while start < len(findings):
        size = next(size for size in _TOGETHER if size <= len(findings) - start)
        yield findings[start : start + size]
        start += size


def _values(one: Finding) -> tuple[Value, ...]:
    ids = (one.client_row_id or "", one.developer_id, one.seen, msgspec.json.encode(one).decode(), int(one.proved), one.source)
    return (one.trace_id, to_micros(one.at), one.cause or "", *ids)


def _surplus(client_row_id: str, cause: str, proved: int) -> Statement:
    """Drop what is beyond the quota of its kind. An exchange that was granted is the app's own: there the newest count."""
    if not cause:
        return Statement(_OF_GRANTED, (client_row_id, cause, GRANTED_KEPT))
    quota = REFUSED_KEPT if client_row_id else UNKNOWN_KEPT
    return Statement(_OF_REFUSED, (client_row_id, cause, proved, quota // SHARE, quota))


def _conditions(query: FindingQuery) -> list[tuple[str, Value]]:
    return [
        ("developer_id = ?", query.developer_id),
        ("client_row_id = ?", query.client_row_id),
        ("cause = ?", None if query.cause is None else query.cause.value),
        ("proved = ?", None if query.proved is None else int(query.proved)),
        ("at >= ?", None if query.since is None else to_micros(query.since)),
        ("at < ?", None if query.until is None else to_micros(query.until)),
    ]


def _finding(text: str, seen: int) -> Finding:
    return replace(_decoder.decode(text), seen=seen)


def _distance(typed: str, client: Client) -> int:
    """How many characters are wrong, missing, too many or swapped with their neighbour; 3 stands for more than two."""
    other = client.client_id.lower()
    if abs(len(typed) - len(other)) > 2:
        return 3
    start = _alike(typed, other)
    typed, other = typed[start:], other[start:]
    end = _alike(typed[::-1], other[::-1])
    return min(_edits(typed[: len(typed) - end], other[: len(other) - end]), 3)


def _alike(one: str, other: str) -> int:
    """How many characters they have in common at the beginning."""
    return next((at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs), min(len(one), len(other)))


def _edits(typed: str, other: str) -> int:
    """The optimal string alignment distance of what is left between a common beginning and a common end."""
    before, last = list[int](), list(range(len(other) + 1))
    for at, char in enumerate(typed, 1):
        row = [at]
        for there, theirs in enumerate(other, 1):
            cost = min(last[there] + 1, row[-1] + 1, last[there - 1] + (char != theirs))
            if at > 1 and there > 1 and char == other[there - 2] and typed[at - 2] == theirs:
                cost = min(cost, before[there - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
