"""A database that has lived, and a copy of it for each test."""

import asyncio
import shutil
from pathlib import Path

import pytest
from tests.storage.world import world

from grantway.accounts.account import Kind
from grantway.app import utc_now
from grantway.tokens.token_request import Granted


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which an app collected one access grant, has an unused code, and another of which was withdrawn."""
    data = tmp_path_factory.mktemp("lived-in") / "data"

    async def story() -> None:
        async with world(data) as there:
            there.now = utc_now()
            user, developer = await there.account(email="uma@example.org"), await there.account(Kind.DEVELOPER, "dana@example.org")
            new, other = await there.app(developer), await there.app(developer)
            assert isinstance(await there.exchange(new, await there.code(user, new, ["read"])), Granted)
            await there.code(user, new, ["read"])
            assert isinstance(await there.exchange(other, await there.code(user, other, ["read"])), Granted)
            await there.house.given_access.withdraw(user, other.client.client_id, there.now)

    asyncio.run(story())
    return data


@pytest.fixture
def data(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(lived_in, tmp_path / "data"))
