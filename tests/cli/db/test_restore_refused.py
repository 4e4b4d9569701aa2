"""Copies that `grantway db restore` does not take, and when it may not: then nothing is changed."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.db.database_files import cut_off, damaged, somebody_elses
from tests.storage.world import world

from grantway import folder_lock
from grantway.storage.sqlite import FILE_NAME


def of_another_key(data: Path, file: Path) -> None:
    other = file.parent / "other"

    async def story() -> None:
        async with world(other):
            pass

    asyncio.run(story())
    shutil.move(other / FILE_NAME, file)


def of_a_later_version(data: Path, file: Path) -> None:
    shutil.copy(data / FILE_NAME, file)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("INSERT INTO schema_version VALUES (9999)")
        raw.commit()


def with_references_broken(data: Path, file: Path) -> None:
    shutil.copy(data / FILE_NAME, file)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("DELETE FROM clients")
        raw.commit()


UNFIT: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "missing": (lambda data, file: None, "copy.db is no file"),
    "a folder": (lambda data, file: file.mkdir(), "is no file"),
    "empty": (lambda data, file: file.touch(), "no database of Grantway's"),
    "a text": (lambda data, file: file.write_text("no database " * 500), "was not taken: it cannot be read as a database: "),
    "cut off": (lambda data, file: cut_off(file, data), "was not taken: it cannot be read as a database: database disk image is malformed"),
    "somebody else's": (somebody_elses, "no database of Grantway's"),
    "damaged": (damaged, ""),
    "broken references": (with_references_broken, "refers to no row of"),
    "a later version's": (of_a_later_version, "schema 9999"),
    "another master key's": (of_another_key, "which is not here"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_restored_changes_nothing(run: Run, data: Path, tmp_path: Path, name: str) -> None:
    make, said = UNFIT[name]
    file = tmp_path / "copy.db"
    make(data, file)
    before = (data / FILE_NAME).read_bytes()
    ended = run("db", "restore", file, "--data", data)
    assert ended.code == (2 if name in {"missing", "a folder"} else 1)
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err
    assert (data / FILE_NAME).read_bytes() == before
    assert {one.name for one in data.iterdir()} <= {FILE_NAME, "master.key", folder_lock.IN_USE}


def test_a_rotation_is_under_way(run: Run, data: Path, tmp_path: Path) -> None:
    """A copy from before a rotation takes the old key: put below the new one it opens it again, and the rotation can be done anew."""
    (old,) = (data / "master.key").read_text().split()
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    (data / "master.key").write_text("ef" * 32)
    refused = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert (refused.code, "below the newest" in refused.err) == (1, True)
    (data / "master.key").write_text(f"{'ef' * 32}\n{old}\n")
    assert run("db", "restore", tmp_path / "copy.db", "--data", data).code == 0
    assert run("keys", "rotate", "--reseal", "--data", data).code == 0
    (data / "master.key").write_text("ef" * 32)
    assert run("db", "check", "--data", data).code == 0


def test_not_while_somebody_has_it_open(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    with folder_lock.held(data, folder_lock.IN_USE, "", alone=False):
        ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert "stop it first" in ended.err
    with closing(sqlite3.connect(data / FILE_NAME)) as stranger:  # takes no lock of ours
        stranger.execute("SELECT count(*) FROM accounts").fetchall()
        ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert "some program has" in ended.err
    assert run("db", "restore", tmp_path / "copy.db", "--data", data).code == 0


def test_a_lock_that_is_a_link_is_not_followed(run: Run, data: Path, tmp_path: Path) -> None:
    (data / folder_lock.IN_USE).unlink(missing_ok=True)
    (data / folder_lock.IN_USE).symlink_to(tmp_path / "elsewhere")
    ended = run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert folder_lock.IN_USE in ended.err
    assert not (tmp_path / "elsewhere").exists()


def test_nobody_opens_it_while_it_is_restored(run: Run, data: Path) -> None:
    with folder_lock.held(data, folder_lock.IN_USE, "", alone=True):
        for command in (("self-test",), ("db", "status"), ("keys", "status")):
            ended = run(*command, "--data", data)
            assert (ended.code, ended.out) == (3, "")
            assert "is being restored" in ended.err
