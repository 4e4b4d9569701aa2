"""Many rows into a database at once, past everything that makes a database safe: for measurements, never for data."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

CACHE_KIB = 2_000_000

Row = tuple[Any, ...]
Tables = Iterator[tuple[str, str, Iterator[Row]]]
"""Name, columns and rows of each table, those first that others refer to."""

# those that belong to a primary key or to UNIQUE must stay
_WAITING = """SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)"""


def into_sqlite(path: Path, tables: Tables) -> None:
    """All rows in one transaction without a journal; the indexes that can wait are made at the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {setting}")
        waiting = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        connection.execute("BEGIN")
        for name, _ in waiting:
            connection.execute(f"DROP INDEX {name}")
        for table, columns, rows in tables:
            began, marks = time.perf_counter(), ", ".join("?" * (columns.count(",") + 1))
            done = connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
            print(f"  {table}: {done.rowcount:,} rows in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        for _, sql in waiting:
            connection.execute(sql)
        connection.execute("COMMIT")
        print(f"  indexes in {time.perf_counter() - began:.0f} s", flush=True)


async def into_postgres(url: str, tables: Tables) -> None:
    """By COPY, without following foreign keys (only a superuser may); the indexes that can wait are made at the end."""
    import asyncpg  # noqa: PLC0415 - whoever measures SQLite needs no driver

    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        waiting = await connection.fetch(_WAITING)
        for name, _ in waiting:
            await connection.execute(f"DROP INDEX {name}")
        for table, columns, rows in tables:
            began, names = time.perf_counter(), [name.strip() for name in columns.split(",")]
            done = await connection.copy_records_to_table(table, records=rows, columns=names)
            print(f"  {table}: {done} in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        for _, sql in waiting:
            await connection.execute(sql)
        await connection.execute("ANALYZE")
        print(f"  indexes in {time.perf_counter() - began:.0f} s", flush=True)
    finally:
        await connection.close()


async def new_database(url: str, name: str) -> str:
    """Make an empty database beside the one that `url` names; its URL."""
    import asyncpg  # noqa: PLC0415

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{url.rpartition('/')[0]}/{name}"


async def drop_database(url: str, name: str) -> None:
    """Remove it with all that is in it."""
    import asyncpg  # noqa: PLC0415

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    finally:
        await connection.close()
