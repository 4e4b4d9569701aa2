"""A person sees single access grants and revokes them: one dies and the others live, and nobody else's are seen."""

from datetime import timedelta
from pathlib import Path

from tests.storage.held import HOUR, grant, opens
from tests.storage.world import NOW, World, refused, told

from grantway.tokens.token_request import Granted


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
