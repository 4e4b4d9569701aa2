"""The exchange over a real database: what is used up, what is not, and what a leak revokes."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import SCOPES, World, world

from grantway.access_grant import AccessGrant, Action, Allowed, Denied
from grantway.authorization.consent import Decision
from grantway.oauth_error import UnavailableError
from grantway.tokens.token_request import Granted, Refused, TokenRequest


def told(story: Callable[[World], Awaitable[None]], data: Path, **settings: Any) -> None:
    async def tell() -> None:
        async with world(data, **settings) as there:
            await story(there)

    asyncio.run(tell())


def error(outcome: Granted | Refused) -> str:
    assert isinstance(outcome, Refused)
    return outcome.error.code


async def may_list(there: World, outcome: Granted) -> Allowed | Denied:
    grant = AccessGrant.parse(outcome.access_grant or "")
    path = grant.encryption_access.encrypt_prefix(b"photos", b"2024")
    return await there.grantway.satellite.check(grant.api_key, Action.LIST, b"photos", path, there.now)


def test_granted(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        outcome = await there.exchange(new, await there.code(await there.account(), new, lifetime=timedelta(hours=1)))
        assert isinstance(outcome, Granted)
        assert outcome.scopes == tuple(SCOPES)
        assert outcome.expires_in == 3600
        assert outcome.warnings == ("empty_passphrase",)
        assert isinstance(await may_list(there, outcome), Allowed)
        assert (outcome.access_grant or "") not in repr(outcome)

    told(story, tmp_path)


def test_another_passphrase_gives_other_keys_and_no_warning(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        grants = []
        for passphrase in ("", "one", "one"):
            outcome = await there.exchange(new, await there.code(user, new), passphrase=passphrase)
            assert isinstance(outcome, Granted)
            assert outcome.warnings == (() if passphrase else ("empty_passphrase",))
            grants.append(AccessGrant.parse(outcome.access_grant or ""))
        empty, one, again = (grant.encryption_access.encrypt_prefix(b"photos", b"2024/x") for grant in grants)
        assert empty != one == again
        assert len({grant.api_key.tail for grant in grants}) == 3

    told(story, tmp_path)


def test_a_refusal_uses_nothing_up(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new, other = await there.app(), await there.app()
        code, jwt = await there.code(await there.account(), new), there.jwt(new)
        assert error(await there.exchange(new, code, jwt, redirect_uri="https://app.example/other")) == "invalid_redirect_uri"
        assert error(await there.exchange(new, code, jwt, code_verifier="v" * 43)) == "invalid_code"
        assert error(await there.exchange(new, code + "x", jwt)) == "invalid_code"
        assert error(await there.exchange(new, code, there.jwt(new, "wrong" * 9))) == "invalid_client"
        assert error(await there.exchange(other, code)) == "invalid_code"
        assert isinstance(await there.exchange(new, code, jwt), Granted)

    told(story, tmp_path)


def test_a_retry_revokes_nothing_and_a_leak_all(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code, jwt = await there.code(user, new), there.jwt(new)
        outcome = await there.exchange(new, code, jwt)
        assert isinstance(outcome, Granted)
        assert error(await there.exchange(new, code, jwt)) == "code_already_used"
        assert isinstance(await may_list(there, outcome), Allowed)
        assert error(await there.exchange(new, await there.code(user, new), jwt)) == "invalid_client"
        assert isinstance(await may_list(there, outcome), Allowed)
        assert error(await there.exchange(new, code)) == "code_already_used"
        denied = await may_list(there, outcome)
        assert isinstance(denied, Denied)
        assert denied.reason == "revoked"

    told(story, tmp_path)


def test_another_client_cannot_revoke(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new, other = await there.app(), await there.app()
        code = await there.code(await there.account(), new)
        outcome = await there.exchange(new, code)
        assert isinstance(outcome, Granted)
        assert error(await there.exchange(other, code)) == "invalid_code"
        assert error(await there.exchange(new, code, there.jwt(new, "wrong" * 9))) == "invalid_client"
        assert isinstance(await may_list(there, outcome), Allowed)

    told(story, tmp_path)


def test_many_at_once_with_one_code(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        code = await there.code(await there.account(), new)
        outcomes = await asyncio.gather(*(there.exchange(new, code) for _ in range(8)))
        won = [outcome for outcome in outcomes if isinstance(outcome, Granted)]
        assert len(won) == 1
        assert {error(outcome) for outcome in outcomes if isinstance(outcome, Refused)} == {"code_already_used"}
        denied = await may_list(there, won[0])
        assert isinstance(denied, Denied)
        assert denied.reason == "revoked"

    told(story, tmp_path)


def test_one_jwt_for_many_codes_at_once(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        jwt = there.jwt(new)
        codes = [await there.code(user, new) for _ in range(4)]
        outcomes = await asyncio.gather(*(there.exchange(new, code, jwt) for code in codes))
        assert sum(isinstance(outcome, Granted) for outcome in outcomes) == 1
        assert {error(outcome) for outcome in outcomes if isinstance(outcome, Refused)} == {"invalid_client"}
        again = await asyncio.gather(*(there.exchange(new, code) for code in codes))
        assert sum(isinstance(outcome, Granted) for outcome in again) == 3

    told(story, tmp_path)


def test_unknown_clients_and_wrong_keys_get_the_same_answer(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        jwt = there.jwt(new, "wrong" * 9)
        known = await there.exchange(new, "code", jwt)
        unknown = await there.exchange(new, "code", jwt, client_id="nobody")
        assert isinstance(known, Refused)
        assert isinstance(unknown, Refused)
        assert known.error is unknown.error
        assert (known.trail.first_failed, unknown.trail.first_failed) == ("signature_valid", "client_known")

    told(story, tmp_path)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "\ud800.a.b"])
def test_garbage_for_a_jwt(tmp_path: Path, text: str) -> None:
    async def story(there: World) -> None:
        assert error(await there.exchange(await there.app(), "code", text or "-")) == "invalid_client"

    told(story, tmp_path)


def test_project_deleted_after_consent(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code = await there.code(user, new)
        await there.house.projects.delete(user, (await there.house.projects.of(user))[0].id)
        assert error(await there.exchange(new, code)) == "no_project"

    told(story, tmp_path)


def test_no_permission_approved(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        decision = Decision(request_id=await there.asked(user, new), approved=["bucket:photos;2024"], rejected=["read", "list"])
        decided = await there.house.authorization.decide(user, decision, there.now)
        assert error(await there.exchange(new, decided.code)) == "invalid_scope"

    told(story, tmp_path)


def test_no_room_for_argon2_uses_nothing_up(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        asked = [(await there.code(user, new), there.jwt(new)) for _ in range(4)]
        held, free = threading.Event(), threading.Event()

        def work() -> None:
            held.set()
            free.wait(60)

        busy = asyncio.ensure_future(there.grantway.argon2(work))
        assert await asyncio.to_thread(held.wait, 60)
        outcomes = await asyncio.gather(*(there.exchange(new, *one, passphrase="x") for one in asked), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [UnavailableError] * 4
        free.set()
        await busy
        for one in asked:
            assert isinstance(await there.exchange(new, *one, passphrase="x"), Granted)

    told(story, tmp_path, argon2_at_once=1, argon2_waiting=0)


def test_requests_show_no_secret() -> None:
    request = TokenRequest(
        client_id="app", client_secret="a.b.c", redirect_uri="x", code="gwc_x", passphrase="hunter2", code_verifier="v" * 43
    )
    for secret in ("a.b.c", "gwc_x", "hunter2", "v" * 43):
        assert secret not in repr(request)
