"""What a process remembers is never too many, never too long, and forgotten when it ends."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import NOW, REDIRECT_URI, World
from tests.tokens.remembered import Case, case_of, told

from grantway.authorization.code import LIFETIME, AuthorizationCode
from grantway.clients.draft import ClientDraft
from grantway.clients.secret import ClientSecret
from grantway.storage import memory
from grantway.storage.memory import Memory
from grantway.tokens.token_request import Granted, KnownClient


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
