"""`grantway db backup` and `grantway db restore`: a copy comes and goes without anything lost."""

import shutil
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.db.database_files import LATEST, asked, changed

from grantway.storage import migrate
from grantway.storage.migrate import Migration
from grantway.storage.sqlite import FILE_NAME


def test_there_and_back(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    told = run("db", "backup", file, "--data", data)
    assert (told.code, told.err) == (0, "")
    assert "The master key is not in it" in told.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {one.name for one in tmp_path.iterdir() if one.is_file()} == {"copy.db"}
    changed(data, "UPDATE accounts SET full_name = 'Changed since'")
    before = (data / FILE_NAME).read_bytes()
    ended = run("db", "restore", file, "--data", data)
    assert (ended.code, ended.err) == (0, "")
    (aside,) = data.glob(f"{FILE_NAME}.before-*")
    assert str(aside) in ended.out
    assert asked(aside, "SELECT DISTINCT full_name FROM accounts") == [("Changed since",)]
    assert len(aside.read_bytes()) == len(before)
    assert asked(data / FILE_NAME, "SELECT DISTINCT full_name FROM accounts") == [("Somebody",)]
    assert stat.S_IMODE((data / FILE_NAME).stat().st_mode) == 0o600
    assert run("db", "check", "--data", data).code == 0


def test_a_copy_holds_nothing_that_was_deleted(run: Run, data: Path, tmp_path: Path) -> None:
    mark = "deleted before the copy was made"
    changed(data, f"UPDATE accounts SET full_name = '{mark}'", "UPDATE accounts SET full_name = 'x'")
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert mark.encode() not in (tmp_path / "copy.db").read_bytes()


def test_into_an_empty_folder(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    there = tmp_path / "there"
    keyless = run("db", "restore", tmp_path / "copy.db", "--data", there)
    assert keyless.code == 3
    assert "master.key is missing. Put the key that the copy takes there first" in keyless.err
    assert "there is a database" not in keyless.err
    shutil.copy(data / "master.key", there)
    ended = run("db", "restore", tmp_path / "copy.db", "--json", "--data", there)
    assert ended.code == 0
    assert (ended.json["schema"], ended.json["before"], ended.json["revocations_kept"]) == (LATEST.version, None, 0)
    assert run("self-test", "--data", there).code == 0


def test_over_a_database_that_is_damaged(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    (data / FILE_NAME).write_bytes(b"this is no database at all. " * 200)
    (data / f"{FILE_NAME}-wal").write_bytes(b"nor is this a log")
    ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert ended.code == 0
    assert "It could not be read" in ended.out
    (aside, log) = sorted(data.glob(f"{FILE_NAME}.before-*"))
    assert aside.read_bytes().startswith(b"this is no")
    assert log.read_bytes() == b"nor is this a log"
    assert run("db", "check", "--data", data).code == 0


def test_an_older_copy_is_brought_up_at_the_next_start(run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    newer = Migration(LATEST.version + 1, ("CREATE TABLE newest (x TEXT)",), "9999_newest")
    steps = migrate.all_migrations()
    monkeypatch.setattr(migrate, "all_migrations", lambda: [*steps, newer])
    run("db", "upgrade", "--data", data)
    ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert "`grantway db upgrade`, brings it up" in ended.out
    assert "9999_newest missing" in run("db", "status", "--data", data).out
    assert run("self-test", "--data", data).code == 0
    assert run("db", "status", "--data", data).code == 0


def test_a_copy_never_overwrites(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    ended = run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert (ended.code, ended.out) == (2, "")
    assert (tmp_path / "copy.db").read_text() == "precious"
    nowhere = run("db", "backup", tmp_path / "no" / "folder.db", "--data", data)
    assert (nowhere.code, nowhere.out) == (3, "")


@pytest.mark.parametrize(
    ("command", "said"), [("backup", "pg_dump --format=custom --file="), ("restore", "pg_restore --clean --if-exists")]
)
def test_what_postgresql_copies_itself(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, said: str) -> None:
    """It is said with the command, without a password, and without asking any server."""
    monkeypatch.setenv("GRANTWAY_DATABASE", "postgresql://grantway:hush@db.example.org/grantway?sslmode=verify-full&sslrootcert=/ca")
    ended = run("db", command, tmp_path / "copy", "--data", tmp_path / "data")
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "'postgresql://db.example.org/grantway?sslmode=verify-full&sslrootcert=/ca'" in ended.err
    assert "hush" not in ended.err
    assert list(tmp_path.iterdir()) == []
