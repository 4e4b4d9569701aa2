"""The JWT in the integration page's URL: it is good for nothing else, and the mark that remembers it holds for one request."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser
from tests.stories.integration_page import PAGE, link, url_of
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, new_app, person, running
from tests.stories.victims import somebody

from grantway.authorization.request import PAGE_LIFETIME


def test_a_mark_is_good_while_the_master_key_is_rotated(tmp_path: Path) -> None:
    old, new = "ab" * 32, "cd" * 32
    with running(tmp_path, master_key=old) as server:
        browser, client = Browser(server.grantway.house.issuer), new_app(server, person(server, "developer"))
        there, cookies = browser.http.get(link(client)).headers["location"], dict(browser.http.cookies)
    with running(tmp_path, master_key=f"{new},{old}") as server:
        browser = Browser(server.grantway.house.issuer)
        browser.http.cookies.update(cookies)
        browser.open(there)
        assert "<h1>Sign in</h1>" in browser.page.text


def test_a_jwt_of_the_url_is_good_for_nothing_else(server: Server, browser: Browser, client: App, developer: Person, user: Person) -> None:
    jwt, code = client.jwt(), approved(user, client)
    browser.open(link(client, client_secret=jwt))
    refused = client.exchange(code, client_secret=jwt)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{refused.json()['trace_id']}").json()
    assert found["cause"] == "assertion_exposed"
    form = {"client_id": client.client_id, "client_secret": jwt, "token": "x"}
    for path in ("/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"):
        fields = {**form, "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        assert server.http.post(path, data=fields).status_code == 401, path
    assert client.exchange(code).status_code == 200


@pytest.mark.parametrize(
    "spoilt",
    ["client_id=%20", "client_id=upper", "client_id=", "scope=read&scope=list", "x=%ff", "client_secret=%20{jwt}%20", "client_secret=x"],
)
def test_a_jwt_of_a_refused_url_is_good_for_nothing_either(
    server: Server, browser: Browser, client: App, user: Person, spoilt: str
) -> None:
    """It stands in the same histories and logs, whatever is wrong with the rest of the URL."""
    jwt, code = client.jwt(), approved(user, client)
    name, _, value = spoilt.partition("=")
    if name == "client_id":
        changed = {" ": f"{client.client_id} ", "upper": client.client_id.upper()}.get(value.replace("%20", " "))
        url = link(client, client_secret=jwt, client_id=changed)
    else:
        url = link(client, client_secret=jwt) + "&" + spoilt.format(jwt=jwt)
    assert browser.open(url).status_code == 400
    assert client.exchange(code, client_secret=jwt).status_code == 401
    assert client.exchange(code).status_code == 200


def test_a_code_cannot_make_a_retry_of_a_jwt_that_was_in_a_url(browser: Browser, client: App) -> None:
    jwt = client.jwt()
    browser.open(link(client, client_secret=jwt))
    assert client.exchange(jwt.rpartition(".")[0], client_secret=jwt).status_code == 401


@pytest.mark.parametrize("until", ["99999999999", "x", "", "1e3", "9" * 5000, "-1", "\u0661"])
def test_nobody_makes_a_mark_of_their_own(browser: Browser, client: App, until: str) -> None:
    """Also not whoever has the browser, and so knows its cookies."""
    visitor = browser.http.cookies["grantway_visitor"]
    text = json.dumps([client.client_id, REDIRECT_URI, ["read"], None, until])
    forged = urlsafe_b64encode(hmac.digest(visitor.encode(), f"mark\0{text}".encode(), "sha256")).rstrip(b"=").decode()
    sent = {"client_id": client.client_id, "redirect_uri": REDIRECT_URI, "scope": "read", "until": until, "mark": forged}
    assert browser.open(f"{PAGE}?{urlencode(sent)}").status_code == 400


def test_what_is_remembered_ends_with_the_jwt(server: Server, client: App) -> None:
    browser = Browser(server.grantway.house.issuer)
    browser.http.get(link(client))
    count = "SELECT count(*) FROM exposed_assertions"
    assert server.rows(count)[0][0] >= 1
    server.wait_for(server.grantway.tidy(server.clock() + timedelta(minutes=3)))
    assert server.rows(count)[0][0] >= 1
    server.wait_for(server.grantway.tidy(server.clock() + timedelta(hours=3)))
    assert server.rows(count)[0][0] == 0
    for _ in range(2):
        browser.http.get(link(client, client_secret=client.jwt(secret="x" * 40)))
    assert server.rows(count)[0][0] == 0  # strangers fill nothing


def test_a_jwt_may_live_for_an_hour_here(server: Server, browser: Browser, client: App, user: Person) -> None:
    """Apps of StorX sign for half an hour. One that ends later is refused, and stays refused everywhere when it is short enough."""
    now = int(server.clock().timestamp())
    assert "Allow <bdi" in browser.open(link(client, client_secret=client.jwt(exp=now + 1800))).text
    long = client.jwt(exp=now + 7200)
    assert browser.open(link(client, client_secret=long)).status_code == 400
    with server.clock.later(timedelta(seconds=7000)):
        assert client.exchange(approved(user, client), client_secret=long).json()["error"] == "invalid_client"


def test_the_mark_holds_in_this_browser_for_this_request_and_ten_minutes(server: Server, browser: Browser, client: App) -> None:
    page = browser.open(link(client)).url
    assert browser.open(str(page)).status_code == 200
    stranger = somebody(server)
    assert "begin again" in stranger.open(str(page)).text
    for changes in ({"scope": "read write delete"}, {"redirect_uri": "http://x"}, {"until": "9999999999"}, {"mark": ""}, {"state": "x"}):
        changed = f"{PAGE}?" + urlencode({**url_of(browser.open(str(page))), **changes})
        assert browser.open(changed).status_code == 400, changes
    with server.clock.later(PAGE_LIFETIME + timedelta(seconds=1)):
        assert "begin again" in browser.open(str(page)).text
    assert "begin again" in Browser(server.grantway.house.issuer).open(str(page)).text
