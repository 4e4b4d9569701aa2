"""A data folder is opened with its own master key only, by two servers too; and what ended in it is tidied away."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.storage.world import NOW, World, told, world

from grantway.accounts.account import Kind
from grantway.accounts.session import Opening, OpenSession
from grantway.app import opened
from grantway.config import Config
from grantway.sealing import MasterKeyError
from grantway.storage import housekeeping
from grantway.tokens.token_request import Refused


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
