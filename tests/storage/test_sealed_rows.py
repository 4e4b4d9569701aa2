"""Re-sealing: everything comes under the new key, nothing else is touched, and nothing is stored under the old one afterwards."""

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines import rows_in
from tests.storage.world import NOW, World, world

from grantway.accounts.account import Kind
from grantway.clients import secret
from grantway.oauth_error import UnavailableError
from grantway.sealing import Sealing, header
from grantway.storage import migrate, sealed_rows
from grantway.storage.sealed_rows import COLUMNS
from grantway.storage.sealing_check import Seals
from grantway.tokens.token_request import Granted

OLD, NEW, OTHER = "ab" * 32, "cd" * 32, "ef" * 32
HEADERS = {one: header(bytes.fromhex(one)) for one in (OLD, NEW, OTHER)}

Story = Callable[[World], Awaitable[None]]


def told(story: Story, data: Path, *keys: str) -> None:
    async def tell() -> None:
        async with world(data, master_key=",".join(keys)) as there:
            await story(there)

    asyncio.run(tell())


async def peopled(there: World) -> None:
    """Three users, two apps, one of them with a secret that was regenerated."""
    for number in range(3):
        await there.account(email=f"u{number}@example.org")
    owner = await there.account(Kind.DEVELOPER, "d@example.org")
    await there.app(owner)
    await there.house.clients.regenerate_secret((await there.app(owner)).client, timedelta(hours=1), NOW)


async def rotated(there: World) -> list[str]:
    await there.grantway.database.write(lambda: there.grantway.seals.begin_rotation(NOW))
    return await _resealed(there)


async def _resealed(there: World) -> list[str]:
    """Again until nothing is left: on PostgreSQL a transaction that had begun before may store under the old key."""
    database, seals = there.grantway.database, there.grantway.seals
    while True:
        broken = await sealed_rows.reseal(database, seals, lambda _count: None, pause=0)
        if (await sealed_rows.counted(database, pause=0)).other_than(seals.sealing.headers()[0]) <= len(broken):
            return broken


def sealed_under(data: Path, key: str) -> int:
    """How many raw values begin as that key's do, wherever they stand."""
    columns = [(one.table, one.column) for one in COLUMNS] + [("sealing_check", "sealed")]
    values = [bytes(row[0]) for table, column in columns for row in rows_in(data, f"SELECT {column} FROM {table}")]
    return sum(value.startswith(HEADERS[key]) for value in values)


ALL = 3 + 3 + 1 + 1  # projects, secrets, the satellite's identity, the check


def test_everything_comes_under_the_new_key(tmp_path: Path) -> None:
    told(peopled, tmp_path, OLD)
    assert (sealed_under(tmp_path, OLD), sealed_under(tmp_path, NEW)) == (ALL, 0)

    async def story(there: World) -> None:
        seen: list[int] = []
        await there.grantway.database.write(lambda: there.grantway.seals.begin_rotation(NOW))
        assert await sealed_rows.reseal(there.grantway.database, there.grantway.seals, seen.append, pause=0) == []
        assert sum(seen) == ALL - 1
        found = await sealed_rows.counted(there.grantway.database, pause=0)
        assert found.sealing_now == HEADERS[NEW]
        assert {key: dict(count) for key, count in found.counts.items()} == {
            HEADERS[NEW]: {"project root key": 3, "client secret": 3, "satellite identity": 1}
        }
        assert found.other_than(HEADERS[NEW]) == 0
        assert (await there.rows("SELECT subject FROM audit WHERE event = 'master_key_changed'"))[0][0] == HEADERS[NEW][1:].hex()

    told(story, tmp_path, NEW, OLD)
    assert (sealed_under(tmp_path, OLD), sealed_under(tmp_path, NEW)) == (0, ALL)

    async def all_is_well(there: World) -> None:
        tested = await there.grantway.self_test.run(None, NOW)
        assert (tested.count, tested.failures) == (3, ())

    told(all_is_well, tmp_path, NEW)


def test_every_column_that_is_sealed_is_known() -> None:
    """The schema's own words say what is sealed; an opening is sealed under its code."""
    made = [word for step in migrate.all_migrations() for text in step.statements for word in text.replace("(", " ").split()]
    assert {word for word in made if word.startswith("sealed")} == {one.column for one in COLUMNS} | {"sealed_opening"}


@pytest.mark.parametrize("batch", [1, 2, 3, 200])
def test_batch_by_batch(tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_rows, "BATCH", batch)
    monkeypatch.setattr(sealed_rows, "COUNTED_AT_ONCE", batch)
    told(peopled, tmp_path, OLD)

    async def story(there: World) -> None:
        before = await sealed_rows.counted(there.grantway.database, pause=0)
        assert before.other_than(HEADERS[NEW]) == ALL - 1
        assert await rotated(there) == []
        assert (await sealed_rows.counted(there.grantway.database, pause=0)).other_than(HEADERS[NEW]) == 0

    told(story, tmp_path, NEW, OLD)
    assert sealed_under(tmp_path, OLD) == 0


