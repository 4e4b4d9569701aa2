"""What meets in one moment: a client is deleted, or changed, or a bound is reached, while others are at work on the same rows."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests import engines
from tests.engines import database_settings
from tests.storage.test_deleted import GivenUp
from tests.storage.world import NOW, REDIRECT_URI, SCOPES, World, faults, refused, told, told_by_two

from grantway import secret_token
from grantway.accounts import use_cases as accounts_use_cases
from grantway.accounts.account import Account, Kind
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.authorization.use_cases import Decided
from grantway.clients import use_cases as clients_use_cases
from grantway.clients.client import Client
from grantway.clients.draft import ClientDraft
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError, UnavailableError
from grantway.storage import migrate
from grantway.storage.accounts import Accounts
from grantway.storage.clients import Clients
from grantway.storage.database import Database
from grantway.storage.postgres_link import AGAIN, Link, Outage
from grantway.storage.postgres_sql import numbered
from grantway.storage.postgres_writer import SERIALIZABLE
from grantway.storage.statements import USUAL_CHAIN, MakeWork

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


class Between:
    """Requests as they are stored, and something that happens between judging and storing."""

    def __init__(self, requests: Any, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._requests = requests
        self._meanwhile = meanwhile
        self.request = requests.request

    async def record_approval(self, *values: Any) -> Any:
        await self._meanwhile()
        return await self._requests.record_approval(*values)

    async def record_rejection(self, *values: Any) -> Any:
        await self._meanwhile()
        return await self._requests.record_rejection(*values)


def moved(there: World, new: NewClient, *redirect_uris: str) -> Callable[[], Awaitable[None]]:
    """Its developer gives the app these redirect URIs."""
    draft = ClientDraft(name="Photo Box", redirect_uris=list(redirect_uris))

    async def move() -> None:
        await there.house.clients.change(new.client, lambda _: draft, NOW)

    return move


@pytest.mark.parametrize("approve", [True, False])
def test_neither_a_code_nor_a_denial_goes_to_a_place_that_was_taken_off_meanwhile(approve: bool, tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new, authorization = await there.account(), await there.app(), there.house.authorization
        decision = Decision(request_id=await there.asked(user, new), approved=SCOPES, rejected=(), approve=approve)

        async def decided(meanwhile: Callable[[], Awaitable[None]]) -> Decided:
            between = replace(authorization, requests=Between(authorization.requests, meanwhile))
            return cast("Decided", await between.decide(user, decision, NOW))

        assert await refused(decided(moved(there, new, "https://elsewhere.example/cb"))) == "invalid_redirect_uri"
        await moved(there, new, REDIRECT_URI)()
        assert await refused(decided(lambda: there.house.clients.set_active(new.client, False, NOW))) == "client_inactive"
        await there.house.clients.set_active(new.client, True, NOW)
        # nothing was stored, and nothing is used up: the request waits, and another place beside its own changes nothing
        assert await there.rows("SELECT status, answered_at FROM requests") == [("pending", None)]
        assert await there.rows("SELECT count(*) FROM consents") == [(0,)]
        answer = await decided(moved(there, new, "https://elsewhere.example/cb", REDIRECT_URI))
        assert (answer.code is not None) is approve
        assert await refused(decided(moved(there, new, REDIRECT_URI))) == "request_not_pending"

    told(story, tmp_path)


def test_a_loopback_port_is_as_free_when_storing_as_when_judging(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new, authorization = await there.account(), await there.app(redirect_uris=["http://127.0.0.1/cb"]), there.house.authorization
        asked = Asked(client_id=new.client.client_id, redirect_uri="http://127.0.0.1:5000/cb", scopes=SCOPES)
        request = (await authorization.ask(user, asked, NOW)).request
        decision = Decision(request_id=request.id, approved=SCOPES, rejected=())
        assert (await authorization.decide(user, decision, NOW)).code

    told(story, tmp_path)


def test_the_bound_of_projects_holds_for_those_that_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_use_cases, "MOST_OF_A_USER", 4)

    async def story(here: World, elsewhere: World) -> None:
        for _ in range(3):
            user = await here.account()
            made = [there.house.projects.make(user, "Photos", NOW) for there in (here, elsewhere) for _ in range(4)]
            results = await asyncio.gather(*made, return_exceptions=True)
            assert sorted(map(as_told, results)) == ["invalid_request"] * 5 + ["made"] * 3
            assert len(await here.house.projects.of(user)) == 4
        assert await faults(here) == []

    told_by_two(story, tmp_path)


def test_the_bound_of_apps_holds_for_those_that_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients_use_cases, "MOST_OF_A_DEVELOPER", 3)

    async def story(here: World, elsewhere: World) -> None:
        for _ in range(3):
            developer = await here.account(Kind.DEVELOPER)
            made = [there.app(developer) for there in (here, elsewhere) for _ in range(4)]
            results = await asyncio.gather(*made, return_exceptions=True)
            assert sorted(map(as_told, results)) == ["invalid_request"] * 5 + ["made"] * 3
            assert len(await here.house.clients.of(developer.id)) == 3
        assert await faults(here) == []

    told_by_two(story, tmp_path)


def test_what_two_revoke_at_once_is_revoked_and_noted_once(tmp_path: Path) -> None:
    """Twenty grants, each given back in two processes at the same moment and in opposite orders, and claimed by another client besides."""

    async def story(here: World, elsewhere: World) -> None:
        user, new, other = await here.account(), await here.app(), await here.app()
        consents = [await tail_of(here, user, new) for _ in range(20)]
        keys = [secrets.token_bytes(32) for _ in consents]
        chains = [[secrets.token_bytes(32), tail, key] for tail, key in zip(consents, keys, strict=True)]
        revocations = [here.tokens.revoke_below(new.client.row_id, chain, NOW) for chain in chains]
        revocations += [elsewhere.tokens.revoke_below(new.client.row_id, chain, NOW) for chain in reversed(chains)]
        theirs = [there.tokens.revoke_below(other.client.row_id, chains[0], NOW) for there in (here, elsewhere)]
        results = await asyncio.gather(*theirs, *revocations)
        assert results == [False] * 2 + [True] * 40
        long = [*(secrets.token_bytes(32) for _ in range(USUAL_CHAIN)), *chains[0]]
        assert await here.tokens.revoke_below(new.client.row_id, long, NOW)
        assert sorted(row[0] for row in await here.rows("SELECT tail_digest FROM revoked_tails")) == sorted(keys)
        noted = "SELECT client_row_id FROM audit WHERE event = 'grant_revoked_by_client'"
        assert await here.rows(noted) == [(new.client.row_id,)] * 20

    told_by_two(story, tmp_path)


async def tail_of(there: World, user: Account, new: NewClient) -> bytes:
    """The digest of the tail of a new consent."""
    digest = secret_token.digest(await there.code(user, new))
    sql = "SELECT tail_digest FROM consents JOIN codes ON codes.consent_id = consents.id WHERE codes.digest = ?"
    return bytes((await there.rows(sql, digest))[0][0])


def as_told(result: Any) -> str:
    return result.error.code if isinstance(result, RefusedError) else "made" if not isinstance(result, BaseException) else repr(result)
