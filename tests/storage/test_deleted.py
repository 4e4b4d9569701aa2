"""Nothing outlives the account that it belongs to, though it was read before the account was deleted, or is stored at that moment."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from tests.storage.stand_ins import GivenUp
from tests.storage.world import NOW, REDIRECT_URI, SCOPES, World, faults, refused, told, told_by_two

from grantway import secret_token
from grantway.accounts.account import Kind
from grantway.accounts.session import Opening, OpenSession
from grantway.authorization.consent import Decision
from grantway.authorization.request import AnswerOutcome, Asked
from grantway.clients.client import Registration
from grantway.clients.draft import ClientDraft
from grantway.clients.secret import ClientSecret
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError, UnavailableError
from grantway.storage.accounts import Accounts
from grantway.storage.database import Database

DRAFT = ClientDraft(name="Photo Box", redirect_uris=[REDIRECT_URI])
FIRST = ClientSecret(version=1, sealed=b"", live_until=None)


def test_no_app_is_registered_for_a_deleted_developer(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        new = await there.app(developer)
        await there.house.accounts.delete(developer, NOW)
        clients = there.house.clients
        late = replace(new.client, row_id="late", client_id="late")
        assert await clients.storage.add_client(late, FIRST) is Registration.DEVELOPER_GONE
        assert await refused(clients.register(developer.id, DRAFT, NOW)) == "unauthorized"
        assert await refused(clients.take_over(developer.id, "late", "s" * 40, DRAFT, NOW)) == "unauthorized"
        assert await there.rows("SELECT client_id FROM clients WHERE deleted_at IS NULL") == []
        assert await there.rows("SELECT count(*) FROM client_secrets") == [(0,)]

    told(story, tmp_path)


def test_an_app_that_went_with_its_developer_is_not_changed_back(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        new, clients = await there.app(developer), there.house.clients
        await there.house.accounts.delete(developer, NOW)
        for after in (None, 1):
            assert await refused(clients.regenerate_secret(new.client, timedelta(0), NOW, after)) == "already_exists"
        assert await refused(clients.change(new.client, lambda _: replace(DRAFT, name="Late"), NOW)) == "not_found"
        await clients.set_active(new.client, True, NOW)
        assert await there.rows("SELECT name, is_active FROM clients") == [("Photo Box", 0)]
        assert await there.rows("SELECT count(*) FROM client_secrets") == [(0,)]

    told(story, tmp_path)


@pytest.mark.parametrize("kind", Kind)
def test_nothing_personal_comes_back_into_a_deleted_account(kind: Kind, tmp_path: Path) -> None:
    async def story(there: World) -> None:
        somebody, accounts = await there.account(kind), there.house.accounts
        await accounts.delete(somebody, NOW)
        await accounts.accounts.change_account(somebody.id, full_name="Late")
        await accounts.accounts.change_account(somebody.id, password_hash="late")
        assert await there.rows("SELECT email, full_name, password_hash FROM accounts") == [(None, "", "")]

    told(story, tmp_path)


def test_a_deleted_user_makes_no_project(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user = await there.account()
        await there.house.accounts.delete(user, NOW)
        assert await refused(there.house.projects.make(user, "Late", NOW)) == "unauthorized"
        for table in ("projects", "project_keys"):
            assert await there.rows(f"SELECT count(*) FROM {table}") == [(0,)]

    told(story, tmp_path)


def test_nobody_is_asked_after_deletion(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await there.house.accounts.delete(user, NOW)
        asked = Asked(client_id=new.client.client_id, redirect_uri=REDIRECT_URI, scopes=SCOPES)
        assert await refused(there.house.authorization.ask(user, asked, NOW)) == "unauthorized"
        assert await there.rows("SELECT count(*) FROM requests") == [(0,)]

    told(story, tmp_path)


def test_a_request_that_a_deleted_user_left_is_not_approved(tmp_path: Path) -> None:
    """Not even where consent and code were made before, and only had to be stored."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code, pending = await there.code(user, new), await there.asked(user, new)
        made = await there.tokens.code(secret_token.digest(code))
        assert made is not None
        await there.house.accounts.delete(user, NOW)
        given = replace(made.consent, id="late", request_id=pending)
        issued = replace(made, digest=secrets.token_bytes(32), consent=given)
        assert await there.house.authorization.requests.record_approval(given, issued) is AnswerOutcome.NOT_PENDING
        decision = Decision(request_id=pending, approved=SCOPES, rejected=())
        assert await refused(there.house.authorization.decide(user, decision, NOW)) == "request_not_pending"
        assert await there.rows("SELECT count(*) FROM consents WHERE withdrawn_at IS NULL") == [(0,)]

    told(story, tmp_path)


