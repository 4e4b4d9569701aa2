"""What a person finds on the pages of their own: one app, many apps, when access ends, going there, going back."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser
from tests.stories.person_pages import ACCESS, MOMENT, browser_of, words
from tests.stories.running import PASSWORD, App, Person, Server, approved, asked, new_app, person
from tests.stories.victims import somebody

from grantway.authorization import pkce
from grantway.web import connected_apps


def test_the_page_of_one_app(server: Server, client: App) -> None:
    """Each thing that was allowed is told with its own places, never their union; and what was answered."""
    user = person(server)
    browser = browser_of(server, user)
    client.exchange(approved(user, client, ["read"]))
    body = {"approved_scopes": ["write", "bucket:photos"]}
    client.exchange(approved(user, client, ["write"], {**body}))
    user.call("POST", "/api/v0/oauth2/consent", {"request_id": asked(user, client, ["list"])["request_id"], "approve": False})
    asked(user, client, ["delete"])
    text = words(browser.open(f"/connected-apps/{client.client_id}").text)
    assert "Only in the bucket photos: It may upload files" in text
    assert "In every bucket of the project: It may download and read your files." in text
    assert "You have not answered yet." in text
    assert "It asked to see which files there are, with their sizes and dates. In every bucket of the project. Nothing was allowed" in text
    assert text.count("UTC you allowed this, until") == 1
    assert text.count("UTC you allowed less, until") == 1
    listed = words(browser.open("/connected-apps").text)
    assert "Only in the bucket photos: It may upload files" in listed
    assert "In every bucket of the project: It may download and read your files." in listed
    with server.clock.later(timedelta(minutes=2)):
        assert "You did not answer" in browser.open(f"/connected-apps/{client.client_id}").text


DAY = 86_400
TWO_ENDS = f"the first of it on ({MOMENT}), the last on ({MOMENT})"
ENDS: dict[str, tuple[list[tuple[list[str], int]], str, list[int]]] = {
    "once": ([(["read"], DAY)], f"({MOMENT})", [1]),
    "the same twice": ([(["read"], 9 * DAY), (["read"], DAY)], f"({MOMENT})", [9]),
    "the same in another order": ([(["list", "read"], DAY), (["read", "list"], 9 * DAY)], f"({MOMENT})", [9]),
    "two things": ([(["read"], DAY), (["write"], 9 * DAY)], TWO_ENDS, [1, 9]),
    "one in two places": ([(["read", "bucket:a"], 9 * DAY), (["read", "bucket:b"], DAY)], TWO_ENDS, [1, 9]),
    "three": ([(["read"], DAY), (["write"], 5 * DAY), (["list"], 9 * DAY)], TWO_ENDS, [1, 9]),
    "one of two longer": ([(["read"], DAY), (["write"], DAY), (["read"], 9 * DAY)], TWO_ENDS, [1, 9]),
}


@pytest.mark.parametrize(("consents", "told", "days"), ENDS.values(), ids=ENDS)
def test_when_it_ends(server: Server, client: App, consents: list[tuple[list[str], int]], told: str, days: list[int]) -> None:
    """Of what was allowed twice the later end counts; of several things both ends are told. Programs are told the last, as ever."""
    user = person(server)
    for scopes, seconds in consents:
        client.exchange(approved(user, client, scopes, {"expires_in": seconds}))
    browser = browser_of(server, user)
    for path in ("/connected-apps", f"/connected-apps/{client.client_id}"):
        found = re.search(f"Ends by itself{told}(?: Keys| Revoke)", words(browser.open(path).text))
        assert found
        ends = [datetime.strptime(text, "%d %B %Y, %H:%M UTC").replace(tzinfo=UTC) for text in found.groups()]
        assert [round((one - server.clock()) / timedelta(days=1)) for one in ends] == days
    (listed,) = user.call("GET", ACCESS).json()
    assert round((datetime.fromisoformat(listed["consent_expires_at"]) - server.clock()) / timedelta(days=1)) == days[-1]


def test_the_same_for_two_projects_ends_twice(server: Server, client: App) -> None:
    user = person(server)
    other = user.call("POST", "/api/v0/projects", {"name": "The second"}).json()["id"]
    client.exchange(approved(user, client, ["read"], {"expires_in": 9 * DAY}))
    client.exchange(approved(user, client, ["read"], {"expires_in": DAY, "project_id": other}))
    assert "Ends by itselfthe first of it on" in words(browser_of(server, user).open("/connected-apps").text)


def test_an_app_that_never_had_anything(server: Server, client: App) -> None:
    user = person(server)
    user.call("POST", "/api/v0/oauth2/consent", {"request_id": asked(user, client)["request_id"], "approve": False})
    text = words(browser_of(server, user).open(f"/connected-apps/{client.client_id}").text)
    assert "What it may do Nothing. Its keys It has none. History" in text


@pytest.mark.parametrize("path", ["/account", "/connected-apps/{client_id}", "/connected-apps/a%20b"])
def test_signing_in_leads_back_to_where_one_was_going(server: Server, client: App, path: str) -> None:
    user, target = person(server), path.format(client_id=client.client_id)
    client.exchange(approved(user, client, ["read"]))
    browser = Browser(server.grantway.house.issuer)
    browser.open(target)
    assert "<h1>Sign in</h1>" in browser.page.text
    browser.send("/sign-in", email=user.email, password=PASSWORD)
    assert browser.page.url.raw_path.decode() == target
    assert browser.page.status_code == (404 if "%20" in target else 200)


def test_many_apps_are_on_several_pages(server: Server, developer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connected_apps, "SHOWN", 2)
    user = person(server)
    apps = [new_app(server, developer, name=f"App {number}") for number in range(5)]
    browser = browser_of(server, user)
    assert "No app has access to your storage." in words(browser.open("/connected-apps").text)
    for app in apps:
        app.exchange(approved(user, app, ["read"]))

    def shown(query: str) -> tuple[list[str], list[str]]:
        text = browser.open(f"/connected-apps{query}").text
        return re.findall(r"<h2><bdi[^>]*>([^<]+)</bdi>", text), re.findall(r'href="/connected-apps\?page=([0-9]+)"', text)

    assert shown("") == (["App 4", "App 3"], ["2"])
    assert shown("?page=2") == (["App 2", "App 1"], ["1", "3"])
    assert shown("?page=3") == (["App 0"], ["2"])
    assert shown("?page=4") == ([], ["3"])
    assert "No app on this page has access to your storage." in browser.page.text
    with server.clock.later(timedelta(days=40)):
        ended = browser_of(server, user)
        # those that hold access come first: where the first page has none, none has
        assert "No app has access to your storage." in words(ended.open("/connected-apps").text)
        assert "More apps" in ended.page.text
    for nonsense in ("?page=0", "?page=-1", "?page=x", "?page=99999", "?page="):
        assert shown(nonsense)[0] == ["App 4", "App 3"]


def test_what_was_revoked_is_named_and_only_what_was(server: Server, developer: Person) -> None:
    """A link that somebody else made says of no app that it lost what it has."""
    user = person(server)
    browser = browser_of(server, user)
    one, other = (new_app(server, developer, name=name) for name in ("Photo Box", "<b>Other</b>"))
    for app in (one, other):
        app.exchange(approved(user, app, ["read"]))
    for untrue in (one.client_id, "1", "nobody", "", "x" * 200):
        assert "no longer works" not in browser.open(f"/connected-apps?revoked={untrue}").text
    browser.send("/connected-apps/revoke", client_id=other.client_id)
    assert "Every key that &lt;b&gt;Other&lt;/b&gt; had from you no longer works." in words(browser.page.text)


def test_apps_that_a_policy_cannot_name(server: Server, developer: Person) -> None:
    """At an address that is no host's name: a page in between that goes on by itself, with a link; the form may end only here."""
    for uri in ("http://[::1]:8080/cb", "https://[2001:db8::1]/cb", "https://10.0.0.1/cb?x=1", "https://app.example./cb"):
        client = new_app(server, developer, redirect_uris=[uri])
        sent = {"response_type": "code", "client_id": client.client_id, "scope": "read", "code_challenge_method": "S256"}
        browser = somebody(server)
        page = browser.open("/oauth2/authorize?" + urlencode({**sent, "code_challenge": pkce.challenge_of("v" * 43)}))
        assert "form-action 'self';" in page.headers["content-security-policy"]
        back = browser.send("/oauth2/consent", decision="deny")
        assert back.status_code == 200
        assert back.headers["refresh"].startswith(f"0; url={uri}{'&' if '?' in uri else '?'}error=access_denied")
        assert f'<a href="{uri}' in back.text


