"""What a process remembers is out of date once another has changed it: the answer is that of a process that remembers nothing."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import NOW, World
from tests.tokens.remembered import Case, case_of, told

from grantway import secret_token
from grantway.access_grant import AccessGrant, Action, Allowed
from grantway.clients import assertion
from grantway.oauth_error import UnavailableError
from grantway.storage.exposures import Exposures
from grantway.tokens.root_keys import RootKeys
from grantway.tokens.token_request import Granted, Refused


async def nothing(case: Case) -> None:
    pass


async def disabled(case: Case) -> None:
    await case.elsewhere.house.clients.set_active(case.new.client, False, NOW)


async def disabled_for_a_while(case: Case) -> None:
    await disabled(case)
    await case.elsewhere.house.clients.set_active(case.new.client, True, NOW)


async def deleted(case: Case) -> None:
    await case.elsewhere.house.clients.delete(case.new.client, NOW)


async def developer_deleted(case: Case) -> None:
    await case.elsewhere.house.accounts.delete(case.developer, NOW)


async def new_secret(case: Case) -> None:
    await case.elsewhere.house.clients.regenerate_secret(case.new.client, timedelta(), NOW)


async def new_secret_with_an_overlap(case: Case) -> None:
    await case.elsewhere.house.clients.regenerate_secret(case.new.client, timedelta(hours=1), NOW)


async def signed_with_a_new_secret(case: Case) -> None:
    renewed = await case.elsewhere.house.clients.regenerate_secret(case.new.client, timedelta(), NOW)
    case.jwt = case.here.jwt(renewed)


async def withdrawn(case: Case) -> None:
    await case.elsewhere.house.given_access.withdraw(case.user, case.new.client.client_id, NOW)


async def user_deleted(case: Case) -> None:
    await case.elsewhere.house.accounts.delete(case.user, NOW)


async def project_deleted(case: Case) -> None:
    await case.elsewhere.house.projects.delete(case.user, (await case.elsewhere.house.projects.of(case.user))[0].id)


async def collected(case: Case) -> None:
    assert isinstance(await case.elsewhere.exchange(case.new, case.code), Granted)


async def collected_with_this_jwt(case: Case) -> None:
    assert isinstance(await case.elsewhere.exchange(case.new, case.code, case.jwt), Granted)


async def jwt_used_for_another_code(case: Case) -> None:
    other = await case.elsewhere.code(case.user, case.new)
    assert isinstance(await case.elsewhere.exchange(case.new, other, case.jwt), Granted)


async def jwt_stood_in_a_url(case: Case) -> None:
    await Exposures(case.elsewhere.grantway.database).expose(assertion.read(case.jwt).digest, NOW)


GRANTED = ("", None)
CHANGES: dict[str, tuple[Callable[[Case], Awaitable[None]], tuple[str, str | None]]] = {
    "nothing": (nothing, GRANTED),
    "client disabled": (disabled, ("invalid_client", "client_active")),
    "client disabled for a while": (disabled_for_a_while, GRANTED),
    "client deleted": (deleted, ("invalid_client", "client_known")),
    "developer deleted": (developer_deleted, ("invalid_client", "client_known")),
    "new secret": (new_secret, ("invalid_client", "signature_valid")),
    "new secret with an overlap": (new_secret_with_an_overlap, GRANTED),
    "signed with a new secret": (signed_with_a_new_secret, GRANTED),
    "consent withdrawn": (withdrawn, ("invalid_code", "consent_alive")),
    "user deleted": (user_deleted, ("invalid_code", "consent_alive")),
    "project deleted": (project_deleted, ("no_project", "project_there")),
    "collected with another JWT": (collected, ("code_already_used", "code_unused")),
    "collected with this JWT": (collected_with_this_jwt, ("code_already_used", "code_unused")),
    "JWT used for another code": (jwt_used_for_another_code, ("invalid_client", "not_replayed")),
    "JWT stood in a URL": (jwt_stood_in_a_url, ("invalid_client", "not_replayed")),
}


@pytest.mark.parametrize("remembers", [True, False], ids=["remembers", "forgets"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_another_process_changed_counts(tmp_path: Path, name: str, remembers: bool) -> None:
    change, expected = CHANGES[name]

    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        await change(case)
        if not remembers:
            here.house.tokens.memory._clients.clear()
            here.house.tokens.memory._codes.clear()
        outcome = await here.exchange(case.new, case.code, case.jwt)
        got = (outcome.error.code, outcome.trail.first_failed) if isinstance(outcome, Refused) else GRANTED
        assert got == expected
        if remembers and expected == GRANTED:
            assert here.house.tokens.memory.code(secret_token.digest(case.code)) is None  # it is used

    told(story, tmp_path)


@pytest.mark.parametrize(
    ("with_this_jwt", "change", "is_alive"),
    [
        (False, nothing, False),
        (True, nothing, True),
        # what comes now isn't the client's any more: it tells of no leak
        (False, disabled, True),
        (False, new_secret, True),
        (False, new_secret_with_an_overlap, False),
        (False, jwt_used_for_another_code, True),
        (False, jwt_stood_in_a_url, True),
    ],
)
def test_a_remembered_code_that_leaked_is_revoked_as_a_forgotten_one_is(
    tmp_path: Path, with_this_jwt: bool, change: Callable[[Case], Awaitable[None]], is_alive: bool
) -> None:
    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        granted = await elsewhere.exchange(case.new, case.code, case.jwt if with_this_jwt else None)
        assert isinstance(granted, Granted)
        await change(case)
        assert isinstance(await here.exchange(case.new, case.code, case.jwt), Refused)
        grant = AccessGrant.parse(granted.access_grant or "")
        path = grant.encryption_access.encrypt_prefix(b"photos", b"2024")
        verdict = await here.grantway.satellite.check(grant.api_key, Action.LIST, b"photos", path, NOW)
        assert isinstance(verdict, Allowed) is is_alive

    told(story, tmp_path)


def test_a_granted_exchange_asks_nothing_but_the_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        asked: list[str] = []

        async def look_up(sql: str, *_values: Any) -> Any:
            asked.append(sql)
            raise UnavailableError("nothing is looked up")

        monkeypatch.setattr(here.grantway.database, "look_up", look_up)
        assert isinstance(await here.exchange(case.new, case.code, case.jwt), Granted)
        assert not asked
        with pytest.raises(UnavailableError):  # what is refused is refused by what storage says
            await here.exchange(case.new, case.code, case.jwt)

    told(story, tmp_path)


@pytest.mark.parametrize("change", [new_secret, disabled, withdrawn, collected, jwt_used_for_another_code, jwt_stood_in_a_url])
def test_a_refusal_derives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Case], Awaitable[None]]) -> None:
    """It would tell by its time that the code is a living one, and one code would do for a derivation as often as it is sent."""
    derived: list[str] = []

    async def derive(_: RootKeys, passphrase: str, _salt: bytes) -> bytes:
        derived.append(passphrase)
        return bytes(32)

    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        await change(case)
        monkeypatch.setattr(RootKeys, "derive", derive)
        assert isinstance(await here.exchange(case.new, case.code, case.jwt, passphrase="words"), Refused)
        assert not derived

    told(story, tmp_path)


def test_a_secret_that_opens_no_more_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The master key was rotated: what is remembered lies under one that is gone."""

    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        remembered = here.house.tokens.memory.client(case.new.client.client_id).secrets
        secrets_of = here.house.tokens.clients.secrets.of

        def of(claimed: str, row_id: str, secrets: Any, now: Any) -> Any:
            if secrets is remembered:
                raise UnavailableError("sealed under another key")
            return secrets_of(claimed, row_id, secrets, now)

        monkeypatch.setattr(here.house.tokens.clients.secrets, "of", of)
        assert isinstance(await here.exchange(case.new, case.code, case.jwt), Granted)

    told(story, tmp_path)
