"""A SQLite file that is locked, written by another process, full, read only or no database; and errors say nothing of values."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.storage.shared_commits import OwnError, adding, database, held

from grantway.oauth_error import UnavailableError
from grantway.storage import sqlite
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase
from grantway.storage.statements import Rows, Statement, Work


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


def test_a_file_that_is_no_database_is_not_kept_open(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"this is no database at all. " * 200)
    with pytest.raises(sqlite3.DatabaseError) as refusal:
        SqliteDatabase(file)
    open_files = [descriptor.resolve() for descriptor in Path("/proc/self/fd").iterdir()]
    assert file not in open_files, refusal.value  # an error that somebody looks into holds all that was on the way to it