def test_what_does_not_open_is_named_and_left(tmp_path: Path) -> None:
    told(peopled, tmp_path, OLD)

    async def story(there: World) -> None:
        row_id, version, sealed = (await there.rows("SELECT client_row_id, version, sealed FROM client_secrets ORDER BY 1, 2"))[0]
        altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
        await there.grantway.database.one("UPDATE client_secrets SET sealed = ? WHERE sealed = ?", altered, sealed)
        foreign = Sealing.under(bytes.fromhex(OTHER)).seal(b"x", "satellite identity", "", b"n" * 12)
        await there.grantway.database.one("UPDATE satellite_identity SET sealed_private_key = ?", foreign)
        assert await rotated(there) == [f"client secret {row_id}/{version}", "satellite identity"]
        assert await there.rows("SELECT sealed FROM client_secrets WHERE sealed = ?", altered) == [(altered,)]
        found = await sealed_rows.counted(there.grantway.database, pause=0)
        assert {key: count.total() for key, count in found.counts.items()} == {HEADERS[OLD]: 1, HEADERS[OTHER]: 1, HEADERS[NEW]: 5}

    told(story, tmp_path, NEW, OLD)


def test_a_change_in_between_is_not_undone(tmp_path: Path) -> None:
    """Read, then changed by others, then written: theirs stays."""

    async def story(there: World) -> None:
        new = await there.app()
        database, seals = there.grantway.database, there.grantway.seals
        column = COLUMNS[1]
        rows = [row async for batch in sealed_rows.values(database, column) for row in batch]
        theirs = secret.sealed(seals.sealing, new.client.row_id, 1, "t" * 64, secrets.token_bytes(12)).sealed
        await database.one("UPDATE client_secrets SET sealed = ?", theirs)
        assert await database.write(lambda: sealed_rows._replace(column, [(rows[0], b"ours")])) == 0
        assert await there.rows("SELECT sealed FROM client_secrets") == [(theirs,)]

    told(story, tmp_path, OLD)


def test_a_server_that_has_not_noticed_stores_under_the_new_key(tmp_path: Path) -> None:
    """Its own first key is the old one; the database says that another one seals by now."""

    async def story() -> None:
        async with world(tmp_path, master_key=f"{OLD} {NEW}") as slow, world(tmp_path, master_key=f"{NEW} {OLD}") as quick:
            await peopled(slow)
            assert sealed_under(tmp_path, NEW) == 0
            await rotated(quick)
            await slow.account(email="after@example.org")
            new = await slow.app()
            await slow.house.clients.regenerate_secret(new.client, timedelta(hours=1), NOW)
            assert sealed_under(tmp_path, OLD) == 0
            user = await quick.account()
            assert isinstance(await quick.exchange(new, await quick.code(user, new, ["read"]), client_secret=quick.jwt(new)), Granted)

    asyncio.run(story())


def test_a_server_that_is_ahead_stores_under_the_old_key(tmp_path: Path) -> None:
    """Its first key is the new one, but the database does not say so yet, and others may not know that key."""

    async def story() -> None:
        async with world(tmp_path, master_key=OLD) as others:
            await others.account()
            async with world(tmp_path, master_key=f"{NEW} {OLD}") as ahead:
                new = await ahead.app()
                assert sealed_under(tmp_path, NEW) == 0
                user = await others.account()
                assert isinstance(await others.exchange(new, await others.code(user, new, ["read"])), Granted)

    asyncio.run(story())


def test_a_server_without_the_key_that_seals_stores_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, master_key=OLD) as left_behind, world(tmp_path, master_key=f"{NEW} {OLD}") as quick:
            await peopled(left_behind)
            await rotated(quick)
            owner = await left_behind.account(Kind.DEVELOPER)
            with pytest.raises(UnavailableError, match="none of ours"):
                await left_behind.app(owner)
            with pytest.raises(UnavailableError):
                await left_behind.account(email="x@example.org")
            assert await left_behind.rows("SELECT 1 FROM accounts WHERE email = 'x@example.org'") == []
            assert sealed_under(tmp_path, OLD) == 0

    asyncio.run(story())


def test_stored_while_it_is_re_sealed(tmp_path: Path) -> None:
    """Apps register all the time, at a server that knows both keys in the old order; none is left behind."""

    async def story() -> None:
        async with world(tmp_path, master_key=f"{OLD} {NEW}") as server, world(tmp_path, master_key=f"{NEW} {OLD}") as quick:
            owner = await server.account(Kind.DEVELOPER)
            registering = asyncio.gather(*(server.app(owner) for _ in range(60)))
            await rotated(quick)
            made = await registering
            assert sealed_under(tmp_path, OLD) == 0
            tested = await quick.grantway.self_test.run(None, NOW)
            assert (tested.count, tested.failures) == (len(made), ())

    asyncio.run(story())


def test_a_ring_that_changes_under_a_running_server(tmp_path: Path) -> None:
    """The key's file is replaced: the server opens at once what another process sealed under the new key."""

    async def story() -> None:
        async with world(tmp_path) as there:
            new, user = await there.app(), await there.account()
            key = there.grantway.master_key.current()
            assert there.grantway.master_key.file is not None
            fresh = b"f" * 32
            (tmp_path / "draft").write_text("".join(f"{one.hex()}\n" for one in (fresh, *key)))
            (tmp_path / "draft").chmod(0o600)
            shutil.move(tmp_path / "draft", there.grantway.master_key.file)
            other = Seals(Sealing.under(fresh, *key), secrets.token_bytes)
            await there.grantway.database.write(lambda: other.begin_rotation(NOW))
            await sealed_rows.reseal(there.grantway.database, other, lambda _count: None, pause=0)
            assert isinstance(await there.exchange(new, await there.code(user, new, ["read"])), Granted)
            await there.app()
            found = await sealed_rows.counted(there.grantway.database, pause=0)
            assert set(found.counts) == {header(fresh)}

    asyncio.run(story())
