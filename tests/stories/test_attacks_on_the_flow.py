"""Codes and requests in the wrong hands, answers from the wrong server, and what signing in gives away."""

import re
import secrets
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, App, Person, Server, new_app
from tests.stories.victims import somebody

from grantway.access_grant import Action, Allowed, ApiKey
from grantway.authorization import pkce

MINE, THEIRS = "m" * 43, "t" * 43


def asking(client: App, verifier: str, **changes: str) -> str:
    sent = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "read list",
        "state": "mine",
        "code_challenge": pkce.challenge_of(verifier),
        "code_challenge_method": "S256",
        **changes,
    }
    return "/oauth2/authorize?" + urlencode(sent)


def redeemed(server: Server, client: App, code: str, verifier: str, **changes: str) -> Any:
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.client_id,
        "client_secret": client.jwt(),
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
        **changes,
    }
    return server.http.post("/oauth2/token", data=sent).json()


def allowed(browser: Browser, client: App, verifier: str) -> str:
    browser.open(asking(client, verifier))
    return came_back(browser.send("/oauth2/consent", decision="allow"))["code"]


def may(server: Server, key: str) -> bool:
    work = server.grantway.satellite.check(ApiKey.parse(key), Action.LIST, b"photos", b"", server.clock())
    return isinstance(server.wait_for(work), Allowed)


def test_a_code_injected_into_another_session_gives_nothing(server: Server, client: App) -> None:
    """The attacker's code in the victim's session at the app, and the reverse: the app's verifier is that of the session it began in."""
    attackers, victims = allowed(somebody(server), client, THEIRS), allowed(somebody(server), client, MINE)
    assert redeemed(server, client, attackers, MINE)["error"] == "invalid_grant"
    assert redeemed(server, client, victims, THEIRS)["error"] == "invalid_grant"
    # nothing was used up by it
    assert "access_token" in redeemed(server, client, victims, MINE)


def test_another_apps_code_gives_nothing(server: Server, client: App, developer: Person) -> None:
    other = new_app(server, developer)
    code = allowed(somebody(server), client, MINE)
    assert redeemed(server, other, code, MINE)["error"] == "invalid_grant"
    assert "access_token" in redeemed(server, client, code, MINE)


def test_a_request_cannot_be_answered_by_somebody_else(server: Server, client: App) -> None:
    """The attacker's own request in the victim's form would link the victim's storage to the attacker's account at the app."""
    attacker, victim = somebody(server), somebody(server)
    attacker.open(asking(client, THEIRS))
    planted = dict(attacker.form("/oauth2/consent").fields)["request_id"]
    victim.open(asking(client, MINE))
    answer = victim.send("/oauth2/consent", decision="allow", request_id=planted)
    assert answer.status_code == 403
    assert "location" not in answer.headers
    assert "Go back to the app and connect again. Nothing was allowed." in answer.text


def test_a_late_second_or_unknown_answer_says_what_to_do(server: Server, client: App) -> None:
    browser = somebody(server)
    browser.open(asking(client, MINE))
    consent = browser.page
    assert came_back(browser.send("/oauth2/consent", decision="deny"))["error"] == "access_denied"
    browser.page = consent
    again = browser.send("/oauth2/consent", decision="allow")
    assert again.status_code == 400
    assert "You answered this before" in again.text
    browser.page = consent
    unknown = browser.send("/oauth2/consent", decision="allow", request_id="00000000-0000-7000-8000-000000000000")
    assert "Go back to the app and connect again" in unknown.text


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_a_redirect_uri_that_was_taken_off_gets_no_answer(server: Server, developer: Person, decision: str) -> None:
    """The developer closes a leaking address while the consent page is open, and later opens it again."""
    client, browser = new_app(server, developer), somebody(server)
    registered = f"/api/v0/developer/auth/oauth2/clients/{client.client_id}"
    browser.open(asking(client, MINE))
    consent = browser.page
    assert developer.call("PUT", registered, {"redirect_uris": ["https://new.example/cb"]}).status_code == 200
    answer = browser.send("/oauth2/consent", decision=decision)
    assert answer.status_code == 400
    assert not {"location", "refresh"} & set(answer.headers)
    assert "The way back to the app was closed" in answer.text
    assert client.redirect_uri not in answer.text
    # nothing was decided
    assert developer.call("PUT", registered, {"redirect_uris": [client.redirect_uri]}).status_code == 200
    browser.page = consent
    assert came_back(browser.send("/oauth2/consent", decision=decision))["state"] == "mine"


