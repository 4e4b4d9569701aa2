"""Remove what has ended, a small batch at a time: one process has the turn, and never holds the writer for more than half of the time.

A used code stays until its grant and the JWT that it was collected with have ended, a revoked tail until every key below it has, a request
as long as the consent that answered it. Rows of deleted clients and accounts stay: a client_id is never given out twice.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from grantway.clients.authentication import LEEWAY, LONGEST_RFC7523
from grantway.storage.database import Database
from grantway.storage.statements import MakeWork, Statement, Work, to_micros

BATCH = 100
"""Rows of one table in one statement: some milliseconds of the writer's time, also where each row lies on pages of its own."""
TURN = timedelta(minutes=10)
"""For so long no other process tidies. Of one that died in its turn the next one takes over then."""
USE_KEPT = LONGEST_RFC7523 + 2 * LEEWAY
"""How long after its grant's end a used code is kept: it knows the JWT that was used up with it, which may end after the grant."""
UNANSWERED_KEPT = timedelta(days=1)
"""How long after its end a request that nobody answered is still shown in the history."""
REVOKED_KEPT = timedelta(days=400)
"""How long after the end of all below it a revoked tail is kept: of a clock that was ahead by a year, and was set right again, no key
comes alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long what has ended is kept: findings and usage, what a person looks back on, lines of the audit."""

    findings: timedelta
    history: timedelta
    audit: timedelta


async def tidy(database: Database, kept: Kept, now: datetime) -> int:
    """Remove all that has ended, unless another process has the turn; returns how many rows went.

    Two that tidy at once do no harm: what one of them removed the other does not find. UnavailableError: the rest is for the next turn.
    """
    if not await _took_turn(database, now):
        return 0
    removed, sweeps = 0, list(_sweeps(kept, now))
    # by turns, a batch of each: a kind of which there is much keeps no other waiting
    while sweeps:
        left = []
        for sweep in sweeps:
            gone = await _swept(database, sweep)
            removed += gone
            if gone >= BATCH:  # more, where all lines of one moment go together
                left.append(sweep)
        sweeps = left
    return removed


async def _took_turn(database: Database, now: datetime) -> bool:
    """Claim the turn. One that ends later than any turn can was taken by a clock that was wrong, and counts for nothing."""
    sql = "UPDATE turns SET ends_at = ? WHERE work = 'housekeeping' AND (ends_at <= ? OR ends_at > ?) RETURNING work"
    ends_at = to_micros(now + TURN)
    return bool(await database.one(sql, ends_at, to_micros(now), ends_at))


async def _swept(database: Database, sweep: MakeWork[int]) -> int:
    """Do one batch, then leave the writer to others for as long as that took."""
    began = time.perf_counter()
    gone = await database.write(sweep)
    await asyncio.sleep(time.perf_counter() - began)
    return gone


def _sweeps(kept: Kept, now: datetime) -> Iterator[MakeWork[int]]:
    """One batch of each kind, to be done until it finds less than a whole batch. Codes go before the consents that they belong to."""
    for statement in statements(kept, now):
        yield lambda statement=statement: _sweep(statement)  # type: ignore[misc]
    ended = to_micros(now - kept.history)
    yield lambda: _forget_consents(ended)


def statements(kept: Kept, now: datetime) -> list[Statement]:
    """What a single statement removes; each finds its rows by an index, `BATCH` of them at most (of the audit all of a moment)."""
    micros, forgotten = to_micros(now), to_micros(now - kept.findings)
    return [
        _ended("sessions", "digest", "expires_at", micros),
        _ended("codes", "digest", "keep_until", to_micros(now - USE_KEPT)),
        _ended("exposed_assertions", "digest", "expires_at", micros),
        _ended("rate_counts", "key, process", "ends_at", micros),
        _ended("rate_allowances", "key", "whole_at", micros),
        _ended("revoked_tails", "tail_digest", "keep_until", to_micros(now - REVOKED_KEPT)),
        _ended("client_secrets", "client_row_id, version", "purge_at", micros),
        _ended("findings", "trace_id", "at", forgotten),
        _ended("usage", "client_row_id, hour, cause", "hour", forgotten),
        _ended("requests", "id", "expires_at", to_micros(now - UNANSWERED_KEPT), "status = 'pending' AND"),
        _ended("requests", "id", "expires_at", to_micros(now - kept.history), "status = 'rejected' AND"),
        _erase_openings(micros),
        _forget_audit(to_micros(now - kept.audit)),
    ]


def ended_consents(micros: int) -> Statement:
    """The consents that ended before then and have no code any more go; their requests are named, to go with them."""
    sql = f"""DELETE FROM consents WHERE id IN (SELECT id FROM consents WHERE not_after < ?
        AND NOT EXISTS (SELECT 1 FROM codes WHERE codes.consent_id = consents.id) ORDER BY not_after LIMIT {BATCH}) RETURNING request_id"""
    return Statement(sql, (micros,))


def _ended(table: str, key: str, column: str, micros: int, condition: str = "") -> Statement:
    # a subquery: PostgreSQL knows no LIMIT of a DELETE, and SQLite only where it was compiled in
    oldest = f"SELECT {key} FROM {table} WHERE {condition} {column} < ? ORDER BY {column} LIMIT {BATCH}"
    return Statement(f"DELETE FROM {table} WHERE ({key}) IN ({oldest}) RETURNING 1", (micros,))


def _erase_openings(micros: int) -> Statement:
    """What a passphrase opened is erased with the end of the code that it waited for."""
    sql = f"""UPDATE codes SET sealed_opening = NULL WHERE digest IN (SELECT digest FROM codes
        WHERE sealed_opening IS NOT NULL AND expires_at < ? ORDER BY expires_at LIMIT {BATCH}) RETURNING 1"""
    return Statement(sql, (micros,))


def _forget_audit(micros: int) -> Statement:
    """Lines of the audit have no key but their time: all of one moment go together."""
    sql = f"""DELETE FROM audit WHERE happened_at <= (SELECT max(happened_at) FROM
        (SELECT happened_at FROM audit WHERE happened_at < ? ORDER BY happened_at LIMIT {BATCH}) AS oldest) RETURNING 1"""
    return Statement(sql, (micros,))


def _sweep(statement: Statement) -> Work[int]:
    return len((yield statement))


def _forget_consents(micros: int) -> Work[int]:
    requests = [row[0] for row in (yield ended_consents(micros))]
    if requests:
        yield Statement(f"DELETE FROM requests WHERE id IN ({', '.join('?' * len(requests))})", requests)
    return len(requests)
