"""What is taken back is dead at once, and a deleted account leaves nothing personal."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.storage.world import NOW, World, told

from grantway.access_grant import AccessGrant, Action, Allowed, Denied
from grantway.accounts.account import Kind
from grantway.oauth_error import RefusedError
from grantway.tokens.token_request import Granted, Refused


async def granted(there: World) -> tuple[Granted, AccessGrant, Callable[[], Awaitable[Allowed | Denied]]]:
    """A grant, and whether the satellite lets it read where it may."""
    user, developer = await there.account(email="u@example.org"), await there.account(Kind.DEVELOPER, "d@example.org")
    new = await there.app(developer)
    outcome = await there.exchange(new, await there.code(user, new))
    assert isinstance(outcome, Granted), outcome
    grant = AccessGrant.parse(outcome.access_grant or "")
    path = grant.encryption_access.encrypt_prefix(b"photos", b"2024/x.jpg")
    return outcome, grant, lambda: there.grantway.satellite.check(grant.api_key, Action.READ, b"photos", path, NOW)


async def withdraw(there: World) -> None:
    user = await there.house.accounts.by_email(Kind.USER, "u@example.org")
    await there.house.given_access.withdraw(user, (await there.house.clients.of(None))[0].client_id, NOW)


async def delete_client(there: World) -> None:
    await there.house.clients.delete((await there.house.clients.of(None))[0], NOW)


async def delete_user(there: World) -> None:
    await there.house.accounts.delete(await there.house.accounts.by_email(Kind.USER, "u@example.org"), NOW)


async def delete_developer(there: World) -> None:
    await there.house.accounts.delete(await there.house.accounts.by_email(Kind.DEVELOPER, "d@example.org"), NOW)


async def delete_project(there: World) -> None:
    user = await there.house.accounts.by_email(Kind.USER, "u@example.org")
    await there.house.projects.delete(user, (await there.house.projects.of(user))[0].id)


TAKING_BACK = {
    "consent withdrawn": (withdraw, "revoked"),
    "client deleted": (delete_client, "revoked"),
    "developer deleted": (delete_developer, "revoked"),
    "user deleted": (delete_user, "unknown_key"),
    "project deleted": (delete_project, "unknown_key"),
}


@pytest.mark.parametrize("name", TAKING_BACK)
def test_taking_back_kills_the_grant(tmp_path: Path, name: str) -> None:
    take_back, reason = TAKING_BACK[name]

    async def story(there: World) -> None:
        _, _, check = await granted(there)
        assert isinstance(await check(), Allowed)
        await take_back(there)
        denied = await check()
        assert isinstance(denied, Denied)
        assert denied.reason == reason
        if name != "project deleted":
            assert await there.rows("SELECT count(*) FROM revoked_tails") == [(1,)]

    told(story, tmp_path)


def test_disabling_leaves_the_grant(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        _, _, check = await granted(there)
        await there.house.clients.set_active((await there.house.clients.of(None))[0], False, NOW)
        assert isinstance(await check(), Allowed)

    told(story, tmp_path)


def test_a_deleted_account_leaves_nothing_personal(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user = await there.account(email="uma@example.org")
        await there.house.accounts.delete(user, NOW)
        assert await there.rows("SELECT email, full_name, password_hash FROM accounts") == [(None, "", "")]
        assert await there.rows("SELECT * FROM projects") == await there.rows("SELECT * FROM project_keys") == []
        again = await there.account(email="uma@example.org")
        assert again.id != user.id

    told(story, tmp_path)


def test_withdrawing_kills_codes_and_requests(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code, pending = await there.code(user, new), await there.asked(user, new)
        await there.house.given_access.withdraw(user, new.client.client_id, NOW)
        outcome = await there.exchange(new, code)
        assert isinstance(outcome, Refused)
        assert outcome.error.code == "invalid_code"
        assert await there.rows("SELECT status FROM requests WHERE id = ?", pending) == [("rejected",)]
        with pytest.raises(RefusedError):
            await there.house.given_access.withdraw(await there.account(), new.client.client_id, NOW)

    told(story, tmp_path)
