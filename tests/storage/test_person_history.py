"""What a person looks back on: what was answered and when, what was never collected, and requests that nobody answered go."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.storage.held import HOUR, grant
from tests.storage.world import NOW, World, told

from grantway.authorization.request import AnswerOutcome
from grantway.storage import client_access, given_access, housekeeping, sqlite_file


def test_the_history_says_what_was_answered_and_when(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await there.code(user, new, ["read", "list"])
        there.now = NOW + HOUR
        await there.asked(user, new)
        latest, first = await there.house.given_access.history(user, new.client.client_id, NOW + HOUR)
        assert (latest.status, latest.answered_at, latest.approved_scopes) == ("pending", None, ())
        assert (first.status, first.answered_at, first.approved_scopes) == ("approved", NOW, ("read", "list"))
        assert first.ends_at == NOW + timedelta(days=30)
        await there.house.given_access.withdraw(user, new.client.client_id, NOW + 2 * HOUR)
        latest, first = await there.house.given_access.history(user, new.client.client_id, NOW + 2 * HOUR)
        assert latest.status == "expired"  # nobody answered it in time, so that this is no denial
        assert (first.status, first.answered_at, first.revoked_at) == ("revoked", NOW, NOW + 2 * HOUR)

    told(story, tmp_path)


def test_requests_that_nobody_answered_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each opening of a consent page leaves one; those that were answered are the person's history and stay longer."""
    monkeypatch.setattr(housekeeping, "BATCH", 3)

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await there.code(user, new)
        denied = await there.asked(user, new)
        assert await there.house.authorization.requests.record_rejection(denied, NOW) is AnswerOutcome.RECORDED
        for _ in range(8):
            await there.asked(user, new)
        await there.grantway.tidy(NOW + housekeeping.UNANSWERED_KEPT)
        assert len(await there.house.given_access.history(user, new.client.client_id, NOW)) == 10
        await there.grantway.tidy(NOW + housekeeping.UNANSWERED_KEPT + HOUR)
        left = await there.house.given_access.history(user, new.client.client_id, NOW)
        assert sorted(one.status for one in left) == ["approved", "rejected"]

    told(story, tmp_path)


def test_what_is_allowed_while_the_list_is_read_is_not_told_as_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more consents than are looked at, those that are alive are asked for once more."""
    monkeypatch.setattr(client_access, "SHOWN_OF_A_CLIENT", 1)

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await grant(there, user, new)
        await there.house.given_access.withdraw(user, new.client.client_id, there.now)
        read = there.grantway.database.read

        class Between:
            """The database, in which something is allowed after the first read of consents."""

            reads = 0

            async def read(self, sql: str, *values: Any) -> Any:
                self.reads += 1
                found = await read(sql, *values)
                if self.reads == 2:
                    await there.code(user, new)
                return found

        between: Any = Between()
        (access,) = await given_access.GivenAccess(between).access_of(user.id, there.now)
        assert access.is_active
        assert between.reads == 3

    told(story, tmp_path)


UNCOLLECTED: dict[str, tuple[str, timedelta, bool]] = {
    "the code waits": ("", timedelta(seconds=29), False),
    "the code has ended": ("", timedelta(seconds=30), True),
    "the code is forgotten": ("", timedelta(days=29), True),
    "the consent has ended": ("", timedelta(days=30), True),
    "nobody can know any more": ("", timedelta(days=30) + housekeeping.USE_KEPT, False),
    "collected": ("collected", timedelta(days=29), False),
    "collected, long ago": ("collected", timedelta(days=30) + housekeeping.USE_KEPT, False),
    "withdrawn before": ("withdrawn", timedelta(seconds=30), True),
    "denied": ("denied", timedelta(days=1), False),
    "put back from a copy": ("put back", timedelta(days=1), False),
    "put back, a while ago": ("put back", timedelta(days=29), False),
}
"""What became of the code; how much later the person looks; whether it is sure that the app never had anything."""


@pytest.mark.parametrize(("fate", "later", "is_sure"), UNCOLLECTED.values(), ids=UNCOLLECTED)
def test_what_was_never_collected_is_told_once_it_is_sure(tmp_path: Path, fate: str, later: timedelta, is_sure: bool) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        if fate == "denied":
            await there.house.authorization.requests.record_rejection(await there.asked(user, new), NOW)
        elif fate == "collected":
            await grant(there, user, new)
        else:
            await there.code(user, new)
        if fate == "withdrawn":
            await there.house.given_access.withdraw(user, new.client.client_id, NOW)
        if fate == "put back":
            await there.grantway.database.one(sqlite_file.END_CODES)
        await there.grantway.tidy(NOW + later)
        (record,) = await there.house.given_access.history(user, new.client.client_id, NOW + later)
        assert record.is_uncollected is is_sure

    told(story, tmp_path)


def test_one_app_and_some_of_them(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, apps = await there.account(), [await there.app(name=f"App {number}") for number in range(4)]
        for new in apps:
            there.now += HOUR
            await there.code(user, new)
        allowed = there.house.given_access

        async def some(*which: int) -> list[str]:
            return [one.client.name for one in await allowed.access_of(user, there.now, *which)]

        assert await some() == ["App 3", "App 2", "App 1", "App 0"]
        assert (await some(0, 3), await some(3, 3), await some(4, 3)) == (["App 3", "App 2", "App 1"], ["App 0"], [])
        every = {one.client.client_id: one for one in await allowed.access_of(user, there.now)}
        for new in apps:
            assert await allowed.access_to(user, new.client.client_id, there.now) == every[new.client.client_id]
        stranger = await there.account()
        assert await allowed.access_to(stranger, apps[0].client.client_id, there.now) is None
        assert await allowed.access_to(user, "nobody", there.now) is None

    told(story, tmp_path)
