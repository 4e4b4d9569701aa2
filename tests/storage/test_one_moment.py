"""What meets in one moment: a client or its developer is deleted while others are at work on the same rows."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests import engines
from tests.engines import database_settings
from tests.storage.stand_ins import ByHand, GivenUp, Late
from tests.storage.world import NOW, REDIRECT_URI, SCOPES, World, faults, refused, told, told_by_two

from grantway.accounts.account import Account, Kind
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError, UnavailableError
from grantway.storage import migrate
from grantway.storage.accounts import Accounts
from grantway.storage.clients import Clients
from grantway.storage.database import Database

LIVING = "SELECT count(*) FROM consents WHERE withdrawn_at IS NULL"
PENDING = "SELECT count(*) FROM requests WHERE status = 'pending'"
OUTLIVED = "for no deleted app, and no deleted person, is a consent alive or a request unanswered"
UNREVOKED = "SELECT count(*) FROM consents WHERE tail_digest NOT IN (SELECT tail_digest FROM revoked_tails)"


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


@pytest.mark.parametrize("delete", [delete_client, delete_developer])
@pytest.mark.parametrize("preparing", [answering, asking, collecting, leaving_open])
def test_nothing_lives_below_a_deleted_client_whatever_is_committed_meanwhile(
    delete: Any, preparing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion is stopped before each of its statements in turn. On PostgreSQL always: on SQLite nobody commits within another's
    transaction."""
    monkeypatch.setattr(engines, "IS_POSTGRES", True)

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


def test_what_outlived_its_app_or_its_person_is_ended_by_an_upgrade(tmp_path: Path) -> None:
    step = next(step for step in migrate.all_migrations() if step.version == 10)

    async def story(there: World) -> None:
        developer, user, other = await there.account(Kind.DEVELOPER), await there.account(), await there.account()
        gone, kept = await there.app(developer), await there.app(developer)
        for person, new in ((user, gone), (other, kept), (user, kept)):
            await there.code(person, new)
            await there.asked(person, new)
        database = there.grantway.database
        await database.one("UPDATE clients SET deleted_at = 7 WHERE row_id = ?", gone.client.row_id)
        await database.one("UPDATE accounts SET deleted_at = 8 WHERE id = ?", other.id)
        await database.one("DROP INDEX requests_unanswered_of_client")
        for statement in step.statements:
            await database.one(statement)
        ended = "SELECT withdrawn_at FROM consents WHERE client_row_id = ? AND user_id = ?"
        reasons = "SELECT reason, revoked_at FROM revoked_tails ORDER BY revoked_at"
        assert await there.rows(ended, gone.client.row_id, user.id) == [(7,)]
        assert await there.rows(ended, kept.client.row_id, other.id) == [(8,)]
        assert await there.rows(ended, kept.client.row_id, user.id) == [(None,)]
        assert await there.rows(reasons) == [("client_deleted", 7), ("account_deleted", 8)]
        assert await there.rows(PENDING) == [(1,)]
        assert OUTLIVED not in await faults(there)

    told(story, tmp_path)
