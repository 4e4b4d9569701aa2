"""`grantway db`: what it says of a database, every fault that it finds, and copies that come and go without anything lost."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import PASSWORD, Run
from tests.engines import postgres
from tests.storage.world import World, world

from grantway import folder_lock
from grantway.access_grant import Action, Allowed, ApiKey
from grantway.accounts.account import Kind
from grantway.app import utc_now
from grantway.clients.use_cases import NewClient
from grantway.storage import migrate
from grantway.storage.migrate import Migration
from grantway.storage.sqlite import FILE_NAME
from grantway.tokens.token_request import Granted, Refused

LATEST = migrate.all_migrations()[-1]


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which an app collected one access grant, has an unused code, and another of which was withdrawn."""
    data = tmp_path_factory.mktemp("lived-in") / "data"

    async def story() -> None:
        async with world(data) as there:
            there.now = utc_now()
            user, developer = await there.account(email="uma@example.org"), await there.account(Kind.DEVELOPER, "dana@example.org")
            new, other = await there.app(developer), await there.app(developer)
            assert isinstance(await there.exchange(new, await there.code(user, new, ["read"])), Granted)
            await there.code(user, new, ["read"])
            assert isinstance(await there.exchange(other, await there.code(user, other, ["read"])), Granted)
            await there.house.given_access.withdraw(user, other.client.client_id, there.now)

    asyncio.run(story())
    return data


@pytest.fixture
def data(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(lived_in, tmp_path / "data"))


