"""Sessions are seen and ended by their person alone; a new password and one too many end them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.storage.world import NOW, World, refused, told

from grantway.accounts.account import Kind
from grantway.accounts.session import OpenedFrom, Opening, OpenSession
from grantway.storage import accounts

PASSWORD = "correct horse battery"
HOUR = timedelta(hours=1)


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