def test_a_user_leaves_while_all_is_going_on_elsewhere(tmp_path: Path) -> None:
    """Projects, requests and approvals of two processes meet the deletion: whichever was first, nothing of it stands."""

    async def story(here: World, elsewhere: World) -> None:
        new = await here.app()
        asks = Asked(client_id=new.client.client_id, redirect_uri=REDIRECT_URI, scopes=SCOPES)
        for _ in range(10):
            user = await here.account()
            decisions = [Decision(request_id=await here.asked(user, new), approved=SCOPES, rejected=()) for _ in range(4)]
            answers = [there.house.authorization.decide(user, one, NOW) for one in decisions for there in (here, elsewhere)]
            answers += [there.house.projects.make(user, "Late", NOW) for there in (here, elsewhere)]
            answers += [there.house.authorization.ask(user, asks, NOW) for there in (here, elsewhere)]
            results = await asyncio.gather(*answers, elsewhere.house.accounts.delete(user, NOW), return_exceptions=True)
            assert all(not isinstance(one, BaseException) or isinstance(one, RefusedError) for one in results), results
        assert await here.rows("SELECT count(*) FROM consents WHERE withdrawn_at IS NULL") == [(0,)]
        assert await here.rows("SELECT count(*) FROM requests WHERE status = 'pending'") == [(0,)]
        assert await here.rows("SELECT count(*) FROM projects") == [(0,)]
        assert await faults(here) == []

    told_by_two(story, tmp_path)


def test_a_developer_leaves_while_apps_are_registered_elsewhere(tmp_path: Path) -> None:
    async def story(here: World, elsewhere: World) -> None:
        for _ in range(10):
            developer = await here.account(Kind.DEVELOPER)
            made: list[Awaitable[NewClient]] = [
                there.house.clients.register(developer.id, DRAFT, NOW) for there in (here, elsewhere) for _ in range(4)
            ]
            results = await asyncio.gather(*made, elsewhere.house.accounts.delete(developer, NOW), return_exceptions=True)
            assert all(not isinstance(one, BaseException) or isinstance(one, RefusedError) for one in results), results
        assert await here.rows("SELECT client_id FROM clients WHERE deleted_at IS NULL") == []

    told_by_two(story, tmp_path)


def test_a_deletion_that_is_given_up_has_ended_the_sessions(tmp_path: Path) -> None:
    """So that whoever goes on making things is stopped, and the next try meets nobody."""

    async def story(there: World) -> None:
        user = await there.account()
        made = OpenSession(digest=b"one", created_at=NOW, expires_at=NOW + timedelta(hours=1), opened=Opening())
        assert await there.house.accounts.sessions.add_session(user, made)
        overtaken = Accounts(cast("Database", GivenUp(there.grantway.database)), there.grantway.seals)
        with pytest.raises(UnavailableError):
            await overtaken.delete_account(user, NOW)
        assert await there.rows("SELECT count(*) FROM sessions") == [(0,)]
        assert await there.rows("SELECT count(*) FROM accounts WHERE id = ? AND deleted_at IS NULL", user.id) == [(1,)]

    told(story, tmp_path)


def test_an_app_without_its_developer_is_told_of(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        await there.app(developer)
        assert await faults(there) == []
        await there.grantway.database.one("UPDATE accounts SET email = NULL, deleted_at = 1 WHERE id = ?", developer.id)
        assert await faults(there) == ["every app that is not deleted has its developer"]

    told(story, tmp_path)
