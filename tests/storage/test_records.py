"""What storage promises the rooms, over a real database: claims and their outcomes, taking back, tidying, and the wrong master key."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engines import IS_POSTGRES
from tests.storage.world import NOW, SCOPES, World, world

from grantway import secret_token
from grantway.access_grant import AccessGrant, Action, Allowed, Denied
from grantway.accounts.account import Account, Kind
from grantway.accounts.session import Opening, OpenSession
from grantway.app import opened
from grantway.authorization.consent import Decision
from grantway.authorization.request import AnswerOutcome
from grantway.clients.use_cases import NewClient
from grantway.config import Config
from grantway.oauth_error import RefusedError
from grantway.sealing import MasterKeyError
from grantway.storage import client_access, consents, housekeeping
from grantway.storage.database import Database
from grantway.storage.exposures import Exposures
from grantway.storage.memory import Memory
from grantway.storage.statements import Rows, Value, to_micros
from grantway.storage.tokens import Tokens
from grantway.tokens.claim import ClaimOutcome
from grantway.tokens.token_request import Granted, Refused, TokenRequest

Story = Callable[[World], Awaitable[None]]


def told(story: Story, data: Path) -> None:
    async def tell() -> None:
        async with world(data) as there:
            await story(there)

    asyncio.run(tell())


class Asked:
    """Counts what a database is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = 0

    async def look_up(self, sql: str, *values: Value) -> Rows:
        self.times += 1
        return await self._database.look_up(sql, *values)


def test_an_unknown_client_is_asked_for_as_often_as_a_known_one(tmp_path: Path) -> None:
    """Far away from the database a second question can be measured from outside."""

    async def story(there: World) -> None:
        for client_id, is_known in (((await there.app()).client.client_id, True), ("nobody's", False), ("", False)):
            asked = Asked(there.grantway.database)
            found = await Tokens(cast("Database", asked), Memory()).known_client(client_id, b"assertion")
            assert (found.client is not None, asked.times) == (is_known, 1)

    told(story, tmp_path)


async def counts(there: World, code: str) -> dict[str, int]:
    digest = secret_token.digest(code)
    grants = await there.rows("SELECT grant_tail_digest FROM codes WHERE digest = ? AND grant_tail_digest IS NOT NULL", digest)
    revoked = [await there.rows("SELECT 1 FROM revoked_tails WHERE tail_digest = ?", row[0]) for row in grants]
    return {"grants": len(grants), "revoked": sum(map(len, revoked))}


