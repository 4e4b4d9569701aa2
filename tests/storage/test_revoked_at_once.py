"""Revocations that come at one moment go to the database together, and each is answered as if it were alone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.storage.world import World, world

from grantway.clients.use_cases import NewClient
from grantway.tokens.token_request import Granted

BY_CLIENT = "SELECT count(*) FROM audit WHERE event = 'grant_revoked_by_client'"


def told(data: Path, story: Callable[[World], Awaitable[None]]) -> None:
    async def tell() -> None:
        async with world(data) as there:
            await story(there)

    asyncio.run(tell())


async def chain(there: World, new: NewClient) -> tuple[bytes, ...]:
    """The tails of an access grant that a client got, by their digests."""
    granted = await there.exchange(new, await there.code(await there.account(), new), passphrase="it")
    assert isinstance(granted, Granted)
    return await there.grantway.satellite.tail_digests(granted.api_key)


def test_many_at_one_moment(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        ours, theirs = await there.app(), await there.app()
        first, second = await chain(there, ours), await chain(there, ours)
        tokens, row_id = there.tokens, ours.client.row_id
        below = (*first, b"a key made from it".ljust(32))
        answers = await asyncio.gather(
            tokens.revoke_below(theirs.client.row_id, first, there.now),
            *(tokens.revoke_below(row_id, one, there.now) for one in (first, first, below, second)),
            tokens.revoke_below(theirs.client.row_id, second, there.now),
            tokens.revoke_below(row_id, (b"no key of ours".ljust(32),) * 3, there.now),
            tokens.revoke_below(row_id, first[:1], there.now),
        )
        assert answers == [False, True, True, True, True, False, False, False]
        revoked = await there.rows("SELECT tail_digest FROM revoked_tails WHERE reason = 'by_client'")
        assert {one for (one,) in revoked} == {first[-1], below[-1], second[-1]}
        assert await there.rows(BY_CLIENT) in ([(3,)], [(4,)])  # the same one twice in one statement is noted twice

    told(tmp_path, story)


def test_again_is_no_refusal(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        ours = await there.app()
        tails = await chain(there, ours)
        for _ in range(2):
            assert await there.tokens.revoke_below(ours.client.row_id, tails, there.now)
        kept = await there.rows("SELECT keep_until FROM revoked_tails")
        assert kept == await there.rows("SELECT not_after FROM consents")

    told(tmp_path, story)
