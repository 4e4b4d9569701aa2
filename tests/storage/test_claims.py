"""A code is claimed once: by whom, with which assertion, and what ended between the judge's look and the claim."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from tests.engines import IS_POSTGRES
from tests.storage.world import NOW, World, told, world

from grantway import secret_token
from grantway.storage.database import Database
from grantway.storage.exposures import Exposures
from grantway.storage.memory import Memory
from grantway.storage.statements import Rows, Value
from grantway.storage.tokens import Tokens
from grantway.tokens.claim import ClaimOutcome


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


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_on_postgresql_remember_no_codes(tmp_path: Path, workers: int) -> None:
    async def tell() -> None:
        async with world(tmp_path, workers=workers) as there:
            code = await there.code(await there.account(), await there.app())
            remembered = there.house.tokens.memory.code(secret_token.digest(code))
            assert (remembered is not None) == (workers == 1 or not IS_POSTGRES)

    asyncio.run(tell())
