"""PostgreSQL, or what speaks like it (CockroachDB): the engine for several processes and hosts.

What waits at the same time goes together: writes share a commit; a look-up or a change that every exchange makes shares one statement.
Connections that were lost are made again by whoever needs one next.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from grantway.oauth_error import UnavailableError
from grantway.storage import postgres_link
from grantway.storage.database import Database
from grantway.storage.postgres_gathering import Gathering, columns, shared_out
from grantway.storage.postgres_link import LOST, Link, Outage
from grantway.storage.postgres_sql import gathered, numbered, storable
from grantway.storage.postgres_writer import READ_COMMITTED, SERIALIZABLE, Writer
from grantway.storage.statements import Change, MakeWork, Rows, Value

T = TypeVar("T")

READERS = 4
"""Connections for reading; writing has three more."""


class PostgresDatabase(Database):
    """A database by its URL, for one event loop. `committed` hears how many seconds each transaction took, its commit included."""

    def __init__(self, url: str, committed: Callable[[float], None] = lambda _seconds: None) -> None:
        self._outage = Outage()
        self._links = [Link(url, self._outage) for _ in range(READERS)]
        self._free: asyncio.LifoQueue[Link] = asyncio.LifoQueue()
        for link in self._links:
            self._free.put_nowait(link)
        self._looking_up: dict[str, Gathering[Sequence[Value]]] = {}
        self._changing: dict[str, Gathering[Change]] = {}
        self._together: dict[str, str] = {}
        self._writer = Writer(Link(url, self._outage), self._outage, committed, SERIALIZABLE)
        self._row_writer = Writer(Link(url, self._outage), self._outage, committed, READ_COMMITTED)
        self._changes = Link(url, self._outage)  # its own, so that no claim waits for a batch of writes
        self._changing_now = asyncio.Lock()
        self._committed = committed
        self._is_closed = False

    async def read(self, sql: str, *values: Value) -> Rows:
        """The rows of one SELECT, as the last commit left them. UnavailableError when the database is away."""
        text, bound = numbered(sql), [storable(value) for value in values]

        async def ask(connection: asyncpg.Connection) -> Rows:
            return list(map(tuple, await connection.fetch(text, *bound)))

        return await self._asked(ask)

    async def look_up(self, sql: str, *values: Value) -> Rows:
        """The same, together with all who ask this at the same time."""
        gathering = self._looking_up.get(sql)
        if gathering is None:
            gathering = self._looking_up[sql] = Gathering(functools.partial(self._looked_up, sql))
        return await gathering.ask(values)

    async def write(self, make: MakeWork[T]) -> T:
        """As `Database.write`."""
        self._check_open()
        return await self._writer.write(make)

    async def write_by_row(self, make: MakeWork[T]) -> T:
        """As `Database.write_by_row`: whoever changes a row that another is changing waits, and then looks at it again."""
        self._check_open()
        return await self._row_writer.write(make)

    async def change(self, change: Change) -> Rows:
        """As `Database.change`: one statement, and so one commit, for all who wait."""
        self._check_open()
        gathering = self._changing.get(change.together.sql)
        if gathering is None:
            gathering = self._changing[change.together.sql] = Gathering(self._changed)
        return await gathering.ask(change)

    async def close(self) -> None:
        """Finish what waits, then close every connection."""
        self._is_closed = True
        for looking_up in self._looking_up.values():
            await looking_up.finish()
        for changing in self._changing.values():
            await changing.finish()
        await self._writer.close()
        await self._row_writer.close()
        await asyncio.gather(*(link.close() for link in (self._changes, *self._links)))

    def _check_open(self) -> None:
        if self._is_closed:
            raise UnavailableError("the database is closed")

    async def _looked_up(self, sql: str, sets: Sequence[Sequence[Value]]) -> list[Rows]:
        async def ask(connection: asyncpg.Connection) -> list[Rows]:
            # the arrays need the types of what they hold, which the database tells; asked once for each text
            if sql not in self._together:
                types = [one.name for one in (await connection.prepare(numbered(sql))).get_parameters()]
                self._together[sql] = gathered(sql, types)
            return shared_out(await connection.fetch(self._together[sql], *columns(sets)), len(sets))

        return await self._asked(ask)

    async def _changed(self, changes: Sequence[Change]) -> list[Rows | BaseException]:
        """All in one statement; where that fails each by itself, so that one that cannot be stored does not stop the others.

        Changes of another kind wait meanwhile: the connection carries one statement at a time.
        """
        began = time.perf_counter()
        together = [change.together for change in changes]
        try:
            async with self._changing_now:
                connection = await self._changes.connection()
                records = await connection.fetch(together[0].sql, *columns(one.values for one in together))
        except LOST as error:  # nobody can tell whether it was stored: it is not tried again
            self._changes.drop()
            raise self._outage.away(error) from None
        except asyncpg.PostgresError:
            # as pieces of work, each with a savepoint of its own; LOST is caught above, for some of it is a PostgresError too
            return await asyncio.gather(*(self.write(change.work) for change in changes), return_exceptions=True)
        self._committed(time.perf_counter() - began)
        return list(shared_out(records, len(changes)))

    async def _asked(self, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Ask over a free connection. In all, waiting for one too, that takes no longer than a single statement may."""
        try:
            async with asyncio.timeout(postgres_link.ANSWER_SECONDS):
                link = await self._free.get()
                try:
                    return await _asked_over(link, ask)
                except BaseException:  # also one that was given up: its answer may still be on its way
                    link.drop()
                    raise
                finally:
                    self._free.put_nowait(link)  # a dropped one too: it connects anew when it is asked
        except (*LOST, asyncpg.PostgresError) as error:
            raise self._outage.away(error) from None


async def _asked_over(link: Link, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Ask over this connection, and once more over a new one when it was lost: reading twice does no harm."""
    try:
        return await ask(await link.connection())
    except LOST:
        link.drop()
        return await ask(await link.connection())
