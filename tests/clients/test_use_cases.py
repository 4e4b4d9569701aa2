"""What developers do with their clients, over a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.storage.world import NOW, REDIRECT_URI, World, world

from grantway import secret_token
from grantway.accounts.account import Kind
from grantway.clients import use_cases
from grantway.clients.client import Client
from grantway.clients.draft import ClientDraft
from grantway.clients.secret import MOST_KEPT
from grantway.clients.use_cases import NewClient
from grantway.oauth_error import RefusedError
from grantway.tokens.token_request import Granted, Refused

DRAFT = ClientDraft(name="Photo Box", redirect_uris=[REDIRECT_URI])
CLIENT_ID, SECRET = "e45fa79a-05f5-4f00-bbfe-bd0a14aead0a", "2b4719e0" * 8


def told(story: Callable[[World], Awaitable[None]], data: Path) -> None:
    async def tell() -> None:
        async with world(data) as there:
            await story(there)

    asyncio.run(tell())


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(RefusedError) as refusal:
        await work
    return refusal.value.error.code


async def authenticates(there: World, new: NewClient, secret: str) -> bool:
    """Whether that secret is live: then it is the code that is at fault."""
    outcome = await there.exchange(new, "no code", there.jwt(new, secret))
    assert isinstance(outcome, Refused)
    return outcome.error.code == "invalid_code"


def test_registered(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        new = await there.house.clients.register(developer.id, DRAFT, NOW)
        assert secret_token.is_intact(new.client_secret, secret_token.Kind.CLIENT_SECRET)
        assert await there.house.clients.one(developer.id, new.client.client_id) == new.client
        assert await there.house.clients.one(developer.id, new.client.row_id) == new.client
        assert await there.house.clients.of(developer.id) == await there.house.clients.of(None) == [new.client]
        assert await authenticates(there, new, new.client_secret)
        assert not await authenticates(there, new, new.client_secret[:-1])

    told(story, tmp_path)


def test_taken_over(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        new = await there.house.clients.take_over(developer.id, CLIENT_ID, SECRET, DRAFT, NOW)
        assert new.client.client_id == CLIENT_ID
        assert await authenticates(there, new, SECRET)
        assert await refused(there.house.clients.take_over(developer.id, CLIENT_ID, "another" * 9, DRAFT, NOW)) == "already_exists"
        assert await authenticates(there, new, SECRET)

    told(story, tmp_path)


@pytest.mark.parametrize(
    ("client_id", "secret"), [("", SECRET), ("a b", SECRET), ("x" * 101, SECRET), ("app", ""), ("app", "short"), ("app", SECRET + "\n")]
)
def test_cannot_be_taken_over(tmp_path: Path, client_id: str, secret: str) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        assert await refused(there.house.clients.take_over(developer.id, client_id, secret, DRAFT, NOW)) == "invalid_request"
        assert await there.house.clients.of(None) == []

    told(story, tmp_path)


def test_changed(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        await there.house.clients.set_active(new.client, False, NOW)
        later = NOW + timedelta(hours=1)
        draft = ClientDraft(
            name="New", description="Says more.", redirect_uris=["https://new.example"], scopes=["read"], required_scopes=["read"]
        )
        await there.house.clients.change(new.client, lambda _: draft, later)
        assert await there.house.clients.one(None, new.client.client_id) == replace(
            new.client,
            name="New",
            description="Says more.",
            redirect_uris=("https://new.example",),
            scopes=("read",),
            required_scopes=("read",),
            is_active=False,  # changing what is said does not enable
            updated_at=later,
        )
        assert await refused(there.house.clients.change(new.client, lambda _: replace(draft, scopes=["admin"]), later)) == "invalid_scope"

    told(story, tmp_path)


def test_of_two_changes_at_once_the_second_begins_with_the_first(tmp_path: Path) -> None:
    """Both have read the client before either was stored: a redirect URI that one takes off does not come back by the other."""

    async def story(there: World) -> None:
        new, clients = await there.app(), there.house.clients
        known = await clients.one(None, new.client.client_id)
        await clients.change(known, lambda one: replace(of(one), redirect_uris=["https://new.example"]), NOW)
        answered = await clients.change(known, lambda one: replace(of(one), name="New"), NOW)
        assert (answered.name, answered.redirect_uris) == ("New", ("https://new.example",))
        assert await clients.one(None, new.client.client_id) == answered
        # and what may not stand together does not come together by two
        await clients.change(known, lambda one: replace(of(one), scopes=["read"]), NOW)
        writing = clients.change(known, lambda one: replace(of(one), required_scopes=["write"]), NOW)
        assert await refused(writing) == "invalid_scope"
        await clients.delete(known, NOW)
        assert await refused(clients.change(known, of, NOW)) == "not_found"

    told(story, tmp_path)


def of(client: Client) -> ClientDraft:
    """What is said of the client as it is."""
    return ClientDraft(name=client.name, redirect_uris=client.redirect_uris, scopes=client.scopes, required_scopes=client.required_scopes)


def test_a_new_secret_and_its_overlap(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        first = await there.app()
        second = await there.house.clients.regenerate_secret(first.client, timedelta(hours=24), NOW)
        assert second.client_secret != first.client_secret
        there.now = NOW + timedelta(hours=24, microseconds=-1)
        assert await authenticates(there, first, first.client_secret)
        assert await authenticates(there, first, second.client_secret)
        there.now = NOW + timedelta(hours=24)
        assert not await authenticates(there, first, first.client_secret)
        assert await authenticates(there, first, second.client_secret)
        assert await there.rows("SELECT version FROM client_secrets ORDER BY version") == [(1,), (2,)]
        await there.grantway.tidy(NOW + timedelta(days=31, seconds=1))
        assert await there.rows("SELECT version FROM client_secrets") == [(2,)]

    told(story, tmp_path)


def test_only_one_older_secret_stays_live(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        clients = there.house.clients
        first = await there.app()
        second = await clients.regenerate_secret(first.client, timedelta(hours=24), NOW)
        third = await clients.regenerate_secret(first.client, timedelta(hours=24), NOW)
        live = [await authenticates(there, first, one.client_secret) for one in (first, second, third)]
        assert live == [False, True, True]

    told(story, tmp_path)


def test_no_overlap_ends_the_old_one_now(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        first = await there.app()
        second = await there.house.clients.regenerate_secret(first.client, timedelta(0), NOW)
        assert not await authenticates(there, first, first.client_secret)
        assert await authenticates(there, first, second.client_secret)

    told(story, tmp_path)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=30, seconds=1)])
def test_an_overlap_that_cannot_be(tmp_path: Path, overlap: timedelta) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        assert await refused(there.house.clients.regenerate_secret(new.client, overlap, NOW)) == "invalid_request"

    told(story, tmp_path)


def test_of_many_secrets_the_newest_are_kept(tmp_path: Path) -> None:
    """Whoever names the client has all of them read."""

    async def story(there: World) -> None:
        last = new = await there.app()
        for _ in range(MOST_KEPT + 3):
            last = await there.house.clients.regenerate_secret(new.client, timedelta(0), NOW)
        kept = await there.rows("SELECT version FROM client_secrets ORDER BY version")
        assert [version for (version,) in kept] == list(range(5, MOST_KEPT + 5))
        assert await authenticates(there, new, last.client_secret)
        assert await there.house.clients.secret_version(new.client) == MOST_KEPT + 4

    told(story, tmp_path)


def test_a_developer_has_no_more_than_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "MOST_OF_A_DEVELOPER", 2)

    async def story(there: World) -> None:
        owner, other = await there.account(Kind.DEVELOPER), await there.account(Kind.DEVELOPER)
        made = [await there.app(owner) for _ in range(2)]
        assert await refused(there.app(owner)) == "invalid_request"
        # the form of the last one, sent again, is told apart from one app too many
        again = there.house.clients.register(owner.id, DRAFT, NOW, made[1].client.client_id)
        assert await refused(again) == "already_exists"
        await there.app(other)
        await there.house.clients.take_over(owner.id, CLIENT_ID, SECRET, DRAFT, NOW)  # the operator knows why
        for new in made:
            await there.house.clients.delete(new.client, NOW)
        await there.app(owner)

    told(story, tmp_path)


def test_two_regenerations_at_once(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        made = await asyncio.gather(
            *(there.house.clients.regenerate_secret(new.client, timedelta(0), NOW, after=1) for _ in range(4)), return_exceptions=True
        )
        won = [one for one in made if isinstance(one, NewClient)]
        assert len(won) == 1
        assert {one.error.code for one in made if isinstance(one, RefusedError)} == {"already_exists"}
        assert await authenticates(there, new, won[0].client_secret)

    told(story, tmp_path)


def test_disabled_and_enabled(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new = await there.app()
        code = await there.code(await there.account(), new)
        await there.house.clients.set_active(new.client, False, NOW)
        assert not await authenticates(there, new, new.client_secret)
        await there.house.clients.set_active(new.client, True, NOW)
        assert isinstance(await there.exchange(new, code), Granted)

    told(story, tmp_path)


def test_deleted(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        developer = await there.account(Kind.DEVELOPER)
        new = await there.house.clients.take_over(developer.id, CLIENT_ID, SECRET, DRAFT, NOW)
        await there.house.clients.delete(new.client, NOW)
        assert await refused(there.house.clients.one(developer.id, CLIENT_ID)) == "not_found"
        assert await there.house.clients.of(None) == []
        assert not await authenticates(there, new, SECRET)
        assert await there.rows("SELECT * FROM client_secrets") == []
        assert await refused(there.house.clients.take_over(developer.id, CLIENT_ID, SECRET, DRAFT, NOW)) == "already_exists"
        assert await refused(there.house.clients.regenerate_secret(new.client, timedelta(0), NOW)) == "already_exists"

    told(story, tmp_path)


def test_another_developers_is_not_found(tmp_path: Path) -> None:
    async def story(there: World) -> None:
        new, other = await there.app(), await there.account(Kind.DEVELOPER)
        for either_id in (new.client.client_id, new.client.row_id, "nothing", ""):
            assert await refused(there.house.clients.one(other.id, either_id)) == "not_found"
        assert await there.house.clients.of(other.id) == []

    told(story, tmp_path)
