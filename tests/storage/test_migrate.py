"""The schema: made whole or not at all, by one of many that start at once, and never downgraded."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from grantway.oauth_error import UnavailableError
from grantway.storage import migrate
from grantway.storage.migrate import Migration, NewerDatabaseError

LATEST = migrate.all_migrations()[-1].version


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def versions(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT version FROM schema_version ORDER BY version")]


def test_steps_are_numbered_from_one_without_gaps() -> None:
    assert [step.version for step in migrate.all_migrations()] == list(range(1, LATEST + 1))
    assert all(step.statements for step in migrate.all_migrations())


def test_twice(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert migrate.upgrade(path) == LATEST
    made = tables(path)
    assert {"accounts", "clients", "codes", "consents", "schema_version"} <= made
    assert migrate.upgrade(path) == LATEST
    assert tables(path) == made
    assert versions(path) == list(range(1, LATEST + 1))


def test_many_threads_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(migrate.upgrade, [path] * 8)) == [LATEST] * 8
    assert versions(path) == list(range(1, LATEST + 1))


def test_processes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    program = "import sys; from pathlib import Path; from grantway.storage import migrate; print(migrate.upgrade(Path(sys.argv[1])))"
    started = [subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0] for process in started] == [f"{LATEST}\n"] * 3
    assert versions(path) == list(range(1, LATEST + 1))


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (LATEST + 1,))
        connection.commit()
    with pytest.raises(NewerDatabaseError, match=str(LATEST + 1)):
        migrate.upgrade(path)
    assert versions(path) == list(range(1, LATEST + 2))


def test_a_failing_step_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.db"
    migrate.upgrade(path)
    made = tables(path)
    steps = migrate.all_migrations()
    broken = Migration(LATEST + 1, ("CREATE TABLE half (x TEXT)", "CREATE TABLE accounts (x TEXT)"))
    monkeypatch.setattr(migrate, "all_migrations", lambda: [*steps, broken])
    with pytest.raises(Exception, match="accounts"):
        migrate.upgrade(path)
    assert tables(path) == made
    assert versions(path) == list(range(1, LATEST + 1))
    mended = Migration(LATEST + 1, ("CREATE TABLE half (x TEXT)",))
    monkeypatch.setattr(migrate, "all_migrations", lambda: [*steps, mended])
    assert migrate.upgrade(path) == LATEST + 1
    assert tables(path) == made | {"half"}


KILLED = """
import os, sqlite3, sys
from pathlib import Path
from grantway.storage import migrate

class Dying(sqlite3.Connection):
    count = 0
    def execute(self, sql, *values):
        Dying.count += 1
        if Dying.count == 12:
            os.kill(os.getpid(), 9)
        return super().execute(sql, *values)

really = sqlite3.connect
migrate.sqlite3.connect = lambda *args, **named: really(*args, factory=Dying, **named)
migrate.upgrade(Path(sys.argv[1]))
"""


def test_killed_half_way_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)
    assert killed.returncode == -9
    assert tables(path) == set()
    assert migrate.upgrade(path) == LATEST


@pytest.mark.parametrize("what", ["a text file", "a folder", "in no folder"])
def test_what_is_no_database_is_said_so(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as an error of SQLite's, which nobody above knows."""
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 0.05)
    path: Any = tmp_path / "x.db"
    if what == "a text file":
        path.write_text("this is no database, whatever its name says. " * 50)
    elif what == "a folder":
        path.mkdir()
    else:
        path = tmp_path / "missing" / "x.db"
    with pytest.raises(UnavailableError, match="cannot be used as a database"):
        migrate.upgrade(path)
