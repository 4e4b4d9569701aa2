"""What people do with their accounts, over a real database and with password hashes that are real but quick."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.storage.world import NOW, World, world

from grantway.accounts import use_cases
from grantway.accounts.account import Kind
from grantway.oauth_error import RefusedError

PASSWORD = "correct horse battery"


def told(story: Callable[[World], Awaitable[None]], data: Path) -> None:
    async def tell() -> None:
        async with world(data) as there:
            await story(there)

    asyncio.run(tell())


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(RefusedError) as refusal:
        await work
    return refusal.value.error.code


def test_registering_signing_in_and_out(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        accounts = there.house.accounts
        user = await accounts.register(Kind.USER, " Uma ", "Uma@Example.org ", PASSWORD, NOW)
        assert (user.full_name, user.email) == ("Uma", "uma@example.org")
        assert [project.name for project in await there.house.projects.of(user)] == ["My project"]
        session = await accounts.sign_in(Kind.USER, "UMA@example.org", PASSWORD, NOW)
        assert session.expires_at == NOW + timedelta(days=7)
        found = await accounts.session(Kind.USER, session.token, NOW)
        assert found.account.id == user.id
        assert await accounts.session(Kind.DEVELOPER, session.token, NOW) is None
        assert await accounts.session(Kind.USER, session.token + "x", NOW) is None
        assert await accounts.session(Kind.USER, session.token, session.expires_at) is None
        assert await there.rows("SELECT count(*) FROM sessions WHERE digest = ?", session.token.encode()) == [(0,)]
        await accounts.sign_out(found)
        assert await accounts.session(Kind.USER, session.token, NOW) is None

    told(story, tmp_path)


def test_the_two_kinds_never_mix(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        accounts = there.house.accounts
        await accounts.register(Kind.USER, "Uma", "x@example.org", PASSWORD, NOW)
        developer = await accounts.register(Kind.DEVELOPER, "Dana", "x@example.org", PASSWORD + "2", NOW)
        assert await there.house.projects.of(developer) == []
        assert await refused(accounts.sign_in(Kind.USER, "x@example.org", PASSWORD + "2", NOW)) == "unauthorized"
        assert await refused(accounts.register(Kind.USER, "Other", "X@example.org", PASSWORD, NOW)) == "already_exists"

    told(story, tmp_path)


@pytest.mark.parametrize(
    ("name", "email", "plain"), [("", "a@b.example", PASSWORD), ("Uma", "nobody", PASSWORD), ("Uma", "a@b.example", "short")]
)
def test_cannot_register(tmp_path: Path, name: str, email: str, plain: str) -> None:
    async def story(there: World) -> None:
        assert await refused(there.house.accounts.register(Kind.USER, name, email, plain, NOW)) == "invalid_request"
        assert await there.rows("SELECT * FROM accounts") == []

    told(story, tmp_path)


def test_registering_at_once_makes_one(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        made = await asyncio.gather(
            *(there.house.accounts.register(Kind.USER, "Uma", "uma@example.org", PASSWORD, NOW) for _ in range(3)), return_exceptions=True
        )
        assert sum(isinstance(one, RefusedError) for one in made) == 2
        assert await there.rows("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM projects)") == [(1, 1)]

    told(story, tmp_path)


def test_unknown_and_wrong_are_refused_alike(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        accounts = there.house.accounts
        await accounts.register(Kind.USER, "Uma", "uma@example.org", PASSWORD, NOW)
        said = []
        for email in ("uma@example.org", "nobody@example.org", "no address"):
            with pytest.raises(RefusedError) as refusal:
                await accounts.sign_in(Kind.USER, email, "wrong password", NOW)
            said.append(refusal.value.error)
        assert len(set(said)) == 1

    told(story, tmp_path)


def test_a_new_password_ends_every_session(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        accounts = there.house.accounts
        user = await accounts.register(Kind.USER, "Uma", "uma@example.org", PASSWORD, NOW)
        session = await accounts.sign_in(Kind.USER, "uma@example.org", PASSWORD, NOW)
        await accounts.rename(user, "Uma User")
        assert (await accounts.session(Kind.USER, session.token, NOW)).account.full_name == "Uma User"
        assert await refused(accounts.reset_password(user, "short")) == "invalid_request"
        await accounts.reset_password(user, PASSWORD + "2")
        assert await accounts.session(Kind.USER, session.token, NOW) is None
        assert await refused(accounts.sign_in(Kind.USER, "uma@example.org", PASSWORD, NOW)) == "unauthorized"
        await accounts.sign_in(Kind.USER, "uma@example.org", PASSWORD + "2", NOW)

    told(story, tmp_path)


def test_leaving_takes_the_password(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        accounts = there.house.accounts
        user = await accounts.register(Kind.USER, "Uma", "uma@example.org", PASSWORD, NOW)
        session = await accounts.sign_in(Kind.USER, "uma@example.org", PASSWORD, NOW)
        assert await refused(accounts.leave(user, "wrong password", NOW)) == "unauthorized"
        await accounts.leave(user, PASSWORD, NOW)
        assert await accounts.session(Kind.USER, session.token, NOW) is None
        assert await refused(accounts.by_email(Kind.USER, "uma@example.org")) == "not_found"

    told(story, tmp_path)


@pytest.mark.parametrize("kind", Kind)
def test_a_password_that_changed_while_it_was_checked_deletes_nothing(tmp_path: Path, kind: Kind) -> None:
    """Whoever is left with the old password is told so, and no session of the new one and no app is touched. The operator needs none."""

    async def story(there: World) -> None:
        accounts = there.house.accounts
        user = await accounts.register(kind, "Uma", "uma@example.org", PASSWORD, NOW)
        app = await there.app(user if kind is Kind.DEVELOPER else None)

        async def overtaken(work: Callable[..., bool], *args: object) -> bool:
            right = work(*args)
            await accounts.change_password(user, PASSWORD, PASSWORD + "2")
            await accounts.sign_in(kind, "uma@example.org", PASSWORD + "2", NOW)
            return right

        assert await refused(dataclasses.replace(accounts, hard_work=overtaken).leave(user, PASSWORD, NOW)) == "unauthorized"
        assert await there.rows("SELECT count(*) FROM sessions") == [(1,)]
        assert await there.rows("SELECT is_active FROM clients WHERE client_id = ?", app.client.client_id) == [(1,)]
        await accounts.leave(await accounts.by_email(kind, "uma@example.org"), PASSWORD + "2", NOW)
        assert await refused(accounts.by_email(kind, "uma@example.org")) == "not_found"

        again = await accounts.register(kind, "Uma", "uma@example.org", PASSWORD, NOW)
        await accounts.change_password(again, PASSWORD, PASSWORD + "2")
        await accounts.delete(again, NOW)
        assert await refused(accounts.by_email(kind, "uma@example.org")) == "not_found"

    told(story, tmp_path)


def test_a_user_has_no_more_than_so_many_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "MOST_OF_A_USER", 2)

    async def story(there: World) -> None:
        user, projects = await there.account(), there.house.projects
        made = await projects.make(user, "Photos", NOW)
        assert await refused(projects.make(user, "Films", NOW)) == "invalid_request"
        await projects.make(await there.account(), "Films", NOW)
        await projects.delete(user, made.id)
        await projects.make(user, "Films", NOW)

    told(story, tmp_path)


def test_projects(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        projects = there.house.projects
        user, other = await there.account(), await there.account()
        made = await projects.make(user, " Photos ", NOW + timedelta(seconds=1))
        assert [project.name for project in await projects.of(user)] == ["My project", "Photos"]
        assert await refused(projects.make(user, "", NOW)) == "invalid_request"
        assert await refused(projects.delete(other, made.id)) == "not_found"
        await projects.delete(user, made.id)
        assert await refused(projects.delete(user, made.id)) == "not_found"
        assert await there.rows("SELECT count(*) FROM project_keys") == [(2,)]

    told(story, tmp_path)