def changed(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()


def asked(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as raw:
        return raw.execute(sql).fetchall()


# status and upgrade


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


# check


def test_a_sound_database(run: Run, data: Path) -> None:
    told = run("db", "check", "--data", data)
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == "13 checks passed."
    steps = run("db", "check", "--json", "--data", data).json
    assert [(step["number"], step["result"], step["faults"]) for step in steps] == [(at, "passed", []) for at in range(1, 14)]


FAULTS = {
    "a reference that leads nowhere": (2, "UPDATE codes SET consent_id = 'none' WHERE used_at IS NULL"),
    "another schema": (3, "DELETE FROM schema_version WHERE version > 3"),
    "the sealed row gone": (4, "DELETE FROM sealing_check"),
    "the sealed row of another key": (4, "UPDATE sealing_check SET sealed = randomblob(60)"),
    "an altered secret": (5, "UPDATE client_secrets SET sealed = CAST(substr(sealed, 1, 30) || substr(sealed, 32) AS BLOB)"),
    "swapped root keys": (5, "UPDATE project_keys SET sealed_secret = (SELECT sealed_private_key FROM satellite_identity)"),
    "an app without a secret": (6, "DELETE FROM client_secrets WHERE client_row_id = (SELECT min(row_id) FROM clients)"),
    "an app whose secret has ended": (6, "UPDATE client_secrets SET live_until = 1"),
    "an app without a developer": (7, "UPDATE accounts SET deleted_at = 1 WHERE kind = 'developer'"),
    "a project without a key": (8, "DELETE FROM project_keys"),
    "a project of nobody's": (8, "UPDATE accounts SET deleted_at = 1 WHERE kind = 'user'"),
    "a consent to no app": (9, "UPDATE consents SET client_row_id = 'none'"),
    "a consent to no request": (9, "DELETE FROM requests"),
    "a used code without a tail": (10, "UPDATE codes SET grant_tail_digest = NULL"),
    "a used code without a JWT": (10, "UPDATE codes SET used_by = NULL"),
    "an unused code with a grant": (11, "UPDATE codes SET used_at = NULL"),
    "an app's consents outlived it": (12, "UPDATE clients SET deleted_at = 1"),
    "a withdrawn consent that is not revoked": (13, "DELETE FROM revoked_tails"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(run: Run, data: Path, name: str) -> None:
    number, statement = FAULTS[name]
    changed(data, statement)
    told = run("db", "check", "--data", data)
    assert told.code == 1
    steps = run("db", "check", "--json", "--data", data).json
    failed = [step["number"] for step in steps if step["result"] == "failed"]
    assert number in failed
    assert failed[0] in {2, number}  # a reference may lead nowhere too
    assert steps[number - 1]["faults"]


def test_a_file_that_is_damaged(run: Run, data: Path) -> None:
    with (data / FILE_NAME).open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(20_000))
    told = run("db", "check", "--data", data)
    assert told.code == 1
    assert " 1. failed" in told.out
    assert run("db", "backup", data.parent / "copy.db", "--data", data).code in {1, 3}
    assert not (data.parent / "copy.db").exists()


def cut_off(file: Path, data: Path) -> None:
    """The beginning of a sound database."""
    whole = (data / FILE_NAME).read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


UNUSABLE: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "no database": (lambda file, _: file.write_bytes(b"this is no database at all. " * 200), "cannot be used as a database: file is not a"),
    "cut off": (cut_off, "cannot be used as a database: database disk image is malformed"),
    "empty": (lambda file, _: file.write_bytes(b""), f"{FILE_NAME} has no tables of Grantway"),
    "somebody else's": (lambda file, _: somebody_elses(file, file), f"{FILE_NAME} has no tables of Grantway"),
    "a folder": (lambda file, _: file.mkdir(), "cannot be used as a database: unable to open"),
}


@pytest.mark.parametrize("command", ["status", "check", "upgrade", "backup"])
@pytest.mark.parametrize(("make", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_told_in_one_sentence(
    run: Run, data: Path, tmp_path: Path, command: str, make: Callable[[Path, Path], object], said: str
) -> None:
    whole = shutil.copytree(data, tmp_path / "whole")
    (data / FILE_NAME).unlink()
    make(data / FILE_NAME, whole)
    copy = tmp_path / "copy.db"
    ended = run("db", command, *([copy] if command == "backup" else []), "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert said in ended.err
    assert ended.err.startswith("grantway: ")
    assert len(ended.err.splitlines()) == 1
    assert not copy.exists()


def test_a_copy_that_cannot_be_made_is_named(run: Run, data: Path, tmp_path: Path) -> None:
    damaged(data, tmp_path / "damaged.db")
    (tmp_path / "damaged.db").replace(data / FILE_NAME)
    ended = run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith(f"grantway: no copy was made at {tmp_path / 'copy.db'}: ")
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")], ids=["a file", "a broken link"])
def test_a_data_folder_that_is_none(run: Run, files: Path, tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "data")
    ended = run("users", "add", "a@b.example", "--name", "A", "--password-file", files / "password", "--data", tmp_path / "data")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == f"grantway: {tmp_path / 'data'} is no folder\n"


def test_another_master_key(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "ef" * 32)
    told = run("db", "check", "--data", data)
    assert told.code == 1
    assert " 4. failed       the master key opens it" in told.out
    assert " 5. not reached  everything sealed opens" in told.out


# backup and restore


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


def test_revocations_since_the_copy_are_kept(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)

    async def withdraw() -> None:
        async with world(data) as there:
            user = await there.house.accounts.by_email(Kind.USER, "uma@example.org")
            for client in await there.house.clients.of(None):
                await there.house.given_access.withdraw(user, client.client_id, utc_now())

    asyncio.run(withdraw())
    revoked = asked(data / FILE_NAME, "SELECT * FROM revoked_tails ORDER BY 1")
    ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert f"Revocations since the backup are kept: {len(revoked) - 1}." in ended.out
    assert len(revoked) > 1
    assert asked(data / FILE_NAME, "SELECT * FROM revoked_tails ORDER BY 1") == revoked

    async def held() -> list[bool]:
        async with world(data) as there:
            user = await there.house.accounts.by_email(Kind.USER, "uma@example.org")
            return [one.is_active for one in await there.house.given_access.access_of(user, utc_now())]

    # and those who took it back are not told that it works
    assert set(asyncio.run(held())) == {False}


def test_what_was_given_since_the_copy_has_ended(run: Run, data: Path, tmp_path: Path) -> None:
    """Nobody could see it, and whoever takes everything back from the app would be told that all of it is dead."""

    async def story(*stories: Callable[[World], Awaitable[Any]]) -> list[Any]:
        async with world(data) as there:
            there.now = utc_now()
            return [await one(there) for one in stories]

    async def allows(there: World, key: ApiKey) -> bool:
        return isinstance(await there.grantway.satellite.check(key, Action.LIST, b"a", b"", there.now), Allowed)

    async def given(there: World, code: str | None = None) -> ApiKey:
        outcome = await there.exchange(new, code or await there.code(user, new, ["list"]))
        assert isinstance(outcome, Granted)
        return outcome.api_key

    user, new = asyncio.run(story(lambda there: there.account(), lambda there: there.app()))
    kept, waiting = asyncio.run(story(given, lambda there: there.code(user, new, ["list"])))
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    since = asyncio.run(story(given, lambda there: given(there, waiting)))
    ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert "What was given since the backup has ended, for nobody could see it here or take it back: 2." in ended.out
    living = asyncio.run(story(*(partial(allows, key=key) for key in (kept, *since))))
    assert living == [True, False, False]
    assert run("db", "check", "--data", data).code == 0


def test_a_code_that_was_used_since_the_copy_is_not_good_again(run: Run, data: Path, tmp_path: Path) -> None:
    async def issue() -> tuple[NewClient, str]:
        async with world(data) as there:
            there.now = utc_now()
            new = await there.app()
            return new, await there.code(await there.account(), new, ["read"])

    async def exchange(new: NewClient, code: str) -> Granted | Refused:
        async with world(data) as there:
            there.now = utc_now()
            return await there.exchange(new, code)

    new, code = asyncio.run(issue())
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert isinstance(asyncio.run(exchange(new, code)), Granted)
    assert run("db", "restore", tmp_path / "copy.db", "--data", data).code == 0
    again = asyncio.run(exchange(new, code))
    assert isinstance(again, Refused)
    assert again.error.code == "code_expired"
    assert run("db", "check", "--data", data).code == 0


def test_nobody_is_signed_in_after_a_restore(run: Run, data: Path, tmp_path: Path) -> None:
    """Whoever had stolen a session that was ended since the copy does not get it back."""

    async def sign_in() -> str:
        async with world(data) as there:
            await there.house.accounts.register(Kind.USER, "Una", "una@example.org", PASSWORD, utc_now())
            token: str = (await there.house.accounts.sign_in(Kind.USER, "una@example.org", PASSWORD, utc_now())).token
            return token

    async def is_signed_in(token: str) -> bool:
        async with world(data) as there:
            return await there.house.accounts.session(Kind.USER, token, utc_now()) is not None

    token = asyncio.run(sign_in())
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert asyncio.run(is_signed_in(token))
    assert run("db", "restore", tmp_path / "copy.db", "--data", data).code == 0
    assert not asyncio.run(is_signed_in(token))


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


def somebody_elses(data: Path, file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
        raw.commit()


def with_references_broken(data: Path, file: Path) -> None:
    shutil.copy(data / FILE_NAME, file)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("DELETE FROM clients")
        raw.commit()


def damaged(data: Path, file: Path) -> None:
    whole = bytearray((data / FILE_NAME).read_bytes())
    whole[8192:30_000] = os.urandom(30_000 - 8192)
    file.write_bytes(whole)


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


KILLED = """
import os, shutil, sys
from pathlib import Path
from grantway.cli import db

template, copy, folder = map(Path, sys.argv[1:4])

def dying(function, left):
    def called(*arguments, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), 9)
        return function(*arguments, **named)
    return called

def in_a_child(data, steps):
    child = os.fork()
    if child == 0:
        left = [steps]
        for where, names in ((os, ("open", "fsync", "link")), (Path, ("replace", "rename", "unlink"))):
            for name in names:
                setattr(where, name, dying(getattr(where, name), left))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if copy.exists():
            db.restore(copy, data=data)
        else:
            db.backup(data / "copy.db", data=data)
        os._exit(0)
    return os.waitpid(child, 0)[1]

for step in range(100):
    data = folder / str(step)
    shutil.copytree(template, data)
    status = in_a_child(data, step)
    if status == 0:
        print(step)
        break
    assert status == 9, status
"""


def killed(template: Path, copy: Path, folder: Path) -> list[Path]:
    """The folders that are left when each file operation was the last one once; in the last of them none was."""
    folder.mkdir()
    ended = subprocess.run([sys.executable, "-c", KILLED, template, copy, folder], check=False, timeout=300, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return [folder / str(step) for step in range(int(ended.stdout) + 1)]


def test_a_restore_killed_at_any_step_leaves_one_or_the_other(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    changed(data, "UPDATE accounts SET full_name = 'Changed since'")
    names = []
    for left in killed(data, tmp_path / "copy.db", tmp_path / "killed"):
        assert run("db", "check", "--data", left).code == 0
        ((name,),) = asked(left / FILE_NAME, "SELECT DISTINCT full_name FROM accounts")
        names.append(name)
        asides = [one for one in left.glob(f"{FILE_NAME}.before-*") if asked(one, "SELECT DISTINCT full_name FROM accounts")]
        assert asides or name == "Changed since"
    assert len(names) > 8
    assert sorted(names) == names
    assert {names[0], names[-1]} == {"Changed since", "Somebody"}


def test_a_backup_killed_at_any_step_is_whole_or_not_taken(run: Run, data: Path, tmp_path: Path) -> None:
    taken = []
    for left in killed(data, tmp_path / "none", tmp_path / "killed"):
        file = left / "copy.db"
        taken.append(file.exists() and file.stat().st_size > 0)
        restored = run("db", "restore", file, "--data", left)
        assert (restored.code == 0) == taken[-1]
    assert sorted(taken) == taken
    assert {taken[0], taken[-1]} == {False, True}
