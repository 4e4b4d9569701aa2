"""What comes at once, or between judging and storing: redirect URIs, bounds and revocations hold."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.storage.stand_ins import Between
from tests.storage.world import NOW, REDIRECT_URI, SCOPES, World, faults, refused, told, told_by_two

from grantway import secret_token
from grantway.accounts import use_cases as accounts_use_cases
from grantway.accounts.account import Account, Kind
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.authorization.use_cases import Decided
from grantway.clients import use_cases as clients_use_cases
from grantway.clients.draft import ClientDraft
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError
from grantway.storage.statements import USUAL_CHAIN


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
