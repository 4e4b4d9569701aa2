"""The writer that shares commits: results go to whom they belong, a failure undoes itself alone, and nothing that waits is lost."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.storage.shared_commits import OwnError, adding, database, held, traced

from grantway.oauth_error import UnavailableError
from grantway.storage import sqlite
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase
from grantway.storage.statements import Statement, Work


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
