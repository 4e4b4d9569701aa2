"""What has ended goes, by indexes and in small batches, once; nothing goes that something alive depends on."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.storage.world import NOW, World, told, world

from grantway import config, secret_token
from grantway.access_grant import AccessGrant, Action, Allowed
from grantway.authorization.request import AnswerOutcome
from grantway.clients import authentication
from grantway.clients.client import Registration
from grantway.clients.secret import ClientSecret
from grantway.storage import housekeeping, migrate
from grantway.storage.clients import Clients
from grantway.storage.database import Database
from grantway.storage.housekeeping import Kept
from grantway.storage.statements import MakeWork, Statement, to_micros
from grantway.storage.tokens import consents_above
from grantway.tokens.token_request import Granted

DAY = timedelta(days=1)
KEPT = Kept(findings=14 * DAY, history=400 * DAY, audit=400 * DAY)
TABLES = ("requests", "consents", "codes", "revoked_tails", "audit", "sessions")


async def rows_of(there: World, *tables: str) -> list[int]:
    return [(await there.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]


def plan_of(path: Path, statement: Statement) -> list[str]:
    """How SQLite would do it, in a database of this schema."""
    migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        return [str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + statement.sql, statement.values)]


def test_a_revocation_looks_up_tails_and_not_all_consents_of_the_client(tmp_path: Path) -> None:
    (step,) = plan_of(tmp_path / "x.db", consents_above([b"a", b"b"]))
    assert "consents_by_tail" in step


STATEMENTS = [*housekeeping.statements(KEPT, NOW), housekeeping.ended_consents(to_micros(NOW))]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda one: " ".join(one.sql.split()[:3]))
def test_each_finds_its_rows_by_an_index_and_sorts_nothing(tmp_path: Path, statement: Statement) -> None:
    for step in plan_of(tmp_path / "x.db", statement):
        assert "TEMP B-TREE" not in step
        assert not step.startswith("SCAN") or "oldest" in step, step  # `oldest` is the batch itself


@pytest.mark.parametrize(("referring", "column"), [("codes", "consent_id"), ("consents", "request_id")])
def test_no_foreign_key_is_followed_by_reading_a_table(tmp_path: Path, referring: str, column: str) -> None:
    """Deleting a row asks each table that refers to it: by an index, or a batch reads the whole table for each of its rows."""
    (step,) = plan_of(tmp_path / "x.db", Statement(f"SELECT 1 FROM {referring} WHERE {column} = ?", ("x",)))
    assert "USING" in step


def test_the_history_stays_for_its_time_and_goes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 3)

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        for _ in range(8):
            assert isinstance(await there.exchange(new, await there.code(user, new, ["list"], lifetime=10 * DAY)), Granted)
        for _ in range(5):
            denied = await there.asked(user, new)
            assert await there.house.authorization.requests.record_rejection(denied, NOW) is AnswerOutcome.RECORDED
        living = await there.code(user, new, ["list"], lifetime=365 * DAY)
        assert isinstance(await there.exchange(new, living), Granted)
        await there.grantway.tidy(NOW + 10 * DAY + timedelta(hours=2))
        assert await rows_of(there, "requests", "consents", "codes") == [14, 9, 1]
        await there.grantway.tidy(NOW + 399 * DAY)
        assert len(await there.house.given_access.history(user, new.client.client_id, NOW)) == 14
        await there.grantway.tidy(NOW + 401 * DAY)
        assert await rows_of(there, "requests", "consents") == [9, 9]  # the refused requests
        await there.grantway.tidy(NOW + 411 * DAY)
        assert await rows_of(there, "requests", "consents", "codes") == [1, 1, 0]
        await there.grantway.tidy(NOW + 800 * DAY)
        assert await rows_of(there, *TABLES) == [0] * len(TABLES)

    told(story, tmp_path)


def test_a_consent_waits_for_its_code(tmp_path: Path) -> None:
    """Also where little is kept: an unused code outlives a short consent."""

    async def story(there: World) -> None:
        await there.code(await there.account(), await there.app(), lifetime=timedelta(seconds=60))
        short, late = Kept(findings=DAY, history=timedelta(0), audit=DAY), NOW + timedelta(hours=1)
        assert await housekeeping.tidy(there.grantway.database, short, late) == 0
        assert await rows_of(there, "requests", "consents", "codes") == [1, 1, 1]
        assert await housekeeping.tidy(there.grantway.database, short, NOW + 2 * DAY) >= 2
        assert await rows_of(there, "requests", "consents", "codes") == [0, 0, 0]

    told(story, tmp_path)


def test_a_used_code_outlives_the_jwt_that_it_was_collected_with(tmp_path: Path) -> None:
    """Else a JWT that lives for an hour is good again once the grant of a minute has ended."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        assert isinstance(await there.exchange(new, await there.code(user, new, ["list"], lifetime=timedelta(seconds=60))), Granted)
        await there.grantway.tidy(NOW + timedelta(seconds=62) + authentication.LONGEST_RFC7523)
        assert await rows_of(there, "codes") == [1]
        await there.grantway.tidy(NOW + timedelta(hours=2))
        assert await rows_of(there, "codes") == [0]

    told(story, tmp_path)


