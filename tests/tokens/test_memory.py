"""What a process remembers is out of date once another has changed it: the answer is that of a process that remembers nothing."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import NOW, REDIRECT_URI, World, world

from grantway import secret_token
from grantway.access_grant import AccessGrant, Action, Allowed
from grantway.accounts.account import Account, Kind
from grantway.authorization.code import LIFETIME, AuthorizationCode
from grantway.clients import assertion
from grantway.clients.draft import ClientDraft
from grantway.clients.secret import ClientSecret
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import UnavailableError
from grantway.storage import memory
from grantway.storage.exposures import Exposures
from grantway.storage.memory import Memory
from grantway.tokens.root_keys import RootKeys
from grantway.tokens.token_request import Granted, KnownClient, Refused


@dataclasses.dataclass
class Case:
    """An app with a code and a JWT; `here` remembers all of it, `elsewhere` is another process."""

    here: World
    elsewhere: World
    user: Account
    developer: Account
    new: NewClient
    code: str
    jwt: str


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


def told(story: Callable[[World, World], Awaitable[None]], data: Path) -> None:
    async def tell() -> None:
        async with AsyncExitStack() as stack:
            here, elsewhere = [await stack.enter_async_context(world(data)) for _ in range(2)]
            await story(here, elsewhere)

    asyncio.run(tell())


async def case_of(here: World, elsewhere: World) -> Case:
    user, developer = await here.account(), await here.account(Kind.DEVELOPER)
    new = await here.app(developer)
    assert isinstance(await here.exchange(new, await here.code(user, new)), Granted)  # from now on the client is remembered
    return Case(here, elsewhere, user, developer, new, await here.code(user, new), here.jwt(new))


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


def remembered_code(case: Case, number: int, seconds: float) -> AuthorizationCode:
    issued = NOW + timedelta(seconds=seconds)
    stored: AuthorizationCode = case.here.house.tokens.memory.code(next(iter(case.here.house.tokens.memory._codes)))
    return dataclasses.replace(stored, digest=number.to_bytes(32, "big"), issued_at=issued, expires_at=issued + LIFETIME)


def test_codes_are_forgotten_when_they_end_and_are_never_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_CODES", 3)

    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        kept = Memory()
        codes = [remembered_code(case, number, seconds) for number, seconds in enumerate([0, 1, 2, 3, 32.5])]
        for code in codes[:4]:
            kept.keep_code(code)
        assert [kept.code(code.digest) is not None for code in codes] == [False, True, True, True, False]
        kept.keep_code(codes[4])
        assert [kept.code(code.digest) is not None for code in codes] == [False, False, False, True, True]
        kept.forget_code(codes[3].digest)
        kept.forget_code(codes[3].digest)
        assert [kept.code(code.digest) is not None for code in codes] == [False, False, False, False, True]

    told(story, tmp_path)


def known_client(**changes: Any) -> KnownClient:
    draft = ClientDraft(name="Photo Box", redirect_uris=[REDIRECT_URI])
    client = draft.as_client(row_id="row", client_id="one", developer_id="developer", now=NOW)
    return KnownClient(client=dataclasses.replace(client, **changes), secrets=(), consumed_by=b"code")


def test_clients_are_forgotten_when_they_are_gone_and_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_CLIENTS", 2)
    kept, known = Memory(), known_client()
    for name in ("one", "two", "two"):
        kept.keep_client(name, known)
    assert (kept.client("one"), kept.client("two")) == (dataclasses.replace(known, consumed_by=None),) * 2
    kept.keep_client("one", KnownClient(client=None, secrets=(), consumed_by=None))
    assert kept.client("one") is None
    kept.keep_client("three", known)
    kept.keep_client("four", known)
    assert [kept.client(name) is not None for name in ("two", "three", "four")] == [False, True, True]


def test_one_of_several_remembers_no_codes(tmp_path: Path) -> None:
    async def story(here: World, elsewhere: World) -> None:
        code = remembered_code(await case_of(here, elsewhere), 1, 0)
        for kept, is_remembered in ((Memory(), True), (Memory(codes=False), False)):
            kept.keep_code(code)
            kept.keep_client("c", known_client())
            assert kept.client("c") is not None
            assert (kept.code(code.digest) is not None) == is_remembered

    told(story, tmp_path)


def test_what_says_too_much_is_not_remembered(tmp_path: Path) -> None:
    """Their number has a bound, and so has what each of them takes."""
    long = tuple(f"bucket:{number:0100}" for number in range(90))
    clients = {
        "scopes": known_client(scopes=long),
        "URIs": known_client(redirect_uris=long),
        "secrets": dataclasses.replace(known_client(), secrets=(ClientSecret(version=1, sealed=bytes(5000), live_until=None),)),
    }
    kept = Memory()
    for name, known in clients.items():
        kept.keep_client(name, known_client())
        kept.keep_client(name, known)
        assert kept.client(name) is None, name

    async def story(here: World, elsewhere: World) -> None:
        case = await case_of(here, elsewhere)
        code = remembered_code(case, 1, 0)
        consent = dataclasses.replace(code.consent, scopes=long)
        for one in (dataclasses.replace(code, consent=consent), dataclasses.replace(code, sealed_opening=bytes(5000))):
            kept.keep_code(one)
            assert kept.code(one.digest) is None
        new = await here.app(scopes=["read", *long])
        for _ in range(2):  # it is granted all the same
            assert isinstance(await here.exchange(new, await here.code(case.user, new, ["read", *long])), Granted)

    told(story, tmp_path)
