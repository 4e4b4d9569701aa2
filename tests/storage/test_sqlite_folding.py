"""The log is folded beside the writer, and begun anew when all of it is: it doesn't grow for ever."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from grantway.storage import sqlite_folding
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase

BEGINNINGS = slice(12, 16)  # of a log's header: how often it was begun anew (SQLite's file format, section 4.1)


def beginnings(folder: Path) -> int:
    return int.from_bytes((folder / f"{FILE_NAME}-wal").read_bytes()[BEGINNINGS], "big")


def no_connection(*_args: object) -> sqlite3.Connection:
    raise sqlite3.OperationalError("unable to open database file")


def no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


HINDERED: dict[str, Callable[[SqliteDatabase, pytest.MonkeyPatch], None]] = {
    "nothing": lambda _opened, _patch: None,
    "no connection": lambda opened, patch: patch.setattr(opened._folding, "_connect", no_connection),
    "no thread": lambda _opened, patch: patch.setattr(threading.Thread, "start", no_thread),
}


@pytest.mark.parametrize("what", HINDERED)
def test_the_log_is_begun_anew_whatever_hinders_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(sqlite_folding, "LOG_PAGES", 100)

    async def story() -> list[int]:
        opened = SqliteDatabase(tmp_path / FILE_NAME)
        seen: list[int] = []
        try:
            await opened.one("CREATE TABLE things (name TEXT PRIMARY KEY)")
            HINDERED[what](opened, monkeypatch)
            for number in range(100):  # a hundred commits: some seven hundred pages, if nothing were folded
                await opened.one("INSERT INTO things (name) VALUES (?)", f"thing {number}")
                opened._folding.wait()
                seen.append(beginnings(tmp_path))
            assert (await opened.read("SELECT count(*) FROM things"))[0][0] == 100
        finally:
            await opened.close()
        return seen

    seen = asyncio.run(story())
    assert seen == sorted(seen)
    assert len(set(seen)) >= 4
    assert not (tmp_path / f"{FILE_NAME}-wal").exists()  # whoever leaves last folds all of it


def test_commits_go_on_while_the_log_is_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folding, go_on = threading.Event(), threading.Event()
    really = sqlite_folding._fold

    def held(connection: sqlite3.Connection) -> None:
        if threading.current_thread().name == "sqlite-folding":
            folding.set()
            assert go_on.wait(60)
        really(connection)

    monkeypatch.setattr(sqlite_folding, "LOG_PAGES", 20)
    monkeypatch.setattr(sqlite_folding, "_fold", held)

    async def story() -> None:
        opened = SqliteDatabase(tmp_path / FILE_NAME)
        try:
            await opened.one("CREATE TABLE things (name TEXT PRIMARY KEY)")
            for number in range(10):
                await opened.one("INSERT INTO things (name) VALUES (?)", f"thing {number}")
            assert await asyncio.to_thread(folding.wait, 60)
            await opened.one("INSERT INTO things (name) VALUES ('meanwhile')")
        finally:
            go_on.set()
            await opened.close()

    asyncio.run(story())
