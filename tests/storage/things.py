"""Things and notes in a new PostgreSQL, over two engines as in two processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.engines import postgres

from grantway.storage.postgres import PostgresDatabase
from grantway.storage.statements import Change, Statement

TAKE = """WITH asked AS (SELECT * FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[])) WITH ORDINALITY AS each (number, name, n)),
    taken AS (UPDATE things SET number = asked.number FROM asked
    WHERE things.name = asked.name AND things.number = 0 RETURNING asked.n), noted AS (INSERT INTO notes (note)
    SELECT name FROM asked WHERE n IN (SELECT n FROM taken)) SELECT n, 1 FROM taken"""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url)
    try:
        await database.one("CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY, number BIGINT UNIQUE)")
        await database.one("CREATE TABLE IF NOT EXISTS notes (note TEXT)")
        yield database
    finally:
        await database.close()


def told(story: Callable[[PostgresDatabase, PostgresDatabase], Awaitable[None]], url: str | None = None) -> None:
    """Tell a story over two engines, as in two processes, on one database."""

    async def tell() -> None:
        where = url or postgres().new_database()
        async with opened(where) as one, opened(where) as other:
            await story(one, other)

    asyncio.run(tell())


def taking(name: str, number: int) -> Change:
    made = Statement("UPDATE things SET number = ? WHERE name = ? AND number = 0 RETURNING 1", (number, name))
    return Change(made, Statement("INSERT INTO notes (note) VALUES (?)", (name,)), Statement(TAKE, (number, name)))
