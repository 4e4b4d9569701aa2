"""What happened between a backup and its restore: what was revoked stays revoked, and what was given, used or ended is not good again."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.cli.conftest import PASSWORD, Run
from tests.cli.db.database_files import asked
from tests.storage.world import World, world

from grantway.access_grant import Action, Allowed, ApiKey
from grantway.accounts.account import Kind
from grantway.app import utc_now
from grantway.clients.use_cases import NewClient
from grantway.storage.sqlite import FILE_NAME
from grantway.tokens.token_request import Granted, Refused


def test_revocations_since_the_copy_are_kept(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)

    async def withdraw() -> None:
        async with world(data) as there:
            user = await there.house.accounts.by_email(Kind.USER, "uma@example.org")
            for client in await there.house.clients.of(None):
                await there.house.given_access.withdraw(user, client.client_id, utc_now())

    asyncio.run(withdraw())
    revoked = asked(data / FILE_NAME, "SELECT * FROM revoked_tails ORDER BY 1")
    ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert f"Revocations since the backup are kept: {len(revoked) - 1}." in ended.out
    assert len(revoked) > 1
    assert asked(data / FILE_NAME, "SELECT * FROM revoked_tails ORDER BY 1") == revoked

    async def held() -> list[bool]:
        async with world(data) as there:
            user = await there.house.accounts.by_email(Kind.USER, "uma@example.org")
            return [one.is_active for one in await there.house.given_access.access_of(user, utc_now())]

    # and those who took it back are not told that it works
    assert set(asyncio.run(held())) == {False}


def test_what_was_given_since_the_copy_has_ended(run: Run, data: Path, tmp_path: Path) -> None:
    """Nobody could see it, and whoever takes everything back from the app would be told that all of it is dead."""

    async def story(*stories: Callable[[World], Awaitable[Any]]) -> list[Any]:
        async with world(data) as there:
            there.now = utc_now()
            return [await one(there) for one in stories]

    async def allows(there: World, key: ApiKey) -> bool:
        return isinstance(await there.grantway.satellite.check(key, Action.LIST, b"a", b"", there.now), Allowed)

    async def given(there: World, code: str | None = None) -> ApiKey:
        outcome = await there.exchange(new, code or await there.code(user, new, ["list"]))
        assert isinstance(outcome, Granted)
        return outcome.api_key

    user, new = asyncio.run(story(lambda there: there.account(), lambda there: there.app()))
    kept, waiting = asyncio.run(story(given, lambda there: there.code(user, new, ["list"])))
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    since = asyncio.run(story(given, lambda there: given(there, waiting)))
    ended = run("db", "restore", tmp_path / "copy.db", "--data", data)
    assert "What was given since the backup has ended, for nobody could see it here or take it back: 2." in ended.out
    living = asyncio.run(story(*(partial(allows, key=key) for key in (kept, *since))))
    assert living == [True, False, False]
    assert run("db", "check", "--data", data).code == 0


def test_a_code_that_was_used_since_the_copy_is_not_good_again(run: Run, data: Path, tmp_path: Path) -> None:
    async def issue() -> tuple[NewClient, str]:
        async with world(data) as there:
            there.now = utc_now()
            new = await there.app()
            return new, await there.code(await there.account(), new, ["read"])

    async def exchange(new: NewClient, code: str) -> Granted | Refused:
        async with world(data) as there:
            there.now = utc_now()
            return await there.exchange(new, code)

    new, code = asyncio.run(issue())
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert isinstance(asyncio.run(exchange(new, code)), Granted)
    assert run("db", "restore", tmp_path / "copy.db", "--data", data).code == 0
    again = asyncio.run(exchange(new, code))
    assert isinstance(again, Refused)
    assert again.error.code == "code_expired"
    assert run("db", "check", "--data", data).code == 0


def test_nobody_is_signed_in_after_a_restore(run: Run, data: Path, tmp_path: Path) -> None:
    """Whoever had stolen a session that was ended since the copy does not get it back."""

    async def sign_in() -> str:
        async with world(data) as there:
            await there.house.accounts.register(Kind.USER, "Una", "una@example.org", PASSWORD, utc_now())
            token: str = (await there.house.accounts.sign_in(Kind.USER, "una@example.org", PASSWORD, utc_now())).token
            return token

    async def is_signed_in(token: str) -> bool:
        async with world(data) as there:
            return await there.house.accounts.session(Kind.USER, token, utc_now()) is not None

    token = asyncio.run(sign_in())
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert asyncio.run(is_signed_in(token))
    assert run("db", "restore", tmp_path / "copy.db", "--data", data).code == 0
    assert not asyncio.run(is_signed_in(token))
