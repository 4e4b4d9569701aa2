"""An app, a code and a JWT that one process remembers, beside another process that may change them."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.storage.world import World, world

from grantway.accounts.account import Account, Kind
from grantway.clients.use_cases import NewClient
from grantway.tokens.token_request import Granted


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
