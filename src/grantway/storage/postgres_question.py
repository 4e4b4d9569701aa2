"""A look-up that many ask at the same time: those that wait together are asked as one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from grantway.oauth_error import UnavailableError
from grantway.storage.postgres_sql import gathered, numbered, storable
from grantway.storage.statements import Rows, Value

Ask = Callable[[asyncpg.Connection], Awaitable[list[Rows]]]
"""Asks over a connection, and may be called again over another one."""

MOST_AT_ONCE = 256


@dataclass(slots=True)
class _Asker:
    values: list[Value]
    future: asyncio.Future[Rows]


class Question:
    """One SELECT, asked with many sets of values. `asked` finds a connection to ask over, and turns its errors into UnavailableError."""

    def __init__(self, sql: str, asked: Callable[[Ask], Awaitable[list[Rows]]]) -> None:
        self._sql = sql
        self._asked = asked
        self._together: str | None = None
        self._waiting: list[_Asker] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, values: Sequence[Value]) -> Rows:
        """The rows for these values, in any order. UnavailableError when the database is away."""
        loop = asyncio.get_running_loop()
        asker = _Asker([storable(value) for value in values], loop.create_future())
        self._waiting.append(asker)
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await asker.future

    async def _run(self) -> None:
        while self._waiting:
            askers, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            await self._answer(askers)
        self._task = None

    async def _answer(self, askers: list[_Asker]) -> None:
        try:
            answers = await self._asked(lambda connection: self._rows(connection, askers))
        except UnavailableError as error:
            for asker in askers:
                if not asker.future.done():
                    asker.future.set_exception(error)
            return
        for asker, rows in zip(askers, answers, strict=True):
            if not asker.future.done():  # else whoever asked has gone
                asker.future.set_result(rows)

    async def _rows(self, connection: asyncpg.Connection, askers: list[_Asker]) -> list[Rows]:
        if len(askers) == 1:
            return [list(map(tuple, await connection.fetch(numbered(self._sql), *askers[0].values)))]
        if self._together is None:
            statement = await connection.prepare(numbered(self._sql))
            self._together = gathered(self._sql, [one.name for one in statement.get_parameters()])
        answers: list[Rows] = [[] for _ in askers]
        columns = zip(*(asker.values for asker in askers), strict=True)
        for number, *row in await connection.fetch(self._together, *map(list, columns)):
            answers[number - 1].append(tuple(row))
        return answers
