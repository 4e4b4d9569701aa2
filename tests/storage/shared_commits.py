"""A SQLite database whose writer is held, so that what is written meanwhile shares a commit; and the commits that it made."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from grantway.storage.sqlite import FILE_NAME, SqliteDatabase
from grantway.storage.statements import Statement, Work


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(folder / FILE_NAME)
    try:
        await opened.one("CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY, number BIGINT)")
        yield opened
    finally:
        await opened.close()


def adding(name: str, number: int = 0, *, then_fail: BaseException | None = None) -> Work[tuple[str, int]]:
    yield Statement("INSERT INTO things (name, number) VALUES (?, ?)", (name, number))
    rows = yield Statement("SELECT name, number FROM things WHERE name = ?", (name,))
    if then_fail is not None:
        raise then_fail
    return rows[0][0], rows[0][1]


class Held:
    """While this piece runs, the writer is kept, and what is asked meanwhile waits and shares the next commit."""

    def __init__(self) -> None:
        self.running, self.free = threading.Event(), threading.Event()

    def work(self) -> Work[None]:
        yield Statement("SELECT 1")
        self.running.set()
        assert self.free.wait(60)


@asynccontextmanager
async def held(opened: SqliteDatabase) -> AsyncIterator[None]:
    """What is written inside waits for the end of the block; awaiting it must come after."""
    hold = Held()
    first = asyncio.ensure_future(opened.write(hold.work))
    assert await asyncio.to_thread(hold.running.wait, 60)
    yield
    await asyncio.sleep(0)  # let what was begun inside reach the queue
    hold.free.set()
    await first


@contextmanager
def traced(opened: SqliteDatabase) -> Iterator[list[str]]:
    """Every statement that the writer runs."""
    statements: list[str] = []
    opened._writer.set_trace_callback(statements.append)
    yield statements
    opened._writer.set_trace_callback(None)


class OwnError(Exception):
    pass
