"""What a person looks back on and ends: sessions, single access grants, the history; and requests that nobody answered go."""

import asyncio
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import NOW, World, refused, told

from grantway.access_grant import AccessGrant, Action, Allowed
from grantway.accounts.account import Account, Kind
from grantway.accounts.session import OpenedFrom, Opening, OpenSession
from grantway.authorization.request import AnswerOutcome
from grantway.clients.use_cases import NewClient
from grantway.storage import accounts, client_access, given_access, housekeeping, sqlite_file
from grantway.tokens.token_request import Granted

PASSWORD = "correct horse battery"
HOUR = timedelta(hours=1)


async def grant(there: World, user: Account, new: NewClient, **changes: Any) -> AccessGrant:
    outcome = await there.exchange(new, await there.code(user, new, ["list"], **changes), trace_id=secrets.token_hex(16))
    assert isinstance(outcome, Granted)
    return AccessGrant.parse(str(outcome.access_grant))


async def opens(there: World, one: AccessGrant) -> bool:
    return isinstance(await there.grantway.satellite.check(one.api_key, Action.LIST, b"photos", b"", there.now), Allowed)


# sessions


def test_sessions_are_seen_and_ended(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        accounts = there.house.accounts
        user = await accounts.register(Kind.USER, "Uma", "uma@example.org", PASSWORD, NOW)
        stranger = await there.account()
        here, api, other = [
            await accounts.sign_in(Kind.USER, user.email, PASSWORD, NOW + hours * HOUR, opened)
            for hours, opened in enumerate((Opening(OpenedFrom.PAGE, "Firefox on Linux"), Opening(OpenedFrom.API), Opening()))
        ]
        seen = await accounts.sessions_of(user, NOW)
        assert [(one.created_at, one.opened.opened_from, one.opened.browser) for one in seen] == [
            (NOW + 2 * HOUR, OpenedFrom.UNKNOWN, ""),
            (NOW + HOUR, OpenedFrom.API, ""),
            (NOW, OpenedFrom.PAGE, "Firefox on Linux"),
        ]
        assert await accounts.sessions_of(stranger, NOW) == []
        handle = seen[1].handle
        assert await refused(accounts.end_session(stranger, handle, NOW)) == "not_found"
        await accounts.end_session(user, handle, NOW)
        assert await accounts.session(Kind.USER, api.token, NOW) is None
        assert await refused(accounts.end_session(user, handle, NOW)) == "not_found"
        signed_in = await accounts.session(Kind.USER, here.token, NOW)
        await accounts.end_other_sessions(signed_in)
        assert await accounts.session(Kind.USER, other.token, NOW) is None
        assert [one.digest for one in await accounts.sessions_of(user, NOW)] == [signed_in.digest]
        assert await accounts.sessions_of(user, NOW + timedelta(days=7)) == []

    told(story, tmp_path)


def test_a_handle_gives_nothing_away(tmp_path: Path) -> None:
    """Neither the handle nor a digest is a token, and the handle is no part of either."""

    async def story(there: World) -> None:
        accounts = there.house.accounts
        user = await accounts.register(Kind.USER, "Uma", "uma@example.org", PASSWORD, NOW)
        made = await accounts.sign_in(Kind.USER, user.email, PASSWORD, NOW)
        (one,) = await accounts.sessions_of(user, NOW)
        assert one.handle not in one.digest.hex()
        for presented in (one.handle, one.digest.hex(), one.digest.decode("latin-1")):
            assert await accounts.session(Kind.USER, presented, NOW) is None
            assert presented not in repr(one) or presented == one.handle
        assert made.token not in repr(one)

    told(story, tmp_path)


# one access grant


def test_one_grant_dies_and_the_others_live(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        first, second = await grant(there, user, new), await grant(there, user, new, lifetime=HOUR)
        allowed, client_id = there.house.given_access, new.client.client_id
        grants = await allowed.grants_of(user, client_id, NOW)
        assert {(one.scopes, one.project_name, one.issued_at, one.revoked_at) for one in grants} == {(("list",), "My project", NOW, None)}
        short = next(one for one in grants if one.ends_at == NOW + HOUR)
        await allowed.revoke_grant(user, client_id, short.id, NOW)
        assert (await opens(there, first), await opens(there, second)) == (True, False)
        after = {one.id: one for one in await allowed.grants_of(user, client_id, NOW)}
        assert after[short.id].revoked_at == NOW
        assert [one.is_alive(NOW) for one in after.values()].count(True) == 1
        # nothing is left under that consent: what the app holds is told truly
        assert await there.rows("SELECT count(*) FROM consents WHERE withdrawn_at IS NOT NULL") == [(1,)]
        assert [one.status for one in await allowed.history(user, client_id, NOW)].count("revoked") == 1
        await allowed.revoke_grant(user, client_id, short.id, NOW + HOUR)  # once more changes nothing
        assert (await allowed.grants_of(user, client_id, NOW))[-1].revoked_at in {NOW, None}

    told(story, tmp_path)


def test_a_consent_stands_while_something_else_lives_under_it(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await grant(there, user, new)
        row = "SELECT CAST(? AS BLOB), consent_id, redirect_uri, issued_at, expires_at, keep_until FROM codes"
        into = "INSERT INTO codes (digest, consent_id, redirect_uri, issued_at, expires_at, keep_until)"
        await there.grantway.database.one(f"{into} {row}", b"0")
        allowed, client_id = there.house.given_access, new.client.client_id
        (one,) = await allowed.grants_of(user, client_id, NOW)
        await allowed.revoke_grant(user, client_id, one.id, NOW)
        assert await there.rows("SELECT count(*) FROM consents WHERE withdrawn_at IS NOT NULL") == [(0,)]
        await allowed.revoke_grant(user, client_id, one.id, NOW + timedelta(minutes=1))  # the code has ended meanwhile
        assert await there.rows("SELECT count(*) FROM consents WHERE withdrawn_at IS NOT NULL") == [(1,)]

    told(story, tmp_path)


def test_nobody_else_sees_or_revokes_a_grant(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, other, new, another = await there.account(), await there.account(), await there.app(), await there.app()
        mine = await grant(there, user, new)
        await grant(there, other, new)
        await grant(there, user, another)
        allowed, client_id = there.house.given_access, new.client.client_id
        (one,) = await allowed.grants_of(user, client_id, NOW)
        assert await refused(allowed.revoke_grant(other, client_id, one.id, NOW)) == "not_found"
        assert await refused(allowed.revoke_grant(user, another.client.client_id, one.id, NOW)) == "not_found"
        assert await refused(allowed.grants_of(await there.account(), client_id, NOW)) == "not_found"
        assert await opens(there, mine)

    told(story, tmp_path)


def test_revoking_all_is_told_of_each_grant(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await grant(there, user, new)
        await there.house.given_access.withdraw(user, new.client.client_id, NOW + HOUR)
        (one,) = await there.house.given_access.grants_of(user, new.client.client_id, NOW + HOUR)
        assert (one.revoked_at, one.is_alive(NOW)) == (NOW + HOUR, False)

    told(story, tmp_path)


def test_who_holds_something_stands_before_who_was_allowed_later(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        user, holder, later = await there.account(), await there.app(), await there.app()
        await grant(there, user, holder)
        there.now = NOW + HOUR
        await there.code(user, later)
        held = there.house.given_access.access_of
        both = [one.client.client_id for one in await held(user, there.now)]
        # it may still collect its code: so it holds something, too
        assert both == [later.client.client_id, holder.client.client_id]
        (first,) = await held(user, there.now + HOUR, most=1)
        assert (first.client.client_id, first.is_active) == (holder.client.client_id, True)
        (second,) = await held(user, there.now + HOUR, skipped=1, most=1)
        assert (second.client.client_id, second.is_active) == (later.client.client_id, False)

    told(story, tmp_path)


# history


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


def test_a_password_is_replaced_once_and_no_session_of_the_old_one_is_opened_afterwards(tmp_path: Path) -> None:
    """Two changes that both checked the same old password, and a sign-in that checked it before: the first change wins, alone."""

    async def story(there: World) -> None:
        user = await there.account()
        accounts, sessions = there.house.accounts.accounts, there.house.accounts.sessions
        made = OpenSession(digest=b"late", created_at=NOW, expires_at=NOW + timedelta(hours=1), opened=Opening())
        changes = [accounts.replace_password(user.id, user.password_hash, new) for new in ("first", "second")]
        assert sorted(await asyncio.gather(*changes)) == [False, True]
        assert await there.rows("SELECT password_hash FROM accounts WHERE id = ?", user.id) == [("first",)]
        assert not await sessions.add_session(user, made)
        assert await there.rows("SELECT count(*) FROM sessions WHERE digest = ?", b"late") == [(0,)]

    told(story, tmp_path)


def test_an_app_may_do_only_what_it_holds_something_for(tmp_path: Path) -> None:
    """A consent whose code nobody collected in time, and one whose only key a second collector killed, allow nothing any more."""

    async def story(there: World) -> None:
        user, new = await there.account(), await there.app()
        await grant(there, user, new)
        await there.code(user, new, ["write"])
        leaked = await there.code(user, new, ["delete"])
        assert isinstance(await there.exchange(new, leaked), Granted)

        async def may() -> tuple[bool, set[str]]:
            (access,) = await there.house.given_access.access_of(user, there.now)
            return access.is_active, set(access.approved_scopes)

        assert await may() == (True, {"list", "write", "delete"})
        assert not isinstance(await there.exchange(new, leaked), Granted)
        assert await may() == (True, {"list", "write"})
        there.now = NOW + timedelta(seconds=31)
        assert await may() == (True, {"list"})
        (only,) = [
            one for one in await there.house.given_access.grants_of(user, new.client.client_id, there.now) if one.scopes == ("list",)
        ]
        await there.house.given_access.revoke_grant(user, new.client.client_id, only.id, there.now)
        assert not (await may())[0]

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


def test_one_session_too_many_ends_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_SESSIONS", 3)

    async def story(there: World) -> None:
        user, other = await there.account(), await there.account()
        sessions = there.house.accounts.sessions
        for whose, number in ((other, 9), (user, 0), (user, 1), (user, 2), (user, 3)):
            made = OpenSession(digest=b"%d" % number, created_at=NOW + number * HOUR, expires_at=NOW + 99 * HOUR, opened=Opening())
            assert await sessions.add_session(whose, made)
        assert [one.digest for one in await sessions.sessions_of(user.id, NOW)] == [b"3", b"2", b"1"]
        assert len(await sessions.sessions_of(other.id, NOW)) == 1

    told(story, tmp_path)
