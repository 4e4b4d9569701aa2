"""Which engine the tests run on: SQLite, or a real PostgreSQL when GRANTWAY_TEST_ENGINE is `postgresql`."""

import asyncio
import functools
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.postgres import Postgres

IS_POSTGRES = os.environ.get("GRANTWAY_TEST_ENGINE") == "postgresql"
only_sqlite = pytest.mark.skipif(IS_POSTGRES, reason="it looks into SQLite itself")


@functools.cache
def postgres() -> Postgres:
    """This process's server."""
    return Postgres()


@functools.cache
def database_settings(data: str) -> dict[str, Any]:
    """The settings that name a database of its own for this data folder: the same again for the same folder."""
    return {"database": postgres().new_database()} if IS_POSTGRES else {}


def rows_in(data: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the folder's database answers to a statement, with no Grantway between."""
    if IS_POSTGRES:
        with ThreadPoolExecutor(1) as thread:  # whoever asks may be in an event loop of its own
            return thread.submit(asyncio.run, _fetched(database_settings(str(data))["database"], sql)).result()
    with closing(sqlite3.connect(data / "grantway.db", isolation_level=None)) as database:
        return database.execute(sql).fetchall()


async def _fetched(url: str, sql: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()
