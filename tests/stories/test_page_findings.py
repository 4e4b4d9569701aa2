"""A person who is refused on a page tells the developer the trace id: a finding is under it, and nothing of the person in it.

Where there is none, the page shows no trace id.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.portal import user_at
from tests.stories.running import PASSWORD, App, Person, Server, new_app, running

from grantway.authorization.request import PAGE_LIFETIME

CLIENTS = "/api/v0/developer/auth/oauth2/clients"
FINDINGS = "/api/v0/developer/auth/oauth2/findings"


def asking(app: App, **more: str) -> str:
    fields = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": "read bucket:cats"}
    return f"/oauth2/authorize?{urlencode({**fields, **more})}"


def allowed(browser: Browser) -> None:
    browser.send("/oauth2/consent", decision="allow", passphrase="open sesame")


def too_late(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    with server.clock.later(PAGE_LIFETIME + timedelta(seconds=1)):
        allowed(browser)


def twice(server: Server, developer: Person, app: App, browser: Browser) -> None:
    shown = browser.open(asking(app))
    allowed(browser)
    browser.page = shown
    allowed(browser)


def disabled(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    assert developer.call("PATCH", f"{CLIENTS}/{app.client_id}/status", {"status": 0}).status_code == 200
    allowed(browser)


def moved(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    assert developer.call("PUT", f"{CLIENTS}/{app.client_id}", {"redirect_uris": ["https://new.example/cb"]}).status_code == 200
    allowed(browser)


def narrowed(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    assert developer.call("PUT", f"{CLIENTS}/{app.client_id}", {"scopes": ["write"]}).status_code == 200
    allowed(browser)


def state_twice(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.open(f"{asking(app)}&state=a&state=b")


def integration_state_twice(server: Server, developer: Person, app: App, browser: Browser) -> None:
    fields = {"client_id": app.client_id, "client_secret": app.jwt(), "redirect_uri": app.redirect_uri, "scope": "read"}
    browser.open(f"/oauth2-integration?{urlencode(fields)}&state=a&state=b")


def two_authorizations(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.page = browser.http.get(asking(app), headers=[("Authorization", "Basic eDp5"), ("Authorization", "Basic eDp5")])


def sent_to_the_forms_own_url(server: Server, developer: Person, app: App, browser: Browser) -> None:
    browser.page = browser.http.get(asking(app).replace("/authorize?", "/consent?"), headers={"Accept": "text/html"})
    assert "egin here" not in browser.page.text


def sent_as_a_form(server: Server, developer: Person, app: App, browser: Browser) -> None:
    path, _, query = asking(app).partition("?")
    browser.page = browser.http.post(path, data=dict(parse_qsl(query)), headers={"Accept": "text/html"})
    assert browser.page.status_code == 405


Act = Callable[[Server, Person, App, Browser], None]
ROWS: dict[str, tuple[str, Act]] = {
    "too late": ("request_expired", too_late),
    "answered before": ("request_not_pending", twice),
    "disabled meanwhile": ("client_disabled", disabled),
    "redirect URI taken off": ("redirect_uri_mismatch", moved),
    "scopes taken off": ("scope_not_registered", narrowed),
    "a parameter twice": ("body_malformed", state_twice),
    "a parameter twice, StorX's page": ("body_malformed", integration_state_twice),
    "two headers": ("multiple_auth_methods", two_authorizations),
    "sent to where only a form goes": ("method_not_allowed", sent_to_the_forms_own_url),
    "sent as a form": ("method_not_allowed", sent_as_a_form),
}


def trace_id_on(browser: Browser) -> str:
    return browser.page.text.split("Trace id: <code>")[1].split("<")[0]


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_what_concerns_the_app(server: Server, developer: Person, cause: str, act: Act) -> None:
    app = new_app(server, developer, require_pkce=False)
    browser = user_at(server)
    act(server, developer, app, browser)
    found = developer.call("GET", f"{FINDINGS}/{trace_id_on(browser)}")
    assert found.status_code == 200, browser.page.text
    assert (found.json()["cause"], found.json()["client_id"]) == (cause, app.client_id)
    told = found.text
    assert not [word for word in ("Uma", "sesame", "cats", "@example.org", "eyJ") if word in told], told


def by_somebody_else(server: Server, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    request_id = dict(browser.form("/oauth2/consent").fields)["request_id"]
    other = user_at(server)
    other.open(asking(app))
    other.send("/oauth2/consent", decision="allow", passphrase="x", request_id=request_id)
    browser.page = other.page


def signed_out(server: Server, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    del browser.http.cookies["grantway_user"]
    allowed(browser)


def made_up(server: Server, app: App, browser: Browser) -> None:
    browser.open(asking(app))
    browser.send("/oauth2/consent", decision="allow", passphrase="x", request_id=secrets.token_hex(8))


@pytest.mark.parametrize("act", [by_somebody_else, signed_out, made_up])
def test_what_concerns_the_person_alone(server: Server, developer: Person, act: Callable[[Server, App, Browser], None]) -> None:
    app = new_app(server, developer, require_pkce=False)
    browser = user_at(server)
    act(server, app, browser)
    assert browser.page.status_code in {400, 403}
    assert "race id" not in browser.page.text
    assert developer.call("GET", f"{CLIENTS}/{app.client_id}/findings").json()["findings"] == []


def wrong_password(browser: Browser) -> None:
    browser.open("/sign-in")
    browser.send("/sign-in", email="nobody@example.org", password="wrong")


def too_many_passwords(browser: Browser) -> None:
    for _ in range(6):
        browser.open("/sign-in")
        browser.send("/sign-in", email="nobody@example.org", password="wrong")
    assert "Too many tries" in browser.page.text


def form_from_elsewhere(browser: Browser) -> None:
    browser.open("/sign-in")
    browser.send("/sign-in", csrf="x", email="nobody@example.org", password="wrong")


def a_field_twice(browser: Browser) -> None:
    browser.open("/sign-in")
    browser.send("/sign-in", email=["a@example.org", "b@example.org"], password="wrong")
    assert "Go back, correct it and try again. Nothing was changed." in browser.page.text


def no_page(browser: Browser) -> None:
    browser.page = browser.http.get("/nothing", headers={"Accept": "text/html"})


def only_a_form(browser: Browser) -> None:
    browser.page = browser.http.get("/oauth2/consent", headers={"Accept": "text/html"})


def no_app(browser: Browser) -> None:
    browser.open("/register")
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    browser.open("/connected-apps/nobody")


def no_app_of_mine(browser: Browser) -> None:
    browser.open("/developer/register")
    browser.send("/developer/register", name="Dana", email=f"{secrets.token_hex(6)}@example.org", password=PASSWORD)
    browser.open("/developer/apps/nobody")


NOT_FOUND = [no_page, only_a_form, no_app, no_app_of_mine]


@pytest.mark.parametrize("act", [wrong_password, too_many_passwords, form_from_elsewhere, a_field_twice, *NOT_FOUND])
def test_nobody_is_sent_to_look_for_what_is_not_there(tmp_path: Path, act: Callable[[Browser], None]) -> None:
    with running(tmp_path, rate_limits=True, failed_sign_ins_per_hour=3) as server:
        browser = Browser(server.grantway.house.issuer)
        act(browser)
        assert 400 <= browser.page.status_code < 500
        assert "race id" not in browser.page.text
        assert "<h1>" in browser.page.text


def test_pkce_that_is_missing_is_told_besides_what_was_answered(server: Server, developer: Person) -> None:
    """People mend one thing and meet the next: the page looks at it once all else is right."""
    app = new_app(server, developer, scopes=["read"])
    back = came_back(Browser(server.grantway.house.issuer).http.get(asking(app, scope="write")))
    found = developer.call("GET", f"{FINDINGS}/{back['trace_id']}").json()
    assert back["error"] == "invalid_scope"
    assert [one["cause"] for one in found["faults"]] == ["scope_not_registered", "pkce_challenge_malformed"]
