"""`grantway db move`: everything arrives in PostgreSQL and works on there, or nothing does, and the SQLite database is as it was."""

import asyncio
import errno
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from tests.cli.conftest import Run
from tests.cli.test_output import OUTPUTS, ended
from tests.engines import postgres
from tests.storage.world import world

from grantway import folder_lock
from grantway.access_grant import AccessGrant, Action, Allowed, Denied
from grantway.accounts.account import Account, Kind
from grantway.app import utc_now
from grantway.clients.use_cases import NewClient
from grantway.storage import migrate, sqlite_file
from grantway.storage.migrate_postgres import upgrade
from grantway.storage.sqlite import FILE_NAME
from grantway.tokens.token_request import Granted, Refused

NAME = "Zoë \N{GRINNING FACE} \0 Photo"


@dataclass
class Before:
    """What was lived through on SQLite."""

    data: Path
    user: Account
    new: NewClient
    unused: str
    used: str
    jwt: str
    alive: AccessGrant
    revoked: AccessGrant


@pytest.fixture
def before(tmp_path: Path) -> Before:
    return asyncio.run(_lived(tmp_path / "data"))


async def _lived(data: Path) -> Before:
    async with world(data, database="") as there:
        there.now = utc_now()
        user, developer = await there.account(email="uma@example.org"), await there.account(Kind.DEVELOPER, "dana@example.org")
        new, other = await there.app(developer, description=NAME.replace("\0", "")), await there.app(developer)
        used, jwt = await there.code(user, new, ["read"]), there.jwt(new)
        alive = await there.exchange(new, used, jwt, passphrase="")
        revoked = await there.exchange(other, await there.code(user, other, ["read"]), passphrase="")
        await there.house.given_access.withdraw(user, other.client.client_id, there.now)
        assert isinstance(alive, Granted)
        assert isinstance(revoked, Granted)
        grants = [AccessGrant.parse(one.access_grant or "") for one in (alive, revoked)]
        return Before(data, user, new, await there.code(user, new, ["read"]), used, jwt, *grants)


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, run: Run) -> str:
    made = postgres().new_database()
    monkeypatch.setenv("GRANTWAY_DATABASE", made)
    return made


def rows_of(data: Path) -> dict[str, int]:
    with closing(sqlite3.connect(data / FILE_NAME)) as raw:
        tables = [name for step in migrate.all_migrations() for name in step.tables]
        return {name: raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables if name != "turns"}


def held_there(url: str) -> int:
    """How many accounts the PostgreSQL database has; 0 as well where it has no tables."""

    async def count() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM accounts"))
        except asyncpg.UndefinedTableError:
            return 0
        finally:
            await connection.close()

    return asyncio.run(count())


def test_all_of_it_works_on(run: Run, before: Before, url: str) -> None:
    wanted = rows_of(before.data)
    moved = run("db", "move", "--data", before.data)
    assert (moved.code, moved.err) == (0, "")
    for table, count in wanted.items():
        assert f"{count:>12,}  {table}\n" in moved.out
    assert "checks passed." in moved.out
    assert f"it is in {before.data / 'master.key'}" in moved.out
    (aside,) = before.data.glob(f"{FILE_NAME}.moved-*")
    assert f"The SQLite database is now {aside};" in moved.out
    assert not [name for name in os.listdir(before.data) if name.startswith(FILE_NAME) and name != aside.name]
    asyncio.run(_lives_on(before, url))


