"""What meets in one moment: a client is deleted, or changed, or a bound is reached, while others are at work on the same rows."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engines import IS_POSTGRES, database_settings
from tests.storage.test_deleted import faults, told_by_two
from tests.storage.world import NOW, SCOPES, World

from grantway.accounts.account import Account, Kind
from grantway.authorization.consent import Decision
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError
from grantway.storage.accounts import Accounts
from grantway.storage.clients import Clients
from grantway.storage.database import Database
from grantway.storage.postgres_link import AGAIN, Link, Outage
from grantway.storage.postgres_sql import numbered
from grantway.storage.postgres_writer import SERIALIZABLE
from grantway.storage.statements import MakeWork

LIVING = "SELECT count(*) FROM consents WHERE withdrawn_at IS NULL"
PENDING = "SELECT count(*) FROM requests WHERE status = 'pending'"
UNREVOKED = "SELECT count(*) FROM consents WHERE tail_digest NOT IN (SELECT tail_digest FROM revoked_tails)"


class ByHand:
    """PostgreSQL, with a transaction that stops before its statement number `stop`, for others to commit `meanwhile`.

    Once it has answered the requests there is no stopping: others would wait for it.
    """

    def __init__(self, url: str, stop: int, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._link = Link(url, Outage())
        self._stop = stop
        self._meanwhile = meanwhile
        self.has_stopped = False

    async def one(self, sql: str, *values: Any) -> None:
        await (await self._link.connection()).execute(numbered(sql), *values)

    async def write(self, make: MakeWork[Any]) -> None:
        connection = await self._link.connection()
        is_written = False
        while not is_written:
            await connection.execute(f"BEGIN ISOLATION LEVEL {SERIALIZABLE}")
            try:
                await self._drive(connection, make)
                await connection.execute("COMMIT")
                is_written = True
            except AGAIN:
                await connection.execute("ROLLBACK")

    async def _drive(self, connection: Any, make: MakeWork[Any]) -> None:
        work, has_answered = make(), False
        statement = next(work)
        for at in itertools.count():
            if at == self._stop and not has_answered and not self.has_stopped:
                self.has_stopped = True
                await self._meanwhile()
            has_answered = has_answered or statement.sql.startswith("UPDATE requests")
            rows = await connection.fetch(numbered(statement.sql), *statement.values)
            try:
                statement = work.send([tuple(row) for row in rows])
            except StopIteration:
                return

    async def close(self) -> None:
        await self._link.close()


async def approve(there: World, user: Account, request_id: str) -> None:
    await there.house.authorization.decide(user, Decision(request_id=request_id, approved=SCOPES, rejected=()), NOW)


async def delete_client(database: Database, there: World, _: Account, new: NewClient) -> None:
    await Clients(database, there.grantway.seals).delete_client(new.client.row_id, NOW)


async def delete_developer(database: Database, there: World, developer: Account, _: NewClient) -> None:
    await Accounts(database, there.grantway.seals).delete_account(developer, NOW)


async def answering(there: World, user: Account, new: NewClient) -> Callable[[], Awaitable[None]]:
    """An approval of what was asked before."""
    pending = await there.asked(user, new)
    return lambda: approve(there, user, pending)


async def asking(there: World, user: Account, new: NewClient) -> Callable[[], Awaitable[None]]:
    """A request and its approval."""

    async def ask() -> None:
        await there.code(user, new)

    return ask


async def collecting(there: World, user: Account, new: NewClient) -> Callable[[], Awaitable[None]]:
    """An exchange of what was approved before."""
    code = await there.code(user, new)

    async def collect() -> None:
        await there.exchange(new, code)

    return collect


async def leaving_open(there: World, user: Account, new: NewClient) -> Callable[[], Awaitable[None]]:
    """A request that nobody answers."""

    async def ask() -> None:
        await there.asked(user, new)

    return ask


@pytest.mark.skipif(not IS_POSTGRES, reason="on SQLite nobody commits within another's transaction")
@pytest.mark.parametrize("delete", [delete_client, delete_developer])
@pytest.mark.parametrize("preparing", [answering, asking, collecting, leaving_open])
def test_nothing_lives_below_a_deleted_client_whatever_is_committed_meanwhile(delete: Any, preparing: Any, tmp_path: Path) -> None:
    """The deletion is stopped before each of its statements in turn."""

    async def story(here: World, elsewhere: World) -> None:
        url = database_settings(str(tmp_path))["database"]
        for stop in itertools.count():
            developer, user = await here.account(Kind.DEVELOPER), await here.account()
            new = await here.app(developer)
            by_hand = ByHand(url, stop, await preparing(elsewhere, user, new))
            await delete(cast("Database", by_hand), here, developer, new)
            await by_hand.close()
            assert await here.rows(LIVING) == await here.rows(PENDING) == await here.rows(UNREVOKED) == [(0,)], stop
            if not by_hand.has_stopped:
                break
        assert stop > 2
        assert await faults(here) == []

    told_by_two(story, tmp_path)


@pytest.mark.parametrize("is_developer", [False, True])
def test_a_client_goes_while_all_is_going_on_elsewhere(is_developer: bool, tmp_path: Path) -> None:
    """Requests, approvals and exchanges of two processes meet the deletion: whichever was first, nothing of it stands."""

    async def story(here: World, elsewhere: World) -> None:
        for _ in range(8):
            developer, user = await here.account(Kind.DEVELOPER), await here.account()
            new = await here.app(developer)
            pending, codes = [await here.asked(user, new) for _ in range(4)], [await here.code(user, new) for _ in range(2)]
            works: list[Awaitable[Any]] = [approve(there, user, one) for one in pending for there in (here, elsewhere)]
            works += [there.code(user, new) for there in (here, elsewhere)]
            works += [there.exchange(new, code) for code, there in zip(codes, (here, elsewhere), strict=True)]
            house = elsewhere.house
            works.append(house.accounts.delete(developer, NOW) if is_developer else house.clients.delete(new.client, NOW))
            results = await asyncio.gather(*works, return_exceptions=True)
            assert all(not isinstance(one, BaseException) or isinstance(one, RefusedError) for one in results), results
        assert await here.rows(LIVING) == await here.rows(PENDING) == await here.rows(UNREVOKED) == [(0,)]
        assert await faults(here) == []

    told_by_two(story, tmp_path)
