"""The writer that shares commits: results go to whom they belong, a failure undoes itself alone, and nothing that waits is lost."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from grantway.oauth_error import UnavailableError
from grantway.storage import sqlite
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase
from grantway.storage.statements import Rows, Statement, Work


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


def test_results_go_to_whom_they_belong_and_failures_undo_themselves_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            with traced(opened) as statements:
                async with held(opened):
                    asked = [
                        asyncio.ensure_future(
                            opened.write(lambda n=n: adding(f"thing {n}", n, then_fail=OwnError(n) if n % 5 == 0 else None))  # type: ignore[misc]
                        )
                        for n in range(50)
                    ]
                results = await asyncio.gather(*asked, return_exceptions=True)
            for n, result in enumerate(results):
                if n % 5 == 0:
                    assert isinstance(result, OwnError)
                    assert result.args == (n,)
                else:
                    assert result == (f"thing {n}", n)
            kept = {row[0] for row in await opened.read("SELECT number FROM things")}
            assert kept == {n for n in range(50) if n % 5}
            assert statements.count("COMMIT") == 2  # the one that was held, and all that waited

    asyncio.run(story())


def test_an_error_of_sqlites_fails_its_piece_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            async with held(opened):
                asked = [asyncio.ensure_future(opened.write(lambda name=name: adding(name))) for name in ("a", "a", "b")]  # type: ignore[misc]
                asked.append(asyncio.ensure_future(opened.write(lambda: adding("c", 2**80))))
            results = await asyncio.gather(*asked, return_exceptions=True)
            assert results[0] == ("a", 0)
            assert isinstance(results[1], UnavailableError)
            assert results[2] == ("b", 0)
            assert isinstance(results[3], UnavailableError | OverflowError)
            assert [row[0] for row in await opened.read("SELECT name FROM things ORDER BY name")] == ["a", "b"]

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(story())


def test_more_than_one_commit_holds_are_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MOST_IN_ONE_COMMIT", 8)

    async def story() -> None:
        async with database(tmp_path) as opened:
            with traced(opened) as statements:
                async with held(opened):
                    asked = [asyncio.ensure_future(opened.write(lambda n=n: adding(str(n), n))) for n in range(20)]  # type: ignore[misc]
                assert await asyncio.gather(*asked) == [(str(n), n) for n in range(20)]
            assert statements.count("COMMIT") == 1 + 3

    asyncio.run(story())


def test_who_comes_in_the_next_turns_comes_along(tmp_path: Path) -> None:
    async def after(turns: int, opened: SqliteDatabase) -> tuple[str, int]:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await opened.write(lambda: adding(str(turns), turns))

    async def story() -> None:
        async with database(tmp_path) as opened:
            with traced(opened) as statements:
                # every other turn brings nobody, as between a request that is read and its work
                assert await asyncio.gather(*(after(turns, opened) for turns in range(0, 20, 2))) == [(str(n), n) for n in range(0, 20, 2)]
            assert statements.count("COMMIT") == 1

    asyncio.run(story())


def test_nobody_waits_for_an_endless_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MOST_IN_ONE_COMMIT", 8)

    async def story() -> None:
        async with database(tmp_path) as opened, asyncio.timeout(60):
            asked = [asyncio.ensure_future(opened.write(lambda: adding("0")))]
            # each turn brings somebody until the first is answered, however long that takes
            while not asked[0].done():
                name = str(len(asked))
                asked.append(asyncio.ensure_future(opened.write(lambda name=name: adding(name))))  # type: ignore[misc]
                await asyncio.sleep(0)
            assert len(await asyncio.gather(*asked)) == len(asked)

    asyncio.run(story())


def test_what_is_returned_is_committed(tmp_path: Path) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            await opened.write(lambda: adding("a", 7))
            with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
                assert other.execute("SELECT number FROM things").fetchall() == [(7,)]
            assert await opened.read("SELECT number FROM things WHERE name = ?", "a") == [(7,)]

    asyncio.run(story())


def test_who_leaves_does_not_disturb_the_others(tmp_path: Path) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            async with held(opened):
                asked = [asyncio.ensure_future(opened.write(lambda n=n: adding(str(n), n))) for n in range(3)]  # type: ignore[misc]
                await asyncio.sleep(0)
                asked[1].cancel()
            results = await asyncio.gather(*asked, return_exceptions=True)
            assert results[0] == ("0", 0)
            assert isinstance(results[1], asyncio.CancelledError)
            assert results[2] == ("2", 2)

    asyncio.run(story())


def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    async def story() -> list[tuple[str, int]]:
        async with database(tmp_path) as opened:
            async with held(opened):
                asked = [asyncio.ensure_future(opened.write(lambda n=n: adding(str(n), n))) for n in range(20)]  # type: ignore[misc]
            await asyncio.sleep(0)
        return await asyncio.gather(*asked)

    assert asyncio.run(story()) == [(str(n), n) for n in range(20)]
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]  # the log was folded in


def test_closing_finishes_more_than_one_commit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MOST_IN_ONE_COMMIT", 8)

    async def story() -> list[tuple[str, int]]:
        async with database(tmp_path) as opened:
            asked = [asyncio.ensure_future(opened.write(lambda n=n: adding(str(n), n))) for n in range(30)]  # type: ignore[misc]
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            return await asyncio.gather(*asked)

    assert asyncio.run(story()) == [(str(n), n) for n in range(30)]


def test_a_locked_database_is_away_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)

    async def story() -> None:
        async with database(tmp_path) as opened:
            with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                asked = [opened.write(lambda n=n: adding(str(n))) for n in range(3)]  # type: ignore[misc]
                results = await asyncio.gather(*asked, return_exceptions=True)
                assert all(isinstance(result, UnavailableError) for result in results)
                assert await opened.read("SELECT count(*) FROM things") == [(0,)]
                assert len(caplog.records) == 1  # said once, not by each that waits
                other.execute("ROLLBACK")
            assert await opened.write(lambda: adding("after")) == ("after", 0)
            assert await opened.read("SELECT name FROM things") == [("after",)]

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())


def test_two_processes_write_by_turns_and_nothing_twice(tmp_path: Path) -> None:
    """Each with a writer of its own: what one adds the other counts, whoever comes first, and a batch that fails adds once."""

    def one_more(fails: bool) -> Work[int]:
        rows = yield Statement("UPDATE things SET number = number + 1 WHERE name = 'sum' RETURNING number")
        if fails:
            raise OwnError
        return int(rows[0][0])

    async def story() -> None:
        async with database(tmp_path) as first, database(tmp_path) as second:
            await first.one("INSERT INTO things (name, number) VALUES ('sum', 0)")
            asked = [(first, second)[number % 2].write(lambda number=number: one_more(number % 7 == 0)) for number in range(400)]  # type: ignore[misc]
            results = await asyncio.gather(*asked, return_exceptions=True)
            added = [result for result in results if not isinstance(result, OwnError)]
            assert sorted(added) == list(range(1, len(added) + 1))  # type: ignore[type-var]
            assert await second.read("SELECT number FROM things") == [(len(added),)]

    asyncio.run(story())


def test_a_full_disk_fails_the_batch_and_nothing_is_half_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            pages = opened._writer.execute("PRAGMA page_count").fetchone()[0]
            opened._writer.execute(f"PRAGMA max_page_count = {pages}")
            async with held(opened):
                big = [asyncio.ensure_future(opened.write(lambda n=n: adding("x" * 50_000 + str(n)))) for n in range(3)]  # type: ignore[misc]
            results = await asyncio.gather(*big, return_exceptions=True)
            assert all(isinstance(result, UnavailableError) for result in results)
            opened._writer.execute("PRAGMA max_page_count = 1000000")
            assert await opened.write(lambda: adding("after")) == ("after", 0)
            assert await opened.read("SELECT name FROM things") == [("after",)]

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(story())


def test_the_reader_cannot_write(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            with pytest.raises(UnavailableError):
                await opened.read("INSERT INTO things (name) VALUES ('x')")

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(story())


def test_errors_say_nothing_of_values(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with database(tmp_path) as opened:
            await opened.one("INSERT INTO things (name) VALUES (?)", "hunter2")
            with pytest.raises(UnavailableError) as refusal:
                await opened.one("INSERT INTO things (name) VALUES (?)", "hunter2")
            assert "hunter2" not in repr(refusal.value)

    asyncio.run(story())
    assert "hunter2" not in caplog.text


def test_rows_of_nothing(tmp_path: Path) -> None:
    async def story() -> Rows:
        async with database(tmp_path) as opened:
            return await opened.one("UPDATE things SET number = 1 WHERE name = 'x' RETURNING name")

    assert asyncio.run(story()) == []


def test_the_writer_outlives_a_piece_that_ends_the_transaction(tmp_path: Path) -> None:
    """Whoever does that gets an error; nobody else waits for ever."""

    def breaking() -> Work[None]:
        yield Statement("ROLLBACK")
        raise KeyError

    async def story() -> None:
        async with database(tmp_path) as opened:
            with pytest.raises(UnavailableError):
                await opened.write(breaking)
            assert await opened.write(lambda: adding("after")) == ("after", 0)

    asyncio.run(story())


def test_a_file_that_is_no_database_is_not_kept_open(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"this is no database at all. " * 200)
    with pytest.raises(sqlite3.DatabaseError) as refusal:
        SqliteDatabase(file)
    open_files = [descriptor.resolve() for descriptor in Path("/proc/self/fd").iterdir()]
    assert file not in open_files, refusal.value  # an error that somebody looks into holds all that was on the way to it
