"""Remove sessions, codes, secrets, findings, counts and unanswered requests that have ended, a small batch at a time.

A used code stays until its grant has ended; a request that was answered stays, for it is the person's history.
"""

from datetime import datetime, timedelta

from grantway.storage.database import Database
from grantway.storage.statements import Statement, to_micros

BATCH = 500
UNANSWERED_KEPT = timedelta(days=1)
"""How long after its end a request that nobody answered is still shown in the history."""

# what goes, by the column that says when, and how long after; each with its primary key
_ENDED = (
    ("sessions", "digest", "expires_at", timedelta(0)),
    ("codes", "digest", "keep_until", timedelta(0)),
    ("exposed_assertions", "digest", "expires_at", timedelta(0)),
    ("rate_counts", "key", "ends_at", timedelta(0)),
    ("rate_allowances", "key", "whole_at", timedelta(0)),
)


async def tidy(database: Database, findings_kept: timedelta, now: datetime) -> int:
    """Remove up to `BATCH` ended rows of each table; returns how many went. 0 means that nothing is left to remove."""
    micros = to_micros(now)
    removed = 0
    for table, key, column, kept in (*_ENDED, ("findings", "trace_id", "at", findings_kept)):
        sql = f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {column} < ? LIMIT {BATCH}) RETURNING 1"
        removed += len(await database.one(sql, to_micros(now - kept)))
    for statement in (
        _purge_secrets(micros),
        _erase_openings(micros),
        _forget_unanswered(to_micros(now - UNANSWERED_KEPT)),
        _forget_usage(to_micros(now - findings_kept)),
    ):
        removed += len(await database.one(statement.sql, *statement.values))
    return removed


def _erase_openings(micros: int) -> Statement:
    """What a passphrase opened is erased with the end of the code that it waited for."""
    sql = f"""UPDATE codes SET sealed_opening = NULL WHERE digest IN (SELECT digest FROM codes
        WHERE sealed_opening IS NOT NULL AND expires_at < ? LIMIT {BATCH}) RETURNING 1"""
    return Statement(sql, (micros,))


def _purge_secrets(micros: int) -> Statement:
    """Old secrets are kept for diagnosis for a while after their end, then forgotten."""
    return Statement("DELETE FROM client_secrets WHERE purge_at < ? RETURNING version", (micros,))


def _forget_unanswered(micros: int) -> Statement:
    """Every opening of a consent page leaves a request; one that nobody answered says nothing any more."""
    sql = f"""DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE status = 'pending' AND expires_at < ?
        AND NOT EXISTS (SELECT 1 FROM consents WHERE consents.request_id = requests.id) LIMIT {BATCH}) RETURNING 1"""
    return Statement(sql, (micros,))


def _forget_usage(micros: int) -> Statement:
    """Usage is counted by the hour, and goes by the hour."""
    return Statement("DELETE FROM usage WHERE hour = (SELECT min(hour) FROM usage WHERE hour < ?) RETURNING 1", (micros,))