async def by_withdrawing(there: World, grant: AccessGrant) -> None:
    user, client_id = await there.rows("SELECT user_id FROM consents"), (await there.house.clients.of(None))[0].client_id
    await there.house.given_access.storage.withdraw(user[0][0], client_id, there.now)


async def by_one_grant(there: World, grant: AccessGrant) -> None:
    user, client_id = await there.rows("SELECT user_id FROM consents"), (await there.house.clients.of(None))[0].client_id
    assert await there.house.given_access.storage.revoke_grant(user[0][0], client_id, "00" * 16, there.now)


async def by_the_client(there: World, grant: AccessGrant) -> None:
    """A key that was narrowed further: its tail stands nowhere else."""
    client = (await there.house.clients.of(None))[0]
    digests = await there.grantway.satellite.tail_digests(grant.api_key)
    assert await there.tokens.revoke_below(client.row_id, digests, there.now)


async def by_a_leak(there: World, grant: AccessGrant) -> None:
    (digest,) = (await there.rows("SELECT digest FROM codes"))[0]
    await there.tokens.revoke_yield(digest, there.now)


@pytest.mark.parametrize("revoke", [by_withdrawing, by_one_grant, by_the_client, by_a_leak])
def test_a_revocation_is_kept_until_all_below_it_has_ended(tmp_path: Path, revoke: Callable[[World, AccessGrant], Awaitable[None]]) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code = await there.code(user, new, ["list"], lifetime=365 * DAY)
        outcome = await there.exchange(new, code, trace_id="00" * 16)
        assert isinstance(outcome, Granted)
        grant = AccessGrant.parse(str(outcome.access_grant))
        await revoke(there, grant)
        end = NOW + 365 * DAY
        await there.grantway.tidy(end - timedelta(seconds=1))
        (revoked,) = await rows_of(there, "revoked_tails")
        assert revoked >= 1
        for moment in (NOW, end - timedelta(seconds=1), end, end + timedelta(seconds=1)):
            said = await there.grantway.satellite.check(grant.api_key, Action.LIST, b"photos", b"", moment)
            assert not isinstance(said, Allowed)
        await there.grantway.tidy(end + housekeeping.REVOKED_KEPT)
        assert await rows_of(there, "revoked_tails") == [revoked]
        await there.grantway.tidy(end + housekeeping.REVOKED_KEPT + timedelta(hours=1))
        assert await rows_of(there, "revoked_tails") == [0]
        said = await there.grantway.satellite.check(grant.api_key, Action.LIST, b"photos", b"", end + 2 * DAY)
        assert not isinstance(said, Allowed)  # by its own end now

    told(story, tmp_path)


