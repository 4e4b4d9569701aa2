"""Remove sessions, codes, secrets and findings that have ended, a small batch at a time. A used code stays until its grant has ended."""

from datetime import datetime, timedelta

from grantway.storage.sqlite import SqliteDatabase
from grantway.storage.statements import Statement, Work, to_micros

BATCH = 500

# what goes, by the column that says when, and how long after; each with its primary key
_ENDED = (
    ("sessions", "digest", "expires_at", timedelta(0)),
    ("codes", "digest", "keep_until", timedelta(0)),
)


async def tidy(database: SqliteDatabase, findings_kept: timedelta, now: datetime) -> int:
    """Remove up to `BATCH` ended rows of each table; returns how many went. 0 means that nothing is left to remove."""
    micros = to_micros(now)
    removed = 0
    for table, key, column, kept in (*_ENDED, ("findings", "trace_id", "at", findings_kept)):
        sql = f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {column} < ? LIMIT {BATCH}) RETURNING 1"
        removed += len(await database.one(sql, to_micros(now - kept)))
    # usage is counted by the hour, and goes by the hour
    sql = "DELETE FROM usage WHERE hour = (SELECT min(hour) FROM usage WHERE hour < ?) RETURNING 1"
    removed += len(await database.one(sql, to_micros(now - findings_kept)))
    return removed + await database.write(lambda: _purge_secrets(micros)) + await database.write(lambda: _erase_openings(micros))


def _erase_openings(micros: int) -> Work[int]:
    """What a passphrase opened is erased with the end of the code that it waited for."""
    sql = f"""UPDATE codes SET sealed_opening = NULL WHERE digest IN (SELECT digest FROM codes
        WHERE sealed_opening IS NOT NULL AND expires_at < ? LIMIT {BATCH}) RETURNING 1"""
    return len((yield Statement(sql, (micros,))))


def _purge_secrets(micros: int) -> Work[int]:
    """Old secrets are kept for diagnosis for a while after their end, then forgotten."""
    return len((yield Statement("DELETE FROM client_secrets WHERE purge_at < ? RETURNING version", (micros,))))
