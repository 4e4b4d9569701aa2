"""Who signs in or registers on the way from an app is told from which; an app that would be refused afterwards is not named."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser
from tests.stories.running import App, Person, Server, new_app, person, running

from grantway.authorization.request import PAGE_LIFETIME

NAME = "Box <b>of</b> photos"
SHOWN = "to go on to "
BOX = '<bdi class="theirs">Box &lt;b&gt;of&lt;/b&gt; photos</bdi>'
CLIENTS = "/api/v0/developer/auth/oauth2/clients"


@pytest.fixture
def app(server: Server, developer: Person) -> App:
    return new_app(server, developer, name=NAME, scopes=["read", "list"])


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server.grantway.house.issuer)


def asking(app: App, **changes: str) -> str:
    fields = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": "read"}
    return f"/oauth2/authorize?{urlencode({**fields, 'code_challenge': 'a' * 43, 'code_challenge_method': 'S256', **changes})}"


def of_storx(app: App) -> str:
    fields = {"client_id": app.client_id, "client_secret": app.jwt(), "redirect_uri": app.redirect_uri, "scope": "read,list"}
    return f"/oauth2-integration?{urlencode(fields)}"


@pytest.mark.parametrize("target", [asking, of_storx])
def test_the_app_is_named_until_one_is_signed_in(browser: Browser, app: App, target: Callable[[App], str]) -> None:
    assert f"Sign in {SHOWN}{BOX}." in browser.open(target(app)).text
    goes_on = dict(browser.form("/sign-in").fields)["next"]
    again = browser.send("/sign-in", email="nobody@example.org", password="wrong")
    assert (again.status_code, f"Sign in {SHOWN}{BOX}." in again.text) == (401, True)
    assert f"Register {SHOWN}{BOX}." in browser.open(f"/register?{urlencode({'next': goes_on})}").text
    again = browser.send("/register", name="Uma", email="uma", password="short")
    assert (again.status_code, f"Register {SHOWN}{BOX}." in again.text) == (400, True)
    asked = browser.send("/register", name="Uma", email=f"{app.client_id}@example.org", password="a long password")
    assert f"<h1>Allow {BOX} to use your storage?</h1>" in asked.text


REFUSED: dict[str, Callable[[App], str]] = {
    "no such app": lambda app: asking(app, client_id="Box"),
    "a redirect URI of somebody else": lambda app: asking(app, redirect_uri="https://evil.example/"),
    "a scope that it may not ask for": lambda app: asking(app, scope="delete"),
    "no PKCE": lambda app: asking(app, code_challenge=""),
    "another type": lambda app: asking(app, response_type="token"),
    "a parameter twice": lambda app: f"{asking(app)}&state=a&state=b",
    "a query that cannot be read": lambda app: f"{asking(app)}&x=%ff",
    "too many parameters": lambda app: asking(app) + "&x=y" * 50,
    "another page": lambda app: asking(app).replace("/oauth2/authorize", "/account"),
    "somebody else's site": lambda app: f"https://evil.example{asking(app)}",
    "StorX's page with the JWT": of_storx,
    "StorX's page without its mark": lambda app: of_storx(app).replace("client_secret", "until"),
    "StorX's page with a mark that is none": lambda app: of_storx(app).replace("client_secret", "until=9999999999&mark"),
}


@pytest.mark.parametrize("target", REFUSED.values(), ids=REFUSED)
def test_an_app_that_would_be_refused_is_not_named(browser: Browser, app: App, target: Callable[[App], str]) -> None:
    for path in ("/sign-in", "/register", "/developer/sign-in"):
        shown = browser.open(f"{path}?{urlencode({'next': target(app)})}")
        assert (shown.status_code, SHOWN in shown.text, "of photos" in shown.text) == (200, False, False)


def test_a_disabled_app_is_not_named(browser: Browser, developer: Person, app: App) -> None:
    browser.open(asking(app))
    assert developer.call("PATCH", f"{CLIENTS}/{app.client_id}/status", {"status": 0}).status_code == 200
    assert SHOWN not in browser.http.get(str(browser.page.url)).text


def test_a_page_that_waited_too_long_names_nobody(server: Server, browser: Browser, app: App) -> None:
    browser.open(of_storx(app))
    with server.clock.later(PAGE_LIFETIME * 2):
        assert SHOWN not in browser.http.get(str(browser.page.url)).text


def test_who_looks_apps_up_too_often_is_told_no_name(tmp_path: Path) -> None:
    """As at the page that the app sends them to: else anybody could try client_ids here as often as they like."""
    with running(tmp_path, rate_limits=True, token_requests_per_minute=3) as server:
        app = new_app(server, person(server, "developer"), name=NAME)
        browser = Browser(server.grantway.house.issuer)
        target = f"/sign-in?{urlencode({'next': asking(app)})}"
        shown = [browser.http.get(target) for _ in range(5)]
        assert [(one.status_code, SHOWN in one.text) for one in shown] == [(200, True)] * 3 + [(200, False)] * 2
        assert browser.http.get(f"/sign-in?{urlencode({'next': '/account'})}").status_code == 200
        assert browser.http.get(asking(app)).status_code == 429
