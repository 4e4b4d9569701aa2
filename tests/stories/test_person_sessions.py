"""A person's session: where signing in leads, and what signing out, a new password and a planted cookie do to it."""

import secrets

import pytest
from tests.stories.browser import Browser
from tests.stories.running import PASSWORD, Server


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "/oauth2/authorize?a\r\nx: y", "javascript:x"]
)
def test_signing_in_leads_to_our_own_pages_only(browser: Browser, target: str) -> None:
    answer = browser.http.get("/sign-in", params={"next": target})
    assert answer.headers["location"] == "/connected-apps"


def test_a_wrong_password_and_an_unknown_address_look_alike(server: Server, browser: Browser) -> None:
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    other = Browser(server.grantway.house.issuer)
    pages = []
    for address in (email, "nobody@example.org"):
        other.open("/sign-in")
        answer = other.send("/sign-in", email=address, password="wrong password")
        pages.append((answer.status_code, answer.text.replace(address, "")))
    assert pages[0] == pages[1]
    assert pages[0][0] == 401


def test_signing_out_ends_the_session(browser: Browser) -> None:
    token = browser.http.cookies["grantway_user"]
    browser.open("/connected-apps")
    browser.send("/sign-out")
    browser.http.cookies.set("grantway_user", token)
    assert "<h1>Sign in</h1>" in browser.open("/connected-apps").text


def test_a_new_password_ends_every_session(server: Server, browser: Browser) -> None:
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    other = Browser(server.grantway.house.issuer)
    other.open("/sign-in")
    other.send("/sign-in", email=email, password=PASSWORD)
    browser.open("/password")
    assert browser.send("/password", old="wrong password", new="a new password").status_code == 401
    assert browser.send("/password", old=PASSWORD, new="short").status_code == 400
    assert "every session has ended" in browser.send("/password", old=PASSWORD, new="a new password").text
    assert "<h1>Sign in</h1>" in other.open("/connected-apps").text
    assert other.send("/sign-in", email=email, password=PASSWORD).status_code == 401
    assert "<h1>Connected apps</h1>" in other.send("/sign-in", email=email, password="a new password").text


def test_a_planted_session_is_not_taken_over(server: Server) -> None:
    """Signing in makes a new token, and one that somebody else chose opens nothing."""
    browser = Browser(server.grantway.house.issuer)
    planted = {"Cookie": "grantway_user=planted"}
    assert browser.http.get("/connected-apps", headers=planted).headers["location"].startswith("/sign-in")
    browser.open("/register")
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert browser.http.cookies["grantway_user"] != "planted"
    assert browser.http.get("/connected-apps", headers=planted).headers["location"].startswith("/sign-in")