def test_a_clock_that_was_ahead_for_a_while_brings_no_key_to_life(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        outcome = await there.exchange(new, await there.code(user, new, ["list"], lifetime=10 * DAY))
        assert isinstance(outcome, Granted)
        grant = AccessGrant.parse(str(outcome.access_grant))
        await by_withdrawing(there, grant)
        await there.grantway.tidy(NOW + 366 * DAY)
        said = await there.grantway.satellite.check(grant.api_key, Action.LIST, b"photos", b"", NOW)
        assert not isinstance(said, Allowed)

    told(story, tmp_path)


def test_as_long_as_may_be_set_is_kept(tmp_path: Path) -> None:
    longest = timedelta(days=config.MOST_DAYS)

    async def story(there: World) -> None:
        assert await housekeeping.tidy(there.grantway.database, Kept(findings=longest, history=longest, audit=longest), NOW) == 0

    told(story, tmp_path)


def test_revocations_of_before_are_kept_for_the_longest_that_a_consent_could_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, steps = tmp_path / "x.db", migrate.all_migrations()
    at = next(number for number, step in enumerate(steps) if any("revoked_tails_by_end" in one for one in step.statements))
    monkeypatch.setattr(migrate, "all_migrations", lambda: steps[:at])
    migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO revoked_tails (tail_digest, revoked_at, reason) VALUES (x'00', ?, 'before')", (to_micros(NOW),))
    monkeypatch.undo()
    migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT keep_until FROM revoked_tails").fetchall() == [(to_micros(NOW + 366 * DAY),)]


def test_a_used_code_is_told_from_an_unknown_one_for_as_long_as_its_grant_lives(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code = await there.code(user, new, ["list"], lifetime=100 * DAY)
        assert isinstance(await there.exchange(new, code), Granted)
        await there.grantway.tidy(NOW + 99 * DAY)
        assert await there.tokens.code(secret_token.digest(code)) is not None
        await there.grantway.tidy(NOW + 101 * DAY)
        assert await there.tokens.code(secret_token.digest(code)) is None

    told(story, tmp_path)


def test_a_deleted_clients_id_stays_taken(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        await there.house.clients.delete(new.client, NOW)
        await there.grantway.tidy(NOW + 4000 * DAY)
        assert await rows_of(there, "clients") == [1]
        thief = replace(new.client, row_id="another")
        storage, first = Clients(there.grantway.database, there.grantway.seals), ClientSecret(version=1, sealed=b"", live_until=None)
        assert await storage.add_client(thief, first) is Registration.TAKEN

    told(story, tmp_path)


def test_one_has_the_turn(tmp_path: Path) -> None:
    """A second process finds it taken; after its end, or when a wrong clock took it for years, anybody may take it."""

    async def story() -> None:
        async with world(tmp_path) as one, world(tmp_path) as other:
            database, also = one.grantway.database, other.grantway.database
            expose = "INSERT INTO exposed_assertions (digest, expires_at) VALUES (?, 1)"
            for number in range(3):
                await database.one(expose, bytes([number]))
            first = await asyncio.gather(*(housekeeping.tidy(each, KEPT, NOW) for each in (database, also)))
            assert sorted(first) == [0, 3]
            await database.one(expose, b"later")
            assert await housekeeping.tidy(also, KEPT, NOW + housekeeping.TURN - timedelta(seconds=1)) == 0
            assert await housekeeping.tidy(also, KEPT, NOW + housekeeping.TURN) == 1
            await database.one(expose, b"with another clock")
            assert await housekeeping.tidy(also, KEPT, NOW - 3 * DAY) == 1

    asyncio.run(story())


def test_a_batch_is_small_and_others_write_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 10)
    swept, diary = housekeeping._swept, list[int | str]()

    async def noted(database: Database, sweep: MakeWork[int]) -> int:
        gone = await swept(database, sweep)
        diary.append(gone)
        return gone

    monkeypatch.setattr(housekeeping, "_swept", noted)

    async def story(there: World) -> None:
        database = there.grantway.database
        for number in range(95):
            await database.one("INSERT INTO audit (happened_at, event) VALUES (?, 'x')", number)
        tidying = asyncio.create_task(housekeeping.tidy(database, KEPT, NOW))
        while not tidying.done():
            await database.one("UPDATE turns SET ends_at = ends_at WHERE work = 'housekeeping'")
            diary.append("somebody else")
        assert await tidying == 95
        assert [gone for gone in diary if gone not in {0, "somebody else"}] == [10] * 9 + [5]
        assert "somebody else" in diary[diary.index(10) : diary.index(5)]

    told(story, tmp_path)
