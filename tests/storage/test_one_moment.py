"""What meets in one moment: a client is deleted, or changed, or a bound is reached, while others are at work on the same rows."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engines import IS_POSTGRES, database_settings
from tests.storage.test_deleted import GivenUp, faults, refused, told, told_by_two
from tests.storage.world import NOW, REDIRECT_URI, SCOPES, World

from grantway.accounts.account import Account, Kind
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.clients.client import Client
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError, UnavailableError
from grantway.storage.accounts import Accounts
from grantway.storage.clients import Clients
from grantway.storage.database import Database
from grantway.storage.postgres_link import AGAIN, Link, Outage
from grantway.storage.postgres_sql import numbered
from grantway.storage.postgres_writer import SERIALIZABLE
from grantway.storage.statements import MakeWork

LIVING = "SELECT count(*) FROM consents WHERE withdrawn_at IS NULL"
PENDING = "SELECT count(*) FROM requests WHERE status = 'pending'"
OUTLIVED = "for no deleted app, and no deleted person, is a consent alive or a request unanswered"
UNREVOKED = "SELECT count(*) FROM consents WHERE tail_digest NOT IN (SELECT tail_digest FROM revoked_tails)"


class Late:
    """Requests as they are stored, by somebody who read the client before it was deleted."""

    def __init__(self, requests: Any, client: Client) -> None:
        self._clients = [client]
        self._requests = requests
        self.add_request = requests.add_request

    async def client_by_id(self, client_id: str) -> Client | None:
        return self._clients.pop() if self._clients else await self._requests.client_by_id(client_id)


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
        """What goes before the transaction is left out: whoever is at work meanwhile was let in before."""

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


@pytest.mark.parametrize("delete", [delete_client, delete_developer])
def test_a_deletion_that_is_given_up_has_disabled_the_app(delete: Any, tmp_path: Path) -> None:
    """So that nobody is asked any more, and the next try meets nobody."""

    async def story(there: World) -> None:
        developer, user = await there.account(Kind.DEVELOPER), await there.account()
        new, other = await there.app(developer), await there.app()
        with pytest.raises(UnavailableError):
            await delete(cast("Database", GivenUp(there.grantway.database)), there, developer, new)
        assert await refused(there.asked(user, new)) == "client_inactive"
        assert await there.asked(user, other)
        assert await there.rows("SELECT deleted_at FROM clients") == [(None,), (None,)]

    told(story, tmp_path)


def test_what_outlived_its_app_or_its_person_is_told_of(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer, user, other = await there.account(Kind.DEVELOPER), await there.account(), await there.account()
        new = await there.app(developer)
        for one in (user, other):
            await there.code(one, new)
            await there.asked(one, new)
        assert await faults(there) == []
        for table, key, row in (("accounts", "id", other.id), ("clients", "row_id", new.client.row_id)):
            await there.grantway.database.one(f"UPDATE {table} SET deleted_at = 1 WHERE {key} = ?", row)
            assert OUTLIVED in await faults(there)
            await there.grantway.database.one(f"UPDATE {table} SET deleted_at = NULL WHERE {key} = ?", row)
        assert await faults(there) == []

    told(story, tmp_path)


def test_nobody_is_asked_by_a_deleted_app(tmp_path: Path) -> None:
    """Not even where the client was read before."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        pending = await there.asked(user, new)
        requests = there.house.authorization.requests
        made = await requests.request(pending)
        await there.house.clients.delete(new.client, NOW)
        assert await requests.add_request(replace(made, id="late")) is False
        late = replace(there.house.authorization, requests=Late(requests, new.client))
        asked = Asked(client_id=new.client.client_id, redirect_uri=REDIRECT_URI, scopes=SCOPES)
        assert await refused(late.ask(user, asked, NOW)) == "invalid_client_id"
        assert await there.rows("SELECT id, status FROM requests") == [(pending, "rejected")]

    told(story, tmp_path)