def test_claimed(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        code = await there.code(await there.account(), await there.app())
        claim = await there.claim_of(code)
        assert await there.tokens.claim(claim) is ClaimOutcome.CLAIMED
        found = await there.tokens.code(claim.code_digest)
        assert found is not None
        assert (found.used_at, found.used_by) == (NOW, b"assertion")
        assert (await there.tokens.known_client("x", b"assertion")).consumed_by == claim.code_digest
        assert await counts(there, code) == {"grants": 1, "revoked": 0}

    told(story, tmp_path)


def test_claimed_again_with_the_same_assertion(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        code = await there.code(await there.account(), await there.app())
        await there.tokens.claim(await there.claim_of(code))
        assert await there.tokens.claim(await there.claim_of(code)) is ClaimOutcome.USED_BY_THIS_ASSERTION
        assert await counts(there, code) == {"grants": 1, "revoked": 0}

    told(story, tmp_path)


def test_claimed_again_with_another_assertion_revokes(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        code = await there.code(await there.account(), await there.app())
        await there.tokens.claim(await there.claim_of(code))
        assert await there.tokens.claim(await there.claim_of(code, b"other")) is ClaimOutcome.USED_BY_ANOTHER
        assert await counts(there, code) == {"grants": 1, "revoked": 1}
        assert (await there.tokens.known_client("x", b"other")).consumed_by is None
        assert await there.tokens.claim(await there.claim_of(code, b"other")) is ClaimOutcome.USED_BY_ANOTHER

    told(story, tmp_path)


def test_an_assertion_that_stood_in_a_url_claims_nothing(tmp_path: Path) -> None:
    """Also when it was exposed after the judge had looked: the claim's own transaction sees it."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code = await there.code(user, new)
        exposures = Exposures(there.grantway.database)
        for _ in range(2):
            await exposures.expose(b"assertion", there.now)
        assert await there.tokens.claim(await there.claim_of(code)) is ClaimOutcome.ASSERTION_USED_ELSEWHERE
        assert (await there.tokens.known_client(new.client.client_id, b"assertion")).consumed_by == b"assertion"
        assert (await there.tokens.known_client(new.client.client_id, b"fresh")).consumed_by is None
        assert await there.tokens.claim(await there.claim_of(code, b"fresh")) is ClaimOutcome.CLAIMED

    told(story, tmp_path)


def test_an_assertion_is_good_for_one_code_and_the_other_code_stays_good(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        first, second = await there.code(user, new), await there.code(user, new)
        await there.tokens.claim(await there.claim_of(first))
        assert await there.tokens.claim(await there.claim_of(second)) is ClaimOutcome.ASSERTION_USED_ELSEWHERE
        assert await counts(there, second) == {"grants": 0, "revoked": 0}
        assert await there.tokens.claim(await there.claim_of(second, b"fresh")) is ClaimOutcome.CLAIMED

    told(story, tmp_path)


def test_the_client_was_disabled_in_between(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        code = await there.code(await there.account(), new)
        claim = await there.claim_of(code)
        await there.house.clients.set_active(new.client, False, NOW)
        assert await there.tokens.claim(claim) is ClaimOutcome.CLIENT_ENDED
        assert (await counts(there, code))["grants"] == 0
        await there.house.clients.set_active(new.client, True, NOW)
        assert await there.tokens.claim(claim) is ClaimOutcome.CLAIMED

    told(story, tmp_path)


def test_the_client_was_deleted_in_between(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        claim = await there.claim_of(await there.code(await there.account(), new))
        await there.house.clients.delete(new.client, NOW)
        assert await there.tokens.claim(claim) is ClaimOutcome.CLIENT_ENDED

    told(story, tmp_path)


def test_the_secret_ended_in_between(tmp_path: Path) -> None:
    """Its version is looked at by the claim; a claim that needed no secret does not ask for one."""

    async def story(there: World) -> None:
        new = await there.app()
        claim = await there.claim_of(await there.code(await there.account(), new))
        await there.house.clients.regenerate_secret(new.client, timedelta(), NOW)
        assert await there.tokens.claim(claim) is ClaimOutcome.SECRET_ENDED
        assert await there.tokens.claim(replace(claim, secret_version=3)) is ClaimOutcome.SECRET_ENDED
        assert await there.tokens.claim(replace(claim, secret_version=0)) is ClaimOutcome.CLAIMED

    told(story, tmp_path)


def test_the_project_was_deleted_in_between(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user = await there.account()
        claim = await there.claim_of(await there.code(user, await there.app()))
        await there.house.projects.delete(user, (await there.house.projects.of(user))[0].id)
        assert await there.tokens.claim(claim) is ClaimOutcome.PROJECT_GONE

    told(story, tmp_path)


def test_the_consent_was_withdrawn_in_between(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        claim = await there.claim_of(await there.code(user, new))
        await there.house.given_access.withdraw(user, new.client.client_id, NOW)
        assert await there.tokens.claim(claim) is ClaimOutcome.CONSENT_ENDED

    told(story, tmp_path)


def test_a_code_that_is_not_there(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        claim = await there.claim_of(await there.code(await there.account(), await there.app()))
        assert await there.tokens.claim(replace(claim, code_digest=b"x" * 32)) is ClaimOutcome.CONSENT_ENDED

    told(story, tmp_path)


def test_many_claims_of_one_code_in_one_batch(tmp_path: Path) -> None:
    """One alone is first; each result goes to the request that it belongs to; a failing one does not fail its batch."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code, other, broken = [await there.code(user, new) for _ in range(3)]
        claims = [await there.claim_of(code, b"retry") for _ in range(5)]
        claims += [await there.claim_of(code, f"thief {n}".encode()) for n in range(5)]
        refused = replace(await there.claim_of(broken, b"third"), caveat=object())  # type: ignore[arg-type]
        claims += [await there.claim_of(other, b"its own"), refused]
        results = await asyncio.gather(*(there.tokens.claim(claim) for claim in claims), return_exceptions=True)
        assert results[0] is ClaimOutcome.CLAIMED
        assert results[1:5] == [ClaimOutcome.USED_BY_THIS_ASSERTION] * 4
        assert results[5:10] == [ClaimOutcome.USED_BY_ANOTHER] * 5
        assert results[10] is ClaimOutcome.CLAIMED
        assert isinstance(results[11], Exception)  # SQLite knows no such value
        assert await counts(there, code) == {"grants": 1, "revoked": 1}
        assert await counts(there, other) == {"grants": 1, "revoked": 0}
        assert await counts(there, broken) == {"grants": 0, "revoked": 0}
        assert await there.tokens.claim(await there.claim_of(broken, b"third")) is ClaimOutcome.CLAIMED

    told(story, tmp_path)


def test_one_request_is_answered_once(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        code = await there.code(user, new)
        found = await there.tokens.code(secret_token.digest(code))
        assert found is not None
        storage = there.house.authorization.requests
        again = replace(found, digest=secrets.token_bytes(32))
        assert await storage.record_approval(replace(found.consent, id="second"), again) is AnswerOutcome.NOT_PENDING
        assert await storage.record_rejection(found.consent.request_id, NOW) is AnswerOutcome.NOT_PENDING
        assert await there.rows("SELECT count(*) FROM consents") == [(1,)]

    told(story, tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_on_postgresql_remember_no_codes(tmp_path: Path, workers: int) -> None:
    async def tell() -> None:
        async with world(tmp_path, workers=workers) as there:
            code = await there.code(await there.account(), await there.app())
            remembered = there.house.tokens.memory.code(secret_token.digest(code))
            assert (remembered is not None) == (workers == 1 or not IS_POSTGRES)

    asyncio.run(tell())


@pytest.mark.parametrize("other", ["approve", "reject", "withdraw"])
def test_answers_from_two_processes_at_once(tmp_path: Path, other: str) -> None:
    """One of two answers counts, and what is taken back at the moment when it is given is not left."""

    async def story(here: World, elsewhere: World) -> None:
        user, new = await here.account(), await here.app()
        given = Decision(request_id="", approved=SCOPES, rejected=())
        for _ in range(15):
            asked = await asyncio.gather(*(here.asked(user, new) for _ in range(4)))
            decisions = [replace(given, request_id=request_id) for request_id in asked]
            answers = [here.house.authorization.decide(user, one, NOW) for one in decisions]
            if other == "withdraw":
                answers.append(elsewhere.house.given_access.withdraw(user, new.client.client_id, NOW))
            else:
                refusing: dict[str, Any] = {"approve": False, "approved": (), "rejected": SCOPES} if other == "reject" else {}
                answers += [elsewhere.house.authorization.decide(user, replace(one, **refusing), NOW) for one in decisions]
            results = await asyncio.gather(*answers, return_exceptions=True)
            assert all(not isinstance(one, BaseException) or isinstance(one, RefusedError) for one in results), results
            if other != "withdraw":
                assert sum(not isinstance(one, BaseException) for one in results) == len(asked)
        consents = await here.rows("SELECT request_id, withdrawn_at FROM consents")
        approved = await here.rows("SELECT id FROM requests WHERE status = 'approved'")
        assert sorted(request_id for request_id, _ in consents) == sorted(request_id for (request_id,) in approved)
        if other == "withdraw":  # whichever was first, nothing of it stands
            assert all(withdrawn is not None for _, withdrawn in consents)

    async def tell() -> None:
        async with world(tmp_path) as here, world(tmp_path) as elsewhere:
            await story(here, elsewhere)

    asyncio.run(tell())


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


def test_tidying_removes_only_what_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 3)

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        used = await there.code(user, new, lifetime=timedelta(days=2))
        await there.tokens.claim(await there.claim_of(used))
        for _ in range(8):
            await there.code(user, new)
        people = there.house.accounts.sessions
        for digest, hours in ((b"short", 1), (b"long", 7 * 24)):
            made = OpenSession(digest=digest, created_at=NOW, expires_at=NOW + timedelta(hours=hours), opened=Opening())
            await people.add_session(user, made)

        async def left() -> tuple[int, int]:
            codes, sessions = [(await there.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in ("codes", "sessions")]
            return codes, sessions

        await there.grantway.tidy(NOW)
        assert await left() == (9, 2)
        await there.grantway.tidy(NOW + timedelta(hours=23))
        assert await left() == (9, 1)
        await there.grantway.tidy(NOW + timedelta(hours=27))
        assert await left() == (1, 1)
        there.now = NOW + timedelta(days=1)
        outcome = await there.exchange(new, used)
        assert isinstance(outcome, Refused)
        assert outcome.error.code == "code_already_used"  # reuse is still recognised
        await there.grantway.tidy(NOW + timedelta(days=3))
        assert await left() == (0, 1)

    told(story, tmp_path)


def test_the_wrong_master_key_is_told_at_start(tmp_path: Path) -> None:
    async def start(**settings: str) -> None:
        async with opened(Config(data=tmp_path, port=0, **settings)):  # type: ignore[arg-type]
            pass

    asyncio.run(start(master_key="ab" * 32))
    asyncio.run(start(master_key="ab" * 32))
    with pytest.raises(MasterKeyError, match="not the one") as refusal:
        asyncio.run(start(master_key="cd" * 32))
    assert "cdcd" not in str(refusal.value)
    with pytest.raises(MasterKeyError, match="missing"):
        asyncio.run(start())
    asyncio.run(start(master_key="ab" * 32))


def test_a_second_server_on_the_same_folder(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as one, world(tmp_path) as other:
            assert one.grantway.satellite.address == other.grantway.satellite.address
            user = await one.account(email="u@example.org")
            assert (await other.house.accounts.by_email(Kind.USER, "u@example.org")).id == user.id

    asyncio.run(story())