@pytest.mark.parametrize("side", ["", "/developer"])
def test_a_password_is_typed_twice_where_it_is_chosen(server: Server, side: str) -> None:
    """Nobody sees what they type, and only the operator can help who mistyped: a difference is told, and nothing is done."""
    browser, email, chosen = Browser(server.grantway.house.issuer), f"{secrets.token_hex(6)}@example.org", "another good password"
    for again in ("", PASSWORD + "x", PASSWORD.upper()):
        browser.open(f"{side}/register")
        page = browser.send(f"{side}/register", name="Uma", email=email, password=PASSWORD, again=again)
        assert (page.status_code, "differ. Type both anew." in page.text, PASSWORD in page.text) == (400, True, False)
        assert {"name": "Uma", "email": email}.items() <= dict(browser.form(f"{side}/register").fields).items()
    browser.send(f"{side}/register", name="Uma", email=email, password=PASSWORD, again=PASSWORD)
    assert browser.open(f"{side}/password").status_code == 200
    page = browser.send(f"{side}/password", old=PASSWORD, new=chosen, again=PASSWORD)
    assert (page.status_code, "differ. Type both anew." in page.text) == (400, True)
    page = browser.send(f"{side}/password", old=PASSWORD, new=chosen, again=chosen)
    assert "every session has ended" in page.text


def test_a_session_says_where_it_began(server: Server) -> None:
    user = person(server)
    browser = browser_of(server, user)
    text = words(browser.open("/account").text)
    assert text.count("Python, by the API") == 1
    assert text.count("Python this browser") == 1
