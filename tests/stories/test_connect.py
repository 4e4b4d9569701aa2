"""grantway.connect against the running server, blocking and not: connect, read, revoke, and every refusal with its trace id."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.stories.browser import Browser
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, new_app

from grantway import connect
from grantway.access_grant import Action, Allowed, ApiKey, Denied
from grantway.connect import Access, Asked, AsyncClient, CallbackError, Client, DeniedError, Place, RefusedError

PASSPHRASE = "open sesame"


class Blocking:
    """The app through `Client`."""

    def __init__(self, server: Server, app: App, secret: str | None) -> None:
        self.client: Client | AsyncClient = Client(server.grantway.house.issuer, app.client_id, secret, REDIRECT_URI)

    def ask(self, *scopes: str) -> Asked:
        return self.client.ask(scopes or ("read", "list", connect.bucket("photos")))

    def exchange(self, callback: str, keep: dict[str, str] | None, passphrase: str | None = None) -> Access:
        access: Access = self._run(self.client.exchange(callback, keep, passphrase))
        return access

    def revoke(self, token: str) -> None:
        self._run(self.client.revoke(token))

    def _run(self, result: Any) -> Any:
        return result


class Waiting(Blocking):
    """The app through `AsyncClient`."""

    def __init__(self, server: Server, app: App, secret: str | None) -> None:
        self.client = AsyncClient(server.grantway.house.issuer, app.client_id, secret, REDIRECT_URI)

    def _run(self, result: Any) -> Any:
        return asyncio.run(result)


@pytest.fixture(params=[Blocking, Waiting], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> type[Blocking]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def using(server: Server, client: App, kind: type[Blocking]) -> Blocking:
    return kind(server, client, client.client_secret)


@pytest.fixture
def decide(server: Server) -> Callable[..., str]:
    """Somebody who opens a URL, decides, and tells where they were sent."""
    browser = Browser(server.grantway.house.issuer)
    browser.open("/register")
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)

    def go(url: str, **values: str) -> str:
        browser.open(url)
        answer = browser.send("/oauth2/consent", **{"decision": "allow", **values})
        if "press Allow once more" in answer.text:  # a prefix without a passphrase
            answer = browser.send("/oauth2/consent", decision="allow")
        return str(answer.headers["location"])

    return go


def verdict(server: Server, key: str) -> Allowed | Denied:
    satellite = server.grantway.satellite
    answer: Allowed | Denied = server.wait_for(satellite.check(ApiKey.parse(key), Action.LIST, b"photos", b"", server.clock()))
    return answer


def found(server: Server, developer: Person, trace_id: str | None) -> dict[str, Any]:
    answer = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{trace_id}")
    assert answer.status_code == 200, answer.text
    finding: dict[str, Any] = answer.json()
    return finding


def test_from_the_button_to_the_end(server: Server, using: Blocking, decide: Callable[..., str]) -> None:
    asked = using.ask()
    access = using.exchange(decide(asked.url, passphrase=PASSPHRASE, lifetime="day"), asked.keep)
    assert access.access_grant is not None
    assert access.scopes == ("read", "list", "bucket:photos")
    assert access.allows.actions == ("read", "list")
    assert access.allows.places == (Place("photos"),)
    assert access.allows.not_after is not None
    assert abs(access.expires_at - access.allows.not_after) < timedelta(seconds=5)
    assert timedelta(hours=23) < access.expires_at - datetime.now(UTC) <= timedelta(days=1)
    assert isinstance(verdict(server, access.api_key), Allowed)
    using.revoke(access.access_grant)
    assert isinstance(verdict(server, access.api_key), Denied)
    using.revoke(access.access_grant)  # dead already, which is what was wanted


def test_a_person_who_typed_no_passphrase(server: Server, using: Blocking, decide: Callable[..., str]) -> None:
    """Then the app may bring one; without any there is an API key alone."""
    asked = using.ask()
    assert using.exchange(decide(asked.url), asked.keep).access_grant is None
    asked = using.ask()
    access = using.exchange(decide(asked.url), asked.keep, PASSPHRASE)
    assert access.access_grant is not None


def test_a_prefix_can_be_asked_for_again_with_a_passphrase(using: Blocking, decide: Callable[..., str]) -> None:
    asked = using.ask("read", connect.bucket("photos", "my trip/é"))
    callback = decide(asked.url)
    with pytest.raises(RefusedError) as refused:
        using.exchange(callback, asked.keep)
    assert (refused.value.error, refused.value.status) == ("invalid_scope", 400)
    access = using.exchange(callback, asked.keep, PASSPHRASE)
    assert access.allows.places == (Place("photos", "my trip/é/"),)


def test_denied(using: Blocking, decide: Callable[..., str]) -> None:
    asked = using.ask()
    callback = decide(asked.url, decision="deny")
    with pytest.raises(DeniedError):
        using.exchange(callback, asked.keep)


def test_a_callback_of_another_session(using: Blocking, decide: Callable[..., str]) -> None:
    """An attacker's code in a victim's browser: the victim's session asked for something else, or for nothing."""
    attackers, victims = using.ask(), using.ask()
    callback = decide(attackers.url)
    for keep in (victims.keep, None):
        with pytest.raises(CallbackError):
            using.exchange(callback, keep)
    with pytest.raises(RefusedError) as refused:  # even with the right state: PKCE binds the code to who asked
        using.exchange(callback, {**victims.keep, "state": attackers.keep["state"]})
    assert refused.value.error == "invalid_grant"
    assert using.exchange(callback, attackers.keep).api_key


