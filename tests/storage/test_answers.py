"""A request is answered once: one of two answers counts, also when they come from two processes at once."""

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import NOW, SCOPES, World, told, world

from grantway import secret_token
from grantway.authorization.consent import Decision
from grantway.authorization.request import AnswerOutcome
from grantway.oauth_error import RefusedError


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