async def _lives_on(before: Before, url: str) -> None:
    async with world(before.data, database=url) as there:
        there.now = utc_now()
        assert before.new.client in await there.house.clients.of(before.new.client.developer_id)
        satellite = there.grantway.satellite
        assert isinstance(await satellite.check(before.alive.api_key, Action.READ, b"photos", b"", there.now), Allowed)
        assert await satellite.check(before.revoked.api_key, Action.READ, b"photos", b"", there.now) == Denied("revoked")
        again = await there.exchange(before.new, before.used, before.jwt)
        assert isinstance(again, Refused)
        assert again.error.code == "code_already_used"
        elsewhere = await there.exchange(before.new, before.unused, before.jwt)
        assert isinstance(elsewhere, Refused), "a JWT that was used there is used here"
        collected = await there.exchange(before.new, before.unused, passphrase="")
        assert isinstance(collected, Granted)
        assert AccessGrant.parse(collected.access_grant or "").satellite_address == before.alive.satellite_address
        assert len(await there.house.given_access.history(before.user, before.new.client.client_id, there.now)) == 2


def test_without_the_setting_nothing_begins_anew_in_the_folder(
    run: Run, before: Before, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As where a server starts again by itself, and only the command knew of PostgreSQL."""
    assert run("db", "move", "--data", before.data).code == 0
    monkeypatch.delenv("GRANTWAY_DATABASE")
    password = tmp_path / "password"
    password.write_text("correct horse battery")
    adding = ("developers", "add", "new@example.org", "--name", "New", "--password-file", password, "--data", before.data)
    for arguments in (adding, ("db", "status", "--data", before.data), ("serve", "--port", "0", "--data", before.data)):
        code, said = ended(subprocess.DEVNULL, *arguments)
        assert code == 3
        assert "is in PostgreSQL now: set GRANTWAY_DATABASE to its URL;" in said
    assert not (before.data / FILE_NAME).exists()
    (aside,) = before.data.glob(f"{FILE_NAME}.moved-*")
    aside.unlink()
    assert run(*adding).code == 0


def test_for_programs(run: Run, before: Before, url: str) -> None:
    told = run("db", "move", "--json", "--data", before.data).json
    assert told["place"].startswith("postgresql://127.0.0.1:")
    assert told["rows"]["codes"] == 3
    assert {check["result"] for check in told["checks"]} == {"passed"}
    assert Path(told["before"]).is_file()


def test_what_no_postgresql_text_holds(run: Run, before: Before, url: str) -> None:
    """As when it is stored there: a sign stands in its place, and nothing else is lost."""
    with closing(sqlite3.connect(before.data / FILE_NAME)) as raw:
        raw.execute("UPDATE accounts SET full_name = ?", (NAME,))
        raw.commit()
    assert run("db", "move", "--data", before.data).code == 0

    async def name() -> str:
        async with world(before.data, database=url) as there:
            return str((await there.rows("SELECT full_name FROM accounts"))[0][0])

    assert asyncio.run(name()) == NAME.replace("\0", "\N{REPLACEMENT CHARACTER}")


def refused(run: Run, before: Before, code: int, words: str, url: str = "") -> None:
    """Nothing was moved: the SQLite database is where it was, with all that it held, and the other one has nothing of it."""
    wanted = rows_of(before.data)
    ended = run("db", "move", "--data", before.data)
    assert ended.code == code
    assert words in ended.err
    assert "Moved" not in ended.out
    assert rows_of(before.data) == wanted
    assert not list(before.data.glob(f"{FILE_NAME}.moved-*"))
    if url:
        assert held_there(url) == 0


def test_without_a_place_to_move_to(run: Run, before: Before) -> None:
    refused(run, before, 2, "set GRANTWAY_DATABASE")


def test_while_a_server_runs(run: Run, before: Before, url: str) -> None:
    with folder_lock.held(before.data, folder_lock.IN_USE, "", alone=False):
        refused(run, before, 3, "stop it first", url)


def test_while_another_program_reads(run: Run, before: Before, url: str) -> None:
    with closing(sqlite3.connect(before.data / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("BEGIN")
        raw.execute("SELECT * FROM accounts").fetchall()
        ended = run("db", "move", "--data", before.data)
    assert ended.code == 3
    assert "some program has" in ended.err
    assert held_there(url) == 0


def test_into_one_that_is_in_use(run: Run, before: Before, url: str) -> None:
    async def used() -> None:
        async with world(before.data / "other", database=url):
            pass

    asyncio.run(used())
    refused(run, before, 1, "is not empty, its table sealing_check has rows already", url)


def test_one_that_is_in_use_keeps_the_schema_that_its_servers_know(run: Run, before: Before, url: str) -> None:
    async def changed(*statements: str) -> int:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
            return int(await connection.fetchval("SELECT max(version) FROM schema_version"))
        finally:
            await connection.close()

    newest = asyncio.run(upgrade(url))
    asyncio.run(
        changed(
            "DROP INDEX requests_unanswered_of_client",
            f"DELETE FROM schema_version WHERE version = {newest}",
            "INSERT INTO sealing_check (id, sealed) VALUES (1, 'sealed')",
        )
    )
    refused(run, before, 1, "is not empty", url)
    assert asyncio.run(changed()) == newest - 1


def test_killed_when_all_of_it_was_there(run: Run, before: Before, url: str) -> None:
    """Only the SQLite database's name was not changed any more."""
    assert run("db", "move", "--data", before.data).code == 0
    (aside,) = before.data.glob(f"{FILE_NAME}.moved-*")
    aside.rename(before.data / FILE_NAME)
    refused(run, before, 1, "for this database was moved there before. If nothing was stored in")
    assert held_there(url) == 2


def test_one_row_that_cannot_be_stored(run: Run, before: Before, url: str) -> None:
    """A number where PostgreSQL takes none: all that was copied before goes again."""
    with closing(sqlite3.connect(before.data / FILE_NAME)) as raw:
        raw.execute("INSERT INTO usage VALUES ('x', 'no number', '', 1)")
        raw.commit()
    refused(run, before, 1, "was not moved: a row of its table usage holds what PostgreSQL cannot", url)


def test_a_damaged_database(run: Run, before: Before, url: str) -> None:
    with closing(sqlite3.connect(before.data / FILE_NAME)) as raw:
        raw.execute("DELETE FROM requests")
        raw.commit()
    refused(run, before, 1, "was not moved: the database is damaged", url)


def test_with_another_master_key(run: Run, before: Before, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "ab" * 32)
    refused(run, before, 1, "it takes the master key", url)


def test_while_postgresql_is_away(run: Run, before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_DATABASE", "postgresql://nobody:wrong@127.0.0.1:1/none")
    refused(run, before, 3, "the PostgreSQL database cannot be used")


@pytest.mark.parametrize("name", OUTPUTS)
def test_where_what_it_tells_cannot_be_written(run: Run, before: Before, url: str, name: str) -> None:
    output, why = OUTPUTS[name]
    with output() as taken:
        code, said = ended(taken, "db", "move", "--data", before.data, GRANTWAY_DATABASE=url)
    assert (code, said) == (3, f"grantway: nothing was moved, for the output cannot be written: {why}\n")
    assert (before.data / FILE_NAME).exists()
    assert held_there(url) == 0


def test_where_the_file_cannot_be_put_aside(run: Run, before: Before, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that is mounted by itself: all is moved, and nobody may think that it is not."""

    def busy(path: Path, aside: Path) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))

    monkeypatch.setattr(sqlite_file, "put_aside", busy)
    ended = run("db", "move", "--data", before.data)
    assert ended.code == 3
    assert "all of it is in postgresql://" in ended.err
    assert "cannot be put aside (Device or resource busy): do so before any server starts" in ended.err
    assert held_there(url) == 2


def test_an_older_schema_is_brought_up_first(run: Run, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = migrate.all_migrations()
    lived = asyncio.run(_lived(tmp_path / "data"))
    asyncio.run(upgrade(url))
    with closing(sqlite3.connect(lived.data / FILE_NAME)) as raw:  # as the schema before the last, whose only step is an index and data
        raw.execute("DROP INDEX requests_unanswered_of_client")
        raw.execute(f"DELETE FROM schema_version WHERE version = {steps[-1].version}")
        raw.commit()
    assert run("db", "move", "--data", lived.data).code == 0
    assert held_there(url) == 2
