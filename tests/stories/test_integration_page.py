"""StorX's integration page, as apps that were written for it send people there: a JWT in the URL, a code or an access grant back."""

import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, approved, new_app, person, running

from grantway.access_grant import AccessGrant, Action, Allowed
from grantway.authorization.request import PAGE_LIFETIME

PAGE = "/oauth2-integration"


def signed_in(server: Server) -> Browser:
    one = Browser(server.grantway.house.issuer)
    one.open("/register")
    one.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    return one


@pytest.fixture
def browser(server: Server) -> Browser:
    return signed_in(server)


def link(client: App, **changes: str | None) -> str:
    """What existing apps make: four parameters, scopes with commas between them."""
    parameters = {
        "client_id": client.client_id,
        "client_secret": client.jwt(),
        "redirect_uri": REDIRECT_URI,
        "scope": "read,write",
        **changes,
    }
    return f"{PAGE}?" + urlencode({name: value for name, value in parameters.items() if value is not None}, safe=",:/")


def url_of(answer: httpx.Response) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(answer.url)).query))


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


@pytest.mark.parametrize("scope", ["read,list", "read list", "read, list", "read+list", "read%2Clist"])
def test_scopes_with_commas_or_spaces(browser: Browser, client: App, scope: str) -> None:
    browser.open(link(client, scope=None) + f"&scope={scope}&access=readwrite")
    assert browser.page.text.count('name="scope"') == 2
    assert "see which files there are" in browser.page.text


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


def test_the_page_may_be_loaded_again(browser: Browser, client: App) -> None:
    """The same JWT opens it until it ends; each time is a request of its own."""
    jwt = client.jwt()
    for _ in range(3):
        browser.open(link(client, client_secret=jwt))
        assert 'Allow <bdi class="theirs">Photo Box</bdi>' in browser.page.text
        browser.open(str(browser.page.url))
        assert 'Allow <bdi class="theirs">Photo Box</bdi>' in browser.page.text
    assert came_back(browser.send("/oauth2/consent", decision="allow"))["code"]


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


def test_the_mark_holds_in_this_browser_for_this_request_and_ten_minutes(server: Server, browser: Browser, client: App) -> None:
    page = browser.open(link(client)).url
    assert browser.open(str(page)).status_code == 200
    stranger = signed_in(server)
    assert "begin again" in stranger.open(str(page)).text
    for changes in ({"scope": "read write delete"}, {"redirect_uri": "http://x"}, {"until": "9999999999"}, {"mark": ""}, {"state": "x"}):
        changed = f"{PAGE}?" + urlencode({**url_of(browser.open(str(page))), **changes})
        assert browser.open(changed).status_code == 400, changes
    with server.clock.later(PAGE_LIFETIME + timedelta(seconds=1)):
        assert "begin again" in browser.open(str(page)).text
    assert "begin again" in Browser(server.grantway.house.issuer).open(str(page)).text


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


# the access grant in the redirect


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data"), access_grant_in_redirect=True) as started:
        yield started


def test_an_access_grant_goes_back_where_the_operator_wants_it(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"))
    browser = signed_in(careless)
    browser.open(link(client, state="s"))
    back = came_back(browser.send("/oauth2/consent", decision="allow", narrower="photos/2026", passphrase="open sesame"))
    assert set(back) == {"access_grant", "state", "iss"}
    grant = AccessGrant.parse(back["access_grant"])
    satellite = careless.grantway.satellite
    under = grant.encryption_access.encrypt_prefix(b"photos", b"2026/x.jpg")
    answers = [careless.wait_for(satellite.check(grant.api_key, Action.READ, b"photos", path, careless.clock())) for path in (under, b"x")]
    assert [isinstance(one, Allowed) for one in answers] == [True, False]
    browser.open("/connected-apps")
    browser.send("/connected-apps/revoke")
    again = careless.wait_for(satellite.check(grant.api_key, Action.READ, b"photos", under, careless.clock()))
    assert not isinstance(again, Allowed)


def test_without_a_passphrase_it_is_the_empty_one_as_at_storx(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"))
    browser = signed_in(careless)
    browser.open(link(client))
    assert "the key of the empty passphrase" in browser.page.text
    grant = AccessGrant.parse(came_back(browser.send("/oauth2/consent", decision="allow"))["access_grant"])
    browser.open(link(client))
    assert "access_grant" in came_back(browser.send("/oauth2/consent", decision="allow", narrower="photos/2026"))  # nothing to warn of
    browser.open(link(client))
    other = AccessGrant.parse(came_back(browser.send("/oauth2/consent", decision="allow", passphrase="x"))["access_grant"])
    assert grant.encryption_access.serialise() != other.encryption_access.serialise()


def test_without_a_project_the_app_hears_why(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"))
    user = person(careless)
    browser = Browser(careless.grantway.house.issuer)
    browser.open("/sign-in")
    browser.send("/sign-in", email=user.email, password=PASSWORD)
    for project in user.call("GET", "/api/v0/projects").json():
        user.call("DELETE", f"/api/v0/projects/{project['id']}")
    browser.open(link(client, state="s"))
    back = came_back(browser.send("/oauth2/consent", decision="allow"))
    assert (back["error"], back["state"]) == ("no_project", "s")


def test_the_standard_flow_still_gives_a_code(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"), require_pkce=False)
    browser = signed_in(careless)
    asked = {"client_id": client.client_id, "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "read"}
    browser.open("/oauth2/authorize?" + urlencode(asked))
    assert "code" in came_back(browser.send("/oauth2/consent", decision="allow"))
    user = person(careless)
    assert client.exchange(approved(user, client)).status_code == 200
    browser.open(link(client))
    assert came_back(browser.send("/oauth2/consent", decision="deny"))["error"] == "access_denied"
