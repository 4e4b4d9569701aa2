"""`grantway db status` and `grantway db upgrade`: what a database holds, and how it is brought up to this program's schema."""

from pathlib import Path

import pytest
from tests.cli.conftest import PASSWORD, Run
from tests.cli.db.database_files import LATEST, asked, changed
from tests.engines import postgres

from grantway.storage import migrate
from grantway.storage.sqlite import FILE_NAME


def test_status(run: Run, data: Path) -> None:
    told = run("db", "status", "--data", data)
    assert (told.code, told.err) == (0, "")
    assert f"schema    {LATEST.version}, this program's" in told.out
    assert "           2  client_secrets\n" in told.out
    found = run("db", "status", "--json", "--data", data).json
    assert (found["schema"], found["program_schema"], found["missing"]) == (LATEST.version, LATEST.version, [])
    assert found["bytes"]["database"] > 10_000
    tables = {row[0] for row in asked(data / FILE_NAME, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(found["rows"]) == tables - {"schema_version"}
    assert found["rows"]["codes"] == 3


def test_an_older_database_is_told_and_brought_up(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = migrate.all_migrations()
    with monkeypatch.context() as older:
        older.setattr(migrate, "all_migrations", lambda: steps[:-2])
        migrate.upgrade(tmp_path / FILE_NAME)
    told = run("db", "status", "--data", tmp_path)
    assert told.code == 1
    assert f"{steps[-2].name}, {steps[-1].name} missing" in told.out
    check = run("db", "check", "--data", tmp_path)
    assert check.code == 1
    assert f"it has schema {len(steps) - 2}, this program knows {len(steps)}" in check.out
    assert "not reached" in check.out
    up = run("db", "upgrade", "--data", tmp_path)
    assert (up.code, up.out) == (0, f"Schema {len(steps) - 2} is now {len(steps)}: {steps[-2].name}, {steps[-1].name}.\n")
    assert run("db", "upgrade", "--data", tmp_path).out == f"Schema {len(steps)} is this program's already.\n"
    assert run("db", "upgrade", "--json", "--data", tmp_path).json == {"before": len(steps), "after": len(steps), "applied": []}
    assert run("db", "status", "--data", tmp_path).code == 0


def test_a_newer_database_is_left_alone(run: Run, data: Path) -> None:
    changed(data, f"INSERT INTO schema_version VALUES ({LATEST.version + 1})")
    told = run("db", "status", "--data", data)
    assert told.code == 1
    assert "knows" in told.out
    assert run("db", "check", "--data", data).code == 1
    up = run("db", "upgrade", "--data", data)
    assert (up.code, up.out) == (3, "")


@pytest.mark.parametrize("command", ["status", "check", "upgrade", "backup"])
def test_without_a_database(run: Run, tmp_path: Path, command: str) -> None:
    more = [tmp_path / "copy.db"] if command == "backup" else []
    ended = run("db", command, *more, "--data", tmp_path / "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no database" in ended.err
    assert not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "copy.db").exists()


def test_an_empty_postgresql_gets_its_tables(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the manifests in deploy/ do before the first server starts."""
    monkeypatch.setenv("GRANTWAY_DATABASE", postgres().new_database())
    monkeypatch.setenv("PASSWORD", PASSWORD)
    data = tmp_path / "data"
    keyless = run("db", "upgrade", "--data", data)
    assert (keyless.code, keyless.out) == (2, "")
    assert "set GRANTWAY_MASTER_KEY" in keyless.err
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "ab" * 32)
    for command in ("status", "check"):
        ended = run("db", command, "--data", data)
        assert (ended.code, ended.out) == (2, "")
        assert "make it with `grantway db upgrade`" in ended.err
    made = run("db", "upgrade", "--data", data)
    assert (made.code, made.err) == (0, "")
    assert f"The database was empty; its schema is now {LATEST.version}: 0001_first," in made.out
    assert run("db", "upgrade", "--data", data).out == f"Schema {LATEST.version} is this program's already.\n"
    assert run("users", "add", "uma@example.org", "--name", "Uma", "--password-env", "PASSWORD", "--data", data).code == 0
    assert run("db", "check", "--data", data).code == 0
