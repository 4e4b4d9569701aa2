"""Move all that a SQLite database holds into a PostgreSQL database that is empty: all of it or nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg

from grantway.oauth_error import UnavailableError
from grantway.storage.migrate import all_migrations
from grantway.storage.migrate_postgres import connected
from grantway.storage.postgres_sql import storable
from grantway.storage.sealing_check import SEALED
from grantway.storage.sqlite_look import UnfitFileError
from grantway.storage.statements import Value

_OF_THE_ENGINE = frozenset({"turns"})
"""Tables that each database has of its own, and that say nothing of what it holds."""


class NotEmptyError(Exception):
    """There is something in the PostgreSQL database already; the message names what."""


async def refuse_used(path: Path, url: str) -> None:
    """NotEmptyError: servers use the PostgreSQL database, or it holds what is in the file already. Asked before anything is changed there:
    an upgrade is not for others to begin. UnavailableError: it cannot be reached or used."""
    async with connected(url) as connection:
        try:
            there = await connection.fetchval(SEALED.sql)
        except asyncpg.UndefinedTableError:
            return
    with closing(_at_one_moment(path)) as source:
        here = source.execute(SEALED.sql).fetchone()
    if here == (there,):  # sealed with a nonce of its own: no other database has it
        raise NotEmptyError(f"for this database was moved there before. If nothing was stored in {path} since, rename that file yourself")
    if there is not None:
        raise NotEmptyError("its table sealing_check has rows already")


async def move(path: Path, url: str, copied: Callable[[str, int], None]) -> dict[str, int]:
    """Copy every row, in one transaction, and give the number of rows of each table. Both have this program's schema already.
    `copied` hears of each table and its rows, before it is certain that they stay.

    Nobody may write into the file meanwhile: it is not changed here. NotEmptyError, UnfitFileError, UnavailableError: nothing was stored.
    """
    async with connected(url, seconds=None) as connection:  # a table may take long
        try:
            with closing(_at_one_moment(path)) as source:
                async with connection.transaction():
                    return await _moved(source, connection, copied)
        except sqlite3.Error as error:
            raise UnavailableError(f"{path} cannot be read: {error}") from None
        except asyncpg.UniqueViolationError:
            raise NotEmptyError("somebody else began to use it at this moment") from None


async def _moved(source: sqlite3.Connection, connection: asyncpg.Connection, copied: Callable[[str, int], None]) -> dict[str, int]:
    # 1. whoever starts a server on it now waits here, or is found by the next step
    await connection.execute("SELECT version FROM schema_version WHERE version = 0 FOR UPDATE")
    # 2. nobody uses it: there is neither a master key's check nor a satellite, which every first start makes
    await _refuse_filled(connection)
    # 3. in the order in which the tables were made, so that what a row refers to is there before it
    rows = {}
    for table in _tables():
        rows[table] = await _copied(source, connection, table)
        copied(table, rows[table])
    return rows


def _at_one_moment(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("BEGIN")
    return connection


def _tables() -> list[str]:
    return [table for step in all_migrations() for table in step.tables if table not in _OF_THE_ENGINE]


async def _refuse_filled(connection: asyncpg.Connection) -> None:
    for table in _tables():
        if await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table})"):
            raise NotEmptyError(f"its table {table} has rows already")


async def _copied(source: sqlite3.Connection, connection: asyncpg.Connection, table: str) -> int:
    columns = [name for _, name, *_ in source.execute(f"PRAGMA table_info({table})")]
    try:
        await connection.copy_records_to_table(table, records=_rows(source, table, columns), columns=columns)
    except (TypeError, ValueError, OverflowError, asyncpg.DataError):  # SQLite takes any value in any column
        raise UnfitFileError(f"a row of its table {table} holds what PostgreSQL cannot") from None
    ((there,),) = source.execute(f"SELECT count(*) FROM {table}")
    arrived = int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    if arrived != there:
        raise UnavailableError(f"of {there} rows of {table} {arrived} arrived; nothing was stored")
    return arrived


def _rows(source: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[tuple[Value, ...]]:
    """Row by row: a table may be larger than the memory."""
    for row in source.execute(f"SELECT {', '.join(columns)} FROM {table}"):
        yield tuple(map(storable, row))
