"""An app that gives back again and again costs no more for it, and hides nothing that stands."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.storage.world import NOW, SCOPES, World, told

from grantway.accounts.account import Account
from grantway.clients.use_cases import NewClient
from grantway.storage import client_access, consents
from grantway.storage.statements import to_micros
from grantway.tokens.token_request import Granted, TokenRequest


async def given_back(there: World, user: Account, new: NewClient) -> None:
    """Asked, allowed, collected and revoked by the app."""
    outcome = await there.exchange(new, await there.code(user, new))
    assert isinstance(outcome, Granted)
    key = outcome.api_key.serialise()
    request = TokenRequest(client_id=new.client.client_id, client_secret=there.jwt(new), redirect_uri=None, code=key)
    assert await there.house.tokens.revoke(request, there.now) is None


def test_an_app_that_gives_back_in_a_loop_costs_no_more_and_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at has a bound; of what is shown, what is alive comes first: nobody is told that an app has no access which it has."""
    monkeypatch.setattr(consents, "LOOKED_AT", 3)
    monkeypatch.setattr(client_access, "SHOWN_OF_A_CLIENT", 3)

    async def story(there: World) -> None:
        user, new, other = await there.account(), await there.app(), await there.app()
        storage = there.house.authorization.consents

        async def held() -> list[tuple[str, ...]]:
            return await storage.live_scopes(user.id, new.client.row_id, there.now)  # type: ignore[no-any-return]

        first = await there.exchange(new, await there.code(user, new))
        assert isinstance(first, Granted)
        assert isinstance(await there.exchange(other, await there.code(user, other)), Granted)
        for expected in (1, 1, 0):
            there.now += timedelta(seconds=40)
            await given_back(there, user, new)
            assert len(await held()) == expected
        shown = {one.client.client_id: one for one in await there.house.given_access.storage.access_of(user.id, there.now)}
        assert shown[other.client.client_id].is_active
        mine = shown[new.client.client_id]
        assert (mine.is_active, mine.grants, mine.granted_at) == (True, 3, NOW)
        # of those that were withdrawn none takes the place of one that stands either
        await there.grantway.database.one("UPDATE consents SET withdrawn_at = 1 WHERE created_at > ? RETURNING id", to_micros(NOW))
        shown = {one.client.client_id: one for one in await there.house.given_access.storage.access_of(user.id, there.now)}
        mine = shown[new.client.client_id]
        assert (mine.is_active, mine.grants) == (True, 3)

    told(story, tmp_path)


def test_what_is_kept_is_seen_behind_a_hundred_that_were_given_back(tmp_path: Path) -> None:
    """An app that asks, and gives back, day by day is not told that what it has held since spring must be asked for again."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        assert isinstance(await there.exchange(new, await there.code(user, new)), Granted)
        there.now += timedelta(seconds=40)
        for _ in range(12):
            await asyncio.gather(*(given_back(there, user, new) for _ in range(12)))
        assert await there.house.authorization.consents.live_scopes(user.id, new.client.row_id, there.now) == [tuple(SCOPES)]

    told(story, tmp_path)
