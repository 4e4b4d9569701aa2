"""StorX's integration page, as apps that were written for it send people there: the story, what goes back, and what is refused."""

import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.integration_page import PAGE, link
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, new_app

from grantway.access_grant import AccessGrant, Action, Allowed


def test_the_whole_story(server: Server, client: App) -> None:
    """Not signed in: from the app to this page, to registration, to consent, back with a code, and to the access grant."""
    browser = Browser(server.grantway.house.issuer)
    jwt = client.jwt()
    browser.open(link(client, client_secret=jwt))
    assert "<h1>Sign in</h1>" in browser.page.text
    assert jwt not in str(browser.page.url) + browser.page.text
    browser.open("/register?" + urlencode({"next": dict(browser.form("/sign-in").fields)["next"]}))
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert browser.page.url.path == PAGE
    assert jwt not in str(browser.page.url) + browser.page.text
    assert "download and read your files" in browser.page.text
    assert "upload files" in browser.page.text
    back = came_back(browser.send("/oauth2/consent", decision="allow"))
    assert set(back) == {"code", "iss"}
    answer = client.exchange(back["code"])
    assert answer.json()["scopes"] == ["read", "write"]
    grant = AccessGrant.parse(answer.json()["access_grant"])
    satellite = server.grantway.satellite
    assert isinstance(server.wait_for(satellite.check(grant.api_key, Action.WRITE, b"photos", b"", server.clock())), Allowed)


def test_the_jwt_goes_no_further(server: Server, client: App) -> None:
    """The first answer leads on without it, lets no Referer out, and the page after it has a mark in its place."""
    browser = Browser(server.grantway.house.issuer)
    first = browser.http.get(link(client, state="a b&c"))
    assert (first.status_code, first.headers["referrer-policy"], first.content) == (303, "no-referrer", b"")
    assert first.headers["cache-control"] == "no-store"
    there = dict(parse_qsl(urlsplit(first.headers["location"]).query))
    assert set(there) == {"client_id", "redirect_uri", "scope", "state", "until", "mark"}
    assert (there["scope"], there["state"]) == ("read write", "a b&c")


@pytest.mark.parametrize("scope", ["read,list", "read list", "read, list", "read+list", "read%2Clist"])
def test_scopes_with_commas_or_spaces(browser: Browser, client: App, scope: str) -> None:
    browser.open(link(client, scope=None) + f"&scope={scope}&access=readwrite")
    assert browser.page.text.count('name="scope"') == 2
    assert "see which files there are" in browser.page.text


def test_the_page_may_be_loaded_again(browser: Browser, client: App) -> None:
    """The same JWT opens it until it ends; each time is a request of its own."""
    jwt = client.jwt()
    for _ in range(3):
        browser.open(link(client, client_secret=jwt))
        assert 'Allow <bdi class="theirs">Photo Box</bdi>' in browser.page.text
        browser.open(str(browser.page.url))
        assert 'Allow <bdi class="theirs">Photo Box</bdi>' in browser.page.text
    assert came_back(browser.send("/oauth2/consent", decision="allow"))["code"]


def bad_links(client: App, other: App) -> dict[str, tuple[dict[str, str | None], str]]:
    """What does not prove the app, and the cause that its developer finds."""
    now = int(client.clock().timestamp())
    return {
        "another key": ({"client_secret": client.jwt(secret="x" * 40)}, "unknown_key"),
        "another app's secret": ({"client_secret": client.jwt(secret=other.client_secret)}, "secret_of_another_client_of_yours"),
        "for another client": ({"client_secret": client.jwt(client_id="somebody")}, "claim_client_id_mismatch"),
        "expired": ({"client_secret": client.jwt(exp=now - 1)}, "assertion_expired"),
        "too long": ({"client_secret": client.jwt(exp=now + 7200)}, "exp_too_far"),
        "another app's JWT": ({"client_secret": other.jwt()}, "secret_of_another_client_of_yours"),
        "the secret itself": ({"client_secret": client.client_secret}, "raw_secret_sent"),
        "no JWT": ({"client_secret": "x"}, "assertion_malformed"),
        "nothing": ({"client_secret": None}, "no_credentials"),
        "an empty one": ({"client_secret": ""}, "no_credentials"),
        "for elsewhere": ({"client_secret": client.jwt(aud="https://elsewhere.example")}, "aud_mismatch"),
    }


def test_what_does_not_prove_the_app(server: Server, browser: Browser, client: App, developer: Person) -> None:
    """One page for all, an unknown client's too; the reason is for the developer alone."""
    pages = set()
    for name, (changes, cause) in bad_links(client, new_app(server, developer, name="Other")).items():
        answer = browser.open(link(client, **changes))
        assert (answer.status_code, answer.headers["referrer-policy"]) == (400, "no-referrer"), name
        assert "location" not in answer.headers
        trace_id = answer.text.split("Trace id: <code>")[1].split("<")[0]
        pages.add(answer.text.replace(trace_id, ""))
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{trace_id}").json()
        assert (found["cause"], found["endpoint"], found["status"]) == (cause, "integration", 400), (name, found["faults"])
        assert client.client_secret not in str(found)
    unknown = browser.open(link(client, client_id="nobody"))
    pages.add(unknown.text.replace(unknown.text.split("Trace id: <code>")[1].split("<")[0], ""))
    assert len(pages) == 1


@pytest.mark.parametrize("uri", ["https://evil.example/", REDIRECT_URI + "/", REDIRECT_URI + "#x", None, "https://myapp.com@evil.example/"])
def test_where_nothing_goes_back_to(browser: Browser, client: App, uri: str | None) -> None:
    answer = browser.open(link(client, redirect_uri=uri))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "Trace id" in answer.text


@pytest.mark.parametrize("scope", [None, "", "admin", "bucket:photos", "files:read"])
def test_what_goes_back_to_the_app(server: Server, client: App, scope: str | None) -> None:
    back = came_back(Browser(server.grantway.house.issuer).open(link(client, scope=scope, state="s")))
    assert (back["error"], back["state"]) == ("invalid_scope", "s")


def test_deny(browser: Browser, client: App) -> None:
    browser.open(link(client))
    assert came_back(browser.send("/oauth2/consent", decision="deny"))["error"] == "access_denied"


def test_odd_queries(browser: Browser, client: App) -> None:
    for url in (
        link(client) + "&scope=read",
        link(client) + "&mark=x&mark=y",
        f"{PAGE}?%ff",
        PAGE,
        f"{PAGE}?mark=x",
        f"{PAGE}?mark=x&until=x",
    ):
        assert browser.open(url).status_code == 400, url
    assert browser.http.post(PAGE, data={"client_id": client.client_id}).status_code == 405
    assert browser.open(link(client, client_id="a\0b")).status_code == 400
    assert browser.open(link(client, client_secret="x" * 9000)).status_code == 400


def test_a_disabled_app(server: Server, browser: Browser, client: App, developer: Person) -> None:
    page = str(browser.open(link(client)).url)
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}/status", {"status": 0})
    assert browser.open(link(client)).status_code == 400
    assert browser.open(page).status_code == 400
    assert "location" not in browser.page.headers
