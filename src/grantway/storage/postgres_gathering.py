"""Statements that many send at the same time: those that wait together are sent as one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from grantway.storage.postgres_sql import storable
from grantway.storage.statements import Row, Rows, Value

MOST_AT_ONCE = 256

T = TypeVar("T")
Send = Callable[[Sequence[T]], Awaitable[Sequence[Rows | BaseException]]]
"""Sends one statement for all who ask; what comes back for each, in the same order."""


@dataclass(slots=True)
class _Asker(Generic[T]):
    asked: T
    future: asyncio.Future[Rows]

    def answer(self, answer: Rows | BaseException) -> None:
        if self.future.done():  # whoever asked has gone
            return
        if isinstance(answer, BaseException):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


class Gathering(Generic[T]):
    """One statement and who waits for it. One sending is under way at a time; what comes meanwhile shares the next one."""

    def __init__(self, send: Send[T]) -> None:
        self._send = send
        self._waiting: list[_Asker[T]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: T) -> Rows:
        """The rows for what is asked, or the error that came back for it."""
        loop = asyncio.get_running_loop()
        asker = _Asker(asked, loop.create_future())
        self._waiting.append(asker)
        # begun by the first and run by itself: whoever asked may be given up meanwhile, the others still wait
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await asker.future

    async def finish(self) -> None:
        """Wait until nobody waits any more."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            askers, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            answers: Sequence[Rows | BaseException]
            try:
                answers = await self._send([asker.asked for asker in askers])
            except Exception as error:  # noqa: BLE001 - whatever it was, it is theirs; those who come after are served
                answers = [error] * len(askers)
            for asker, answer in zip(askers, answers, strict=True):
                asker.answer(answer)
        self._task = None


def columns(sets: Iterable[Sequence[Value]]) -> list[list[Value]]:
    """An array for each value of the statement."""
    return [[storable(value) for value in column] for column in zip(*sets, strict=True)]


def shared_out(records: Iterable[Iterable[Any]], count: int) -> list[Rows]:
    """Rows that begin with the number, from 1, of whom they answer, as each one's own."""
    answers: list[Rows] = [[] for _ in range(count)]
    for record in records:
        row: Row = tuple(record)
        answers[row[0] - 1].append(row[1:])
    return answers