def test_every_answer_says_whose_it_is(server: Server, client: App) -> None:
    """Against mix-up (RFC 9207): allowed, denied and refused alike, and the metadata promises it."""
    issuer = server.grantway.house.issuer
    browser = somebody(server)
    seen = []
    for decision in ("allow", "deny"):
        browser.open(asking(client, MINE))
        seen.append(came_back(browser.send("/oauth2/consent", decision=decision)))
    seen.append(came_back(browser.open(asking(client, MINE, response_type="token"))))
    seen.append(came_back(browser.open(asking(client, MINE, scope="nothing"))))
    assert [one["iss"] for one in seen] == [issuer] * 4
    assert [one["state"] for one in seen] == ["mine"] * 4
    said = server.http.get("/.well-known/oauth-authorization-server").json()
    assert (said["issuer"], said["authorization_response_iss_parameter_supported"]) == (issuer, True)


def test_a_hosts_name_that_was_sent_is_nowhere(server: Server, client: App) -> None:
    """The issuer is configured: `Host` and forwarded headers of a stranger change no answer."""
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    for path in ("/sign-in", "/register", asking(client, MINE), "/.well-known/oauth-authorization-server", "/account"):
        answer = server.http.get(path, headers=headers)
        assert "evil.example" not in answer.text + str(answer.headers)


def test_nobody_sees_or_revokes_what_is_anothers(server: Server, client: App) -> None:
    """Pages and JSON of one person's app and grant are not found for another, who used the same app."""
    victim, attacker = somebody(server), somebody(server)
    key = redeemed(server, client, allowed(victim, client, MINE), MINE)["access_token"]
    victim.open(f"/connected-apps/{client.client_id}")
    grant_id = dict(victim.form("/connected-apps/revoke-grant").fields)["grant_id"]
    assert attacker.open(f"/connected-apps/{client.client_id}").status_code == 404
    redeemed(server, client, allowed(attacker, client, THEIRS), THEIRS)
    attacker.open(f"/connected-apps/{client.client_id}")
    assert grant_id not in attacker.page.text
    assert attacker.send("/connected-apps/revoke-grant", grant_id=grant_id).status_code == 404
    victim.open("/account")
    handle = re.findall(r'name="session" value="(\w+)"', victim.page.text)
    assert handle == []  # this browser's own is not there to be ended by itself
    assert may(server, key)
    assert "and every key made from it no longer work" in _revoked(victim, client).text
    assert not may(server, key)


def _revoked(browser: Browser, client: App) -> Any:
    browser.open(f"/connected-apps/{client.client_id}")
    return browser.send("/connected-apps/revoke-grant")


def test_another_persons_session_cannot_be_ended(server: Server) -> None:
    victim, attacker = somebody(server), somebody(server)
    email = victim.page.text.split('class="who">')[1].split("<")[0]
    second = Browser(server.grantway.house.issuer)
    second.open("/sign-in")
    second.send("/sign-in", email=email, password=PASSWORD)
    victim.open("/account")
    handle = dict(victim.form("/account/end-session").fields)["session"]
    attacker.open("/account")
    csrf = dict(attacker.form("/sign-out").fields)["csrf"]
    sent = {"csrf": csrf, "session": handle}
    assert attacker.http.post("/account/end-session", data=sent, headers={"Origin": attacker.issuer}).status_code == 404
    assert "<h1>Your account</h1>" in second.open("/account").text
    assert "Ended." in victim.send("/account/end-session").text
    assert "<h1>Sign in</h1>" in second.open("/account").text


def test_a_handle_is_no_token(server: Server) -> None:
    victim = somebody(server)
    second = Browser(server.grantway.house.issuer)
    second.open("/sign-in")
    second.send("/sign-in", email=victim.page.text.split('class="who">')[1].split("<")[0], password=PASSWORD)
    victim.open("/account")
    handle = dict(victim.form("/account/end-session").fields)["session"]
    for name, value in {**second.http.cookies, **victim.http.cookies}.items():
        assert name == "grantway_visitor" or value not in victim.page.text
    answer = server.http.get("/api/v0/auth/account", headers={"Authorization": f"Bearer {handle}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("base", ["/api/v0/auth", "/api/v0/developer/auth"])
def test_signing_in_does_not_tell_who_is_registered(server: Server, base: str) -> None:
    """In bytes and headers, by JSON; for the pages see the standard flow's stories, for time the brute force's."""
    email = f"{secrets.token_hex(6)}@example.org"
    server.http.post(f"{base}/register", json={"name": "Uma", "email": email, "password": PASSWORD})
    seen = []
    for address in (email, f"{secrets.token_hex(6)}@example.org", "no address", ""):
        answer = server.http.post(f"{base}/token", json={"email": address, "password": "wrong password"})
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        seen.append((answer.status_code, {**answer.json(), "trace_id": ""}, headers))
    assert all(one == seen[0] for one in seen)
    assert seen[0][0] == 401
