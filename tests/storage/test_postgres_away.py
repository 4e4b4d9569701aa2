"""A PostgreSQL that is there and answers nothing: nobody waits for long, and all goes on when it answers again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.engines import postgres

from grantway.oauth_error import UnavailableError
from grantway.storage import postgres_link
from grantway.storage.postgres import READERS, PostgresDatabase
from grantway.storage.statements import Change, Rows, Statement

NAMING = Change(
    Statement("UPDATE things SET name = ? WHERE name = 'thing' RETURNING 1", ("other",)),
    Statement("SELECT 1"),
    Statement(
        """WITH asked AS (SELECT * FROM unnest(CAST($1 AS TEXT[])) WITH ORDINALITY AS each (name, n))
        UPDATE things SET name = asked.name FROM asked WHERE things.name = 'thing' RETURNING asked.n, 1""",
        ("other",),
    ),
)


class Line:
    """A way to the database that stops, as behind a firewall that drops all: nothing is refused, nothing is answered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.flows = asyncio.Event()
        self.flows.set()
        self._carried: list[asyncio.Future[tuple[None, None]]] = []

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The URL that leads over it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        here = server.sockets[0].getsockname()[1]
        try:
            yield self._url.replace(f":{postgres().port}/", f":{here}/")
        finally:
            server.close()
            self.flows.set()
            await asyncio.gather(*self._carried)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond, to_beyond = await asyncio.open_connection("127.0.0.1", postgres().port)
        both = asyncio.gather(self._carry(reader, to_beyond), self._carry(beyond, writer))
        self._carried.append(both)
        await both

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.flows.wait()
                writer.write(data)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def told(story: Callable[[Line, PostgresDatabase], Awaitable[None]]) -> None:
    async def tell() -> None:
        line = Line(postgres().new_database())
        async with line.opened() as url:
            database = PostgresDatabase(url)
            try:
                await story(line, database)
            finally:
                await database.close()

    asyncio.run(tell())


@pytest.mark.slow
@pytest.mark.parametrize("opened_before", [True, False])
def test_a_database_that_answers_nothing_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, opened_before: bool) -> None:
    """However many wait: each is told within two waits. Then all goes on as before."""
    monkeypatch.setattr(postgres_link, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(postgres_link, "CONNECT_SECONDS", 1.0)

    async def story(line: Line, database: PostgresDatabase) -> None:
        asking: list[Callable[[], Awaitable[Rows]]] = [
            lambda: database.read("SELECT 1"),
            lambda: database.look_up("SELECT 1 WHERE 1 = CAST(? AS INT)", 1),
            lambda: database.one("DELETE FROM things WHERE name = 'nobody'"),
            lambda: database.change(NAMING),
        ]
        await database.one("CREATE TABLE things (name TEXT PRIMARY KEY)")
        if opened_before:
            await asyncio.gather(*(ask() for ask in asking))
        line.flows.clear()
        async with asyncio.timeout(8.0):  # one after the other they would take ten seconds
            answers = await asyncio.gather(*(ask() for ask in asking for _ in range(40)), return_exceptions=True)
            assert {type(answer) for answer in answers} == {UnavailableError}
            assert not await database.answers()
        line.flows.set()
        monkeypatch.undo()
        for ask in asking:
            await ask()

    told(story)


def test_closing_does_not_wait_for_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_link, "CONNECT_SECONDS", 2.0)

    async def story(line: Line, database: PostgresDatabase) -> None:
        await asyncio.gather(*(database.read("SELECT pg_sleep(0.1)") for _ in range(READERS)))
        line.flows.clear()
        async with asyncio.timeout(7.0):  # one after the other they would take eight seconds
            await database.close()
        line.flows.set()

    told(story)


def test_a_row_that_somebody_holds_stops_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host was cut off in the middle of a transaction: only who needs that row is refused, and after a while it is free."""
    monkeypatch.setattr(postgres_link, "_SETTINGS", postgres_link._SETTINGS.replace("10s", "6s").replace("'2s'", "'500ms'"))

    async def story(_: Line, database: PostgresDatabase) -> None:
        await database.one("CREATE TABLE things (name TEXT PRIMARY KEY)")
        await database.one("INSERT INTO things VALUES ('thing'), ('mine')")
        cut_off = PostgresDatabase(postgres().url(str((await database.read("SELECT current_database()"))[0][0])))
        held = await cut_off._changes.connection()
        await held.execute("BEGIN; UPDATE things SET name = name WHERE name = 'thing'")
        mine = "UPDATE things SET name = 'mine' WHERE name = 'mine' RETURNING name"
        async with asyncio.timeout(60.0):
            refused, also, done = await asyncio.gather(
                database.one("DELETE FROM things WHERE name = 'thing'"), database.change(NAMING), database.one(mine), return_exceptions=True
            )
        assert (type(refused), type(also), done) == (UnavailableError, UnavailableError, [("mine",)])
        async with asyncio.timeout(60.0):
            while not await _is_free(database):
                pass
        await cut_off.close()

    told(story)


async def _is_free(database: PostgresDatabase) -> bool:
    try:
        return bool(await database.change(NAMING))
    except UnavailableError:
        return False
