"""A queue of writes to PostgreSQL: pieces that wait at the same time share one transaction and one commit.

When a piece fails, the batch is undone and run again with a savepoint for each, so that the failing one undoes itself alone. When
the database says that the batch met another transaction, all of it runs again after a while that differs from process to process.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg

from grantway.storage import postgres_link
from grantway.storage.piece import Piece
from grantway.storage.postgres_link import AGAIN, LOST, Link, Outage
from grantway.storage.postgres_sql import numbered, storable
from grantway.storage.statements import MakeWork, Rows, Statement

T = TypeVar("T")

MOST_IN_ONE_COMMIT = 256
TRIES = 10
_FIRST_PAUSE = 0.002
SERIALIZABLE, READ_COMMITTED = "SERIALIZABLE", "READ COMMITTED"

_random = random.SystemRandom()


class Writer:
    """Runs pieces over its own connection, one batch at a time; what comes meanwhile shares the next one."""

    def __init__(self, link: Link, outage: Outage, committed: Callable[[float], None], level: str) -> None:
        self._link = link
        self._begin = f"BEGIN ISOLATION LEVEL {level}"
        self._outage = outage
        self._committed = committed
        self._waiting: list[Piece[Any]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, make: MakeWork[T]) -> T:
        """As `Database.write`."""
        loop = asyncio.get_running_loop()
        piece: Piece[T] = Piece(make, loop.create_future())
        self._waiting.append(piece)
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await piece.future

    async def close(self) -> None:
        """Finish what waits, then close the connection."""
        while self._task is not None:
            await asyncio.wait([self._task])
        await self._link.close()

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_IN_ONE_COMMIT], self._waiting[MOST_IN_ONE_COMMIT:]
            began = time.perf_counter()
            await self._commit_together(batch)
            self._committed(time.perf_counter() - began)
            for piece in batch:
                piece.settle()
        self._task = None

    async def _commit_together(self, batch: list[Piece[Any]]) -> None:
        """Leave a result or an error in each piece, whatever happens."""
        try:
            await self._try_until_it_holds(batch)
        except Exception as error:  # noqa: BLE001 - the queue outlives whatever happens: all others wait for it
            self._link.drop()
            failed = self._outage.away(error)
            for piece in batch:
                piece.error = failed

    async def _try_until_it_holds(self, batch: list[Piece[Any]]) -> None:
        """Run the batch until it is committed. Where a commit's answer was lost nobody can tell: it is not tried again."""
        for attempt in range(TRIES):
            try:
                connection = await self._prepare(batch)
                await connection.execute("COMMIT")
            # also of the COMMIT: the database says for sure that nothing of it was stored
            except AGAIN as error:
                await self._undo(error, is_last=attempt == TRIES - 1)
                await asyncio.sleep(_random.uniform(0, _FIRST_PAUSE * 2**attempt))  # two that met would meet again if both waited as long
            except _LostBeforeCommitError:
                self._link.drop()
                # once more over a new connection; a database that is away keeps nobody waiting ten times
                if attempt > 0:
                    raise
            else:
                return

    async def _undo(self, error: Exception, *, is_last: bool) -> None:
        """Make the connection ready for the next try; after the last one, give up."""
        if is_last:
            raise error
        try:
            await (await self._link.connection()).execute("ROLLBACK")
        except LOST:
            self._link.drop()

    async def _prepare(self, batch: list[Piece[Any]]) -> asyncpg.Connection:
        """All but the commit, which takes no longer than a single statement may: others wait for it."""
        try:
            async with asyncio.timeout(postgres_link.ANSWER_SECONDS):
                connection = await self._link.connection()
                await connection.execute(self._begin)
                if not await _run_all(connection, batch):
                    # after an error PostgreSQL takes nothing more in that transaction
                    await connection.execute("ROLLBACK")
                    await connection.execute(self._begin)
                    for piece in batch:
                        await self._run_alone(connection, piece)
        except LOST as error:
            raise _LostBeforeCommitError from error
        return connection

    async def _run_alone(self, connection: asyncpg.Connection, piece: Piece[Any]) -> None:
        """Run one piece in a savepoint. An error that ended the whole transaction goes up."""
        await connection.execute("SAVEPOINT piece")
        try:
            await _drive(connection, piece)
        # these end the transaction, savepoints and all
        except (*AGAIN, *LOST):
            raise
        except Exception as error:  # noqa: BLE001 - it is the caller's
            await connection.execute("ROLLBACK TO SAVEPOINT piece")
            piece.error = self._outage.away(error) if isinstance(error, asyncpg.PostgresError) else error
        await connection.execute("RELEASE SAVEPOINT piece")


class _LostBeforeCommitError(ConnectionError):
    """The way to the database broke while nothing of the batch could have been stored."""


async def _run_all(connection: asyncpg.Connection, batch: list[Piece[Any]]) -> bool:
    """Run all without savepoints, which are hardly ever needed. False when one of them failed: all must be undone."""
    try:
        for piece in batch:
            await _drive(connection, piece)
    except (*AGAIN, *LOST):
        raise
    except Exception:  # noqa: BLE001 - whatever it was, it comes again and is told apart with savepoints
        return False
    return True


async def _drive(connection: asyncpg.Connection, piece: Piece[Any]) -> None:
    piece.error = None  # of a try that was undone
    work = piece.make()
    try:
        statement = next(work)
        while True:
            statement = work.send(await _ask(connection, statement))
    except StopIteration as finished:
        piece.result = finished.value


async def _ask(connection: asyncpg.Connection, statement: Statement) -> Rows:
    return [tuple(row) for row in await connection.fetch(numbered(statement.sql), *map(storable, statement.values))]
