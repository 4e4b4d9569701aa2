"""The standard flow, walked by a person in a browser: sign in, read, narrow, allow or deny, with a passphrase or without, and take back."""

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, App, Server
from tests.stories.standard_flow import allowed_code, asking, may, redeem

from grantway.access_grant import AccessGrant, ApiKey


def test_the_whole_story(server: Server, client: App) -> None:
    """From the app to sign-in, registration, consent, back, exchange, and Revoke."""
    browser = Browser(server.grantway.house.issuer)
    browser.open(asking(client))
    assert "<h1>Sign in</h1>" in browser.page.text
    browser.open("/register?" + urlencode({"next": dict(browser.form("/sign-in").fields)["next"]}))
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert "download and read your files" in browser.page.text
    assert "myapp.com" in browser.page.text
    back = came_back(browser.send("/oauth2/consent", decision="allow"))
    assert (back["state"], back["iss"]) == ("st%te &", server.grantway.house.issuer)

    answer = redeem(server, client, back["code"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["scope"]) == ("Bearer", "read list")
    assert answer.headers["cache-control"] == "no-store"
    key = ApiKey.parse(body["access_token"])
    assert may(server, key)

    browser.open("/connected-apps")
    assert "download and read your files" in browser.page.text
    browser.send("/connected-apps/revoke")
    assert "no longer works" in browser.page.text
    assert not may(server, key)


def test_deny(browser: Browser, client: App) -> None:
    browser.open(asking(client))
    back = came_back(browser.send("/oauth2/consent", decision="deny"))
    assert back["error"] == "access_denied"
    assert back["state"] == "st%te &"


def test_a_person_allows_less(server: Server, browser: Browser, client: App) -> None:
    browser.open(asking(client))
    back = came_back(browser.send("/oauth2/consent", "read", decision="allow", narrower="photos", lifetime="hour"))
    body = redeem(server, client, back["code"]).json()
    assert body["scope"] == "list bucket:photos"
    assert 3500 < body["expires_in"] <= 3600
    key = ApiKey.parse(body["access_token"])
    assert (may(server, key, b"photos"), may(server, key, b"taxes")) == (True, False)


def test_the_passphrase_of_the_consent_page_opens_just_what_was_allowed(server: Server, browser: Browser, client: App) -> None:
    """It comes before the app's own `passphrase`, and nothing of it is left when the code is used."""
    browser.open(asking(client))
    values = {"decision": "allow", "narrower": "photos/2026", "passphrase": "open sesame"}
    code = came_back(browser.send("/oauth2/consent", **values))["code"]
    assert len(server.rows("SELECT 1 FROM codes WHERE sealed_opening IS NOT NULL")) == 1
    grant = AccessGrant.parse(redeem(server, client, code, passphrase="another").json()["access_grant"])
    assert not server.rows("SELECT 1 FROM codes WHERE sealed_opening IS NOT NULL")
    # the keys that v0's passphrase gives for the same project
    whole = allowed_code(browser, client)
    other = AccessGrant.parse(redeem(server, client, whole, passphrase="open sesame").json()["access_grant"])
    under = other.encryption_access.encrypt_prefix(b"photos", b"2026/x.jpg")
    assert grant.encryption_access.encrypt_prefix(b"photos", b"2026/x.jpg") == under
    assert (may(server, grant.api_key, path=under), may(server, grant.api_key, path=b"elsewhere")) == (True, False)


def test_what_a_passphrase_opened_does_not_outlive_its_code(server: Server, browser: Browser, client: App) -> None:
    browser.open(asking(client))
    came_back(browser.send("/oauth2/consent", decision="allow", passphrase="open sesame"))
    server.wait_for(server.grantway.tidy(server.clock() + timedelta(minutes=1)))
    assert not server.rows("SELECT 1 FROM codes WHERE sealed_opening IS NOT NULL")


def test_a_prefix_without_a_passphrase_gives_nothing(server: Server, browser: Browser, client: App) -> None:
    """Never a bucket-wide key instead; and the code is still good for a request that brings the passphrase."""
    browser.open(asking(client))
    browser.send("/oauth2/consent", decision="allow", narrower="photos/2026")
    code = came_back(browser.send("/oauth2/consent", decision="allow"))["code"]  # warned, and on without it
    refused = redeem(server, client, code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert "access_grant" in redeem(server, client, code, passphrase="x").json()


def test_the_metadata(server: Server) -> None:
    issuer = server.grantway.house.issuer
    said = server.http.get("/.well-known/oauth-authorization-server").json()
    assert (said["issuer"], said["token_endpoint"]) == (issuer, issuer + "/oauth2/token")
    assert said["code_challenge_methods_supported"] == ["S256"]
