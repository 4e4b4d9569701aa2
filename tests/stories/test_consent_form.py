"""Forms of the person's pages come from where they were shown, in their own session, in time, and once."""

import secrets
from typing import Any

import httpx
from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, App, Server
from tests.stories.standard_flow import asking

from grantway.authorization.request import PAGE_LIFETIME


def consent_form(browser: Browser, client: App) -> dict[str, Any]:
    browser.open(asking(client))
    form = browser.form("/oauth2/consent")
    return {**dict(form.fields), "scope": [value for name, value in form.ticked if name == "scope"], "decision": "allow"}


def post(browser: Browser, data: dict[str, Any], origin: str | None = "") -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin or browser.issuer}
    return browser.http.post("/oauth2/consent", data=data, headers=headers)


def test_forms_from_elsewhere(server: Server, browser: Browser, client: App) -> None:
    sent = consent_form(browser, client)
    other = Browser(server.grantway.house.issuer)
    other.open("/register")
    stranger = dict(other.form("/register").fields)["csrf"]
    assert post(browser, {**sent, "csrf": ""}).status_code == 403
    assert post(browser, {**sent, "csrf": stranger}).status_code == 403
    assert post(browser, sent, origin="https://evil.example").status_code == 403
    assert post(browser, sent, origin="null").status_code == 403
    assert post(browser, sent, origin=None).status_code == 403
    assert came_back(post(browser, sent))["code"]


def test_a_token_of_before_signing_in_is_stale(server: Server, client: App) -> None:
    browser = Browser(server.grantway.house.issuer)
    browser.open("/register")
    before = dict(browser.form("/register").fields)["csrf"]
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert post(browser, {**consent_form(browser, client), "csrf": before}).status_code == 403


def test_a_request_belongs_to_its_session(server: Server, browser: Browser, client: App) -> None:
    """The same person, signed in twice: a request of one browser cannot be answered in the other."""
    sent = consent_form(browser, client)
    other = Browser(server.grantway.house.issuer)
    other.http.cookies.update(browser.http.cookies)
    other.http.cookies.delete("grantway_user")
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    other.open("/sign-in")
    other.send("/sign-in", email=email, password=PASSWORD)
    assert post(other, {**consent_form(other, client), "request_id": sent["request_id"]}).status_code == 403


def test_a_late_answer_and_a_second_one(server: Server, browser: Browser, client: App) -> None:
    sent = consent_form(browser, client)
    with server.clock.later(PAGE_LIFETIME):
        assert "has to ask again" in post(browser, sent).text
    assert post(browser, sent).status_code == 303
    assert "answered already" in post(browser, sent).text
