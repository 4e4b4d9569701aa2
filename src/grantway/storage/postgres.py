"""PostgreSQL, or what speaks like it (CockroachDB): the engine for several processes and hosts.

What waits at the same time goes together: writes share a commit, and look-ups that every exchange makes share a question. Connections
that were lost are made again by whoever needs one next.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from grantway.oauth_error import UnavailableError
from grantway.storage import postgres_link
from grantway.storage.postgres_link import LOST, Link
from grantway.storage.postgres_question import Question
from grantway.storage.postgres_sql import numbered, storable
from grantway.storage.postgres_writer import Writer
from grantway.storage.statements import MakeWork, Rows, Statement, Value, Work

T = TypeVar("T")

READERS = 4
"""Connections for reading; writing has two more."""


class PostgresDatabase:
    """A database by its URL, for one event loop. `committed` hears how many seconds each transaction took, its commit included."""

    def __init__(self, url: str, committed: Callable[[float], None] = lambda _seconds: None) -> None:
        self._links = [Link(url) for _ in range(READERS)]
        self._free: asyncio.LifoQueue[Link] = asyncio.LifoQueue()
        for link in self._links:
            self._free.put_nowait(link)
        self._questions: dict[str, Question] = {}
        self._serializable = Writer(Link(url), in_step=False, committed=committed)
        self._in_step = Writer(Link(url), in_step=True, committed=committed)
        self._is_closed = False

    async def read(self, sql: str, *values: Value) -> Rows:
        """The rows of one SELECT, as the last commit left them. UnavailableError when the database is away."""
        text, bound = numbered(sql), [storable(value) for value in values]

        async def ask(connection: asyncpg.Connection) -> Rows:
            return list(map(tuple, await connection.fetch(text, *bound)))

        return await self._asked(ask)

    async def look_up(self, sql: str, *values: Value) -> Rows:
        """The same, together with all who ask this at the same time."""
        question = self._questions.get(sql)
        if question is None:
            question = self._questions[sql] = Question(sql, self._asked)
        return await question.ask(values)

    async def write(self, make: MakeWork[T], *, serializable: bool = True) -> T:
        """As `Database.write`."""
        if self._is_closed:
            raise UnavailableError("the database is closed")
        return await (self._serializable if serializable else self._in_step).write(make)

    async def one(self, sql: str, *values: Value) -> Rows:
        """Write with a single statement and return its rows."""

        def work() -> Work[Rows]:
            return (yield Statement(sql, values))

        return await self.write(work)

    async def answers(self) -> bool:
        """Whether the database can be read right now."""
        try:
            return bool(await self.read("SELECT version FROM schema_version"))
        except UnavailableError:
            return False

    async def close(self) -> None:
        """Finish what waits, then close every connection."""
        self._is_closed = True
        await self._serializable.close()
        await self._in_step.close()
        for link in self._links:
            await link.close()

    async def _asked(self, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Ask over a free connection, and once more over a new one when it was lost: reading twice does no harm."""
        link = await self._free.get()
        try:
            try:
                return await ask(await link.connection())
            except LOST:
                link.drop()
                return await ask(await link.connection())
        except (*LOST, asyncpg.PostgresError) as error:
            link.drop()
            raise postgres_link.away(error) from None
        finally:
            self._free.put_nowait(link)
