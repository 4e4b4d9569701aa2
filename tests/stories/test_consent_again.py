"""The consent page comes again in its own session only, to whom it was shown; and another account may go on instead."""

import secrets
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.consent_again import CONSENT, TYPED, answered
from tests.stories.integration_page import link
from tests.stories.running import PASSWORD, App, Server
from tests.stories.standard_flow import asking, redeem

from grantway.authorization.request import PAGE_LIFETIME


def test_deny_needs_nothing_else(browser: Browser, client: App) -> None:
    for values in ({"narrower": "/2026"}, {"narrower": "music"}, {"passphrase": TYPED}):
        browser.open(asking(client, scope="read bucket:photos"))
        assert came_back(browser.send(CONSENT, "read", decision="deny", **values))["error"] == "access_denied"


def test_the_page_comes_again_in_its_own_session_only(server: Server, browser: Browser, client: App) -> None:
    """The same person, signed in twice."""
    browser.open(asking(client, scope="read bucket:photos"))
    sent, email = dict(browser.form(CONSENT).fields), browser.page.text.split('class="who">')[1].split("<")[0]
    other = Browser(server.grantway.house.issuer)
    other.open("/sign-in")
    other.send("/sign-in", email=email, password=PASSWORD)
    other.open(asking(client, scope="read bucket:photos"))
    answer = other.send(CONSENT, decision="allow", narrower="music", request_id=sent["request_id"])
    assert (answer.status_code, "in another session" in answer.text) == (403, True)


def test_the_page_comes_again_only_to_whom_it_was_shown(server: Server, browser: Browser, client: App) -> None:
    """Not to somebody else, not late, not without its token, and not after an answer."""
    browser.open(asking(client, scope="read bucket:photos"))
    mine, sent = browser.page, dict(browser.form(CONSENT).fields)
    other = Browser(server.grantway.house.issuer)
    other.open("/register")
    other.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    for decision in ("allow", ""):
        other.open(asking(client, scope="read bucket:photos"))
        answer = other.send(CONSENT, decision=decision, narrower="music", request_id=sent["request_id"])
        assert (answer.status_code, "by somebody else" in answer.text, "<form" in answer.text.split("<main")[1]) == (403, True, False)
        browser.page = mine
        answer = browser.send(CONSENT, decision=decision, narrower="music", csrf="x")
        assert (answer.status_code, "too old" in answer.text) == (403, True)
        browser.page = mine
        with server.clock.later(PAGE_LIFETIME):
            assert "has to ask again" in browser.send(CONSENT, decision=decision, narrower="music").text
    browser.page = mine
    browser.send(CONSENT, decision="deny")
    browser.page = mine
    assert "You answered this before" in browser.send(CONSENT, decision="", narrower="music").text


@pytest.mark.parametrize("decision", ["", "ALLOW", "again", "allow\n"])
def test_what_is_neither_allow_nor_deny_decides_nothing(server: Server, browser: Browser, client: App, decision: str) -> None:
    before = answered(server)
    browser.open(asking(client))
    answer = browser.send(CONSENT, "list", decision=decision, lifetime="day", narrower="photos")
    assert (answer.status_code, "Nothing is decided yet. Press Allow or Deny." in answer.text) == (200, True)
    assert browser.form(CONSENT).ticked == [("scope", "read"), ("lifetime", "day")]
    assert dict(browser.form(CONSENT).fields)["narrower"] == "photos"
    assert answered(server) == before


def register_instead(browser: Browser) -> str:
    """From the sign-in page to a new account, and on to where that page leads."""
    browser.open("/register?" + urlencode({"next": dict(browser.form("/sign-in").fields)["next"]}))
    email = f"{secrets.token_hex(6)}@example.org"
    browser.register(email, PASSWORD)
    return email


@pytest.mark.parametrize("is_again", [False, True])
def test_another_account_goes_on_with_the_same_request(server: Server, browser: Browser, client: App, is_again: bool) -> None:
    """With a request of its own: the one that was open ends with its session."""
    browser.open(asking(client, scope="read bucket:photos"))
    if is_again:
        browser.send(CONSENT, decision="allow", narrower="music")
    first = dict(browser.form(CONSENT).fields)["request_id"]
    browser.send("/sign-out")
    email = register_instead(browser)
    assert f'class="who">{email}<' in browser.page.text
    assert dict(browser.form(CONSENT).fields)["request_id"] != first
    other = browser.page
    assert browser.send(CONSENT, decision="allow", request_id=first).status_code == 403
    browser.page = other
    back = came_back(browser.send(CONSENT, decision="allow"))
    assert (back["state"], "access_token" in redeem(server, client, back["code"]).json()) == ("st%te &", True)


def test_another_account_goes_on_from_the_integration_page(browser: Browser, client: App) -> None:
    browser.open(link(client, state="s"))
    browser.send(CONSENT, decision="")
    browser.send("/sign-out")
    assert client.client_secret not in browser.page.text
    email = register_instead(browser)
    assert f'class="who">{email}<' in browser.page.text
    assert came_back(browser.send(CONSENT, decision="allow"))["state"] == "s"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/sign-out",
        "/oauth2/consent",
        "/oauth2/authorize?a\r\nx: y",
        "javascript:x",
    ],
)
def test_signing_out_leads_to_our_own_pages_only(browser: Browser, client: App, target: str) -> None:
    """Whatever the form says, or the consent page's, from which it is shown again."""
    browser.open(asking(client))
    browser.send(CONSENT, decision="", next=target)
    assert dict(browser.form("/sign-out").fields)["next"] in {"/connected-apps", "/oauth2/authorize"}
    csrf = dict(browser.form("/sign-out").fields)["csrf"]
    answer = browser.http.post("/sign-out", data={"csrf": csrf, "next": target}, headers={"Origin": browser.issuer})
    assert answer.headers["location"] in {"/sign-in?next=%2Fconnected-apps", "/sign-in?next=%2Foauth2%2Fauthorize"}