def test_what_the_server_refuses_before_anybody_signs_in(
    server: Server, developer: Person, using: Blocking, decide: Callable[..., str]
) -> None:
    asked = using.ask("read", "everything")
    callback = Browser(server.grantway.house.issuer).open(asked.url).headers["location"]
    with pytest.raises(RefusedError) as refused:
        using.exchange(callback, asked.keep)
    assert refused.value.error == "invalid_scope"
    assert found(server, developer, refused.value.trace_id)["faults"][0]["cause"] == "scope_unknown"


def test_a_code_twice(using: Blocking, decide: Callable[..., str]) -> None:
    asked = using.ask()
    callback = decide(asked.url)
    using.exchange(callback, asked.keep)
    with pytest.raises(RefusedError) as refused:
        using.exchange(callback, asked.keep)
    assert (refused.value.error, refused.value.status) == ("invalid_grant", 400)
    assert refused.value.trace_id
    assert callback.split("code=")[1][:20] not in str(refused.value)


def test_a_code_that_is_too_old(server: Server, using: Blocking, decide: Callable[..., str]) -> None:
    asked = using.ask()
    callback = decide(asked.url)
    with server.clock.later(timedelta(seconds=31)), pytest.raises(RefusedError, match="expired"):
        using.exchange(callback, asked.keep)


@pytest.mark.parametrize("secret", ["gws_wrong", None])
def test_a_wrong_secret_and_none(server: Server, client: App, kind: type[Blocking], decide: Callable[..., str], secret: str | None) -> None:
    wrong = kind(server, client, secret)
    asked = wrong.ask()
    with pytest.raises(RefusedError) as refused:
        wrong.exchange(decide(asked.url), asked.keep)
    assert (refused.value.error, refused.value.status) == ("invalid_client", 401)
    assert refused.value.trace_id
    with pytest.raises(RefusedError, match="invalid_client"):
        wrong.revoke("1nothing")


def test_a_public_client(server: Server, developer: Person, kind: type[Blocking], decide: Callable[..., str]) -> None:
    using = kind(server, new_app(server, developer, token_endpoint_auth_method="none"), None)
    asked = using.ask()
    access = using.exchange(decide(asked.url), asked.keep)
    using.revoke(access.api_key)
    assert isinstance(verdict(server, access.api_key), Denied)


def test_another_apps_key_is_not_ones_to_revoke(
    server: Server, developer: Person, using: Blocking, kind: type[Blocking], decide: Callable[..., str]
) -> None:
    asked = using.ask()
    access = using.exchange(decide(asked.url), asked.keep)
    other = new_app(server, developer)
    with pytest.raises(RefusedError, match="invalid_request"):
        kind(server, other, other.client_secret).revoke(access.api_key)
    assert isinstance(verdict(server, access.api_key), Allowed)


def test_the_secret_never_leaves(server: Server, client: App, using: Blocking, decide: Callable[..., str], caplog: Any) -> None:
    """What goes over the wire is looked at where it is made (tests/connect/test_forms.py); here, what is told."""
    asked = using.ask()
    access = using.exchange(decide(asked.url, passphrase=PASSPHRASE), asked.keep)
    told = repr((using.client, asked, access, replace(access))) + caplog.text
    for hidden in (client.client_secret, asked.keep["code_verifier"], access.api_key[:20], PASSPHRASE):
        assert hidden not in told


def test_many_at_once_in_one_loop(server: Server, client: App, decide: Callable[..., str]) -> None:
    app = AsyncClient(server.grantway.house.issuer, client.client_id, client.client_secret, REDIRECT_URI)
    asked = [app.ask("read") for _ in range(10)]
    callbacks = [decide(one.url) for one in asked]

    async def all_of_them() -> list[Access]:
        return await asyncio.gather(*(app.exchange(url, one.keep) for url, one in zip(callbacks, asked, strict=True)))

    assert len({access.api_key for access in asyncio.run(all_of_them())}) == 10
