"""The pages in a real browser: the whole story by clicks, at two widths in two schemes, looked through by axe; no console error."""

import secrets
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page
from tests.browser.real_browser import ask, follow, look, needs_browser, revoke, type_password
from tests.stories.running import PASSWORD, App, Server

pytestmark = needs_browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_story(page: Page, app: App, width: int, scheme: str) -> None:
    email = f"{secrets.token_hex(6)}@example.org"
    page.goto(ask(app))
    look(page, "sign-in", width, scheme)
    page.get_by_label("E-mail address").fill(email)
    type_password(page, "not the password")
    follow(page.get_by_role("button", name="Sign in"))
    look(page, "sign-in-refused", width, scheme)

    follow(page.get_by_role("link", name="Register"))
    look(page, "register", width, scheme)
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(email)
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))

    page.get_by_role("heading", name="Allow Photo Box to use your storage?").wait_for()
    look(page, "consent", width, scheme)
    page.get_by_label("delete files, for good").uncheck()
    page.get_by_label("for an hour").check()
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow"))
    page.wait_for_url("**/back-in-the-app?code=*")

    page.goto("/connected-apps")
    look(page, "connected-apps", width, scheme)
    revoke(page, "Photo Box")
    page.get_by_text("no longer works").wait_for()
    look(page, "revoked", width, scheme)
    follow(page.get_by_role("link", name="Change your password"))
    look(page, "password", width, scheme)
    follow(page.get_by_role("button", name="Sign out"))
    page.get_by_role("heading", name="Sign in").wait_for()

    page.goto("/oauth2/authorize?client_id=nobody")
    look(page, "error", width, scheme)


def register_on_the_way(page: Page) -> None:
    """From the sign-in page that an app led to, to the consent page, as somebody new."""
    follow(page.get_by_role("link", name="Register"))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    page.get_by_role("heading", name="Allow Photo Box to use your storage?").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_the_link_of_an_app_of_storx(page: Page, app: App, width: int, scheme: str) -> None:
    """With a JWT in the URL: neither the address bar nor any request after the first one has it, nor the page that refuses it."""
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(f"{sent.url} {sent.headers.get('referer', '')}"))
    link = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": "read,list,bucket:photos"}
    jwt = app.jwt()
    page.goto("/oauth2-integration?" + urlencode({**link, "client_secret": jwt}))
    register_on_the_way(page)
    page.reload()
    look(page, "integration", width, scheme)
    follow(page.get_by_role("button", name="Allow"))
    page.wait_for_url("**/back-in-the-app?code=*")
    assert [one for one in asked if jwt in one] == asked[:1]

    asked.clear()
    wrong = app.jwt(secret="x" * 40)
    page.goto("/oauth2-integration?" + urlencode({**link, "client_secret": wrong}))
    look(page, "integration-refused", width, scheme)
    follow(page.get_by_role("link", name="Grantway"))
    page.get_by_role("heading", name="Connected apps").wait_for()
    assert [one for one in asked if wrong in one] == asked[:1]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "light"), (390, "dark")])
def test_under_another_host_than_the_issuers(page: Page, server: Server, app: App, width: int, scheme: str) -> None:
    """The page says so before anything is typed; whoever types all the same is led to the same page where it works."""
    page.goto(server.url + ask(app))
    look(page, "other-host", width, scheme)
    page.get_by_label("E-mail address").fill("uma@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
    look(page, "other-host-refused", width, scheme)
    follow(page.get_by_role("link", name=f"Open it under {server.grantway.house.issuer}"))
    page.get_by_label("E-mail address").wait_for()
    there = page.url
    page.goto(server.url + ask(app))
    follow(page.get_by_role("link", name="Open this page there"))
    assert page.url == there
    assert page.get_by_role("link", name="Open this page there").count() == 0

    register_on_the_way(page)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_where_only_forms_are_taken(page: Page, width: int, scheme: str) -> None:
    page.goto("/oauth2/consent")
    page.get_by_role("heading", name="Nothing to see at this address").wait_for()
    look(page, "only-forms", width, scheme)
    follow(page.get_by_role("main").get_by_role("link", name="Connected apps"))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_the_person_reads_and_what_the_developer(page: Page, server: Server, app: App, width: int, scheme: str) -> None:
    """A form that nothing takes; and an app's wrong address, which stands apart from what the person reads."""
    page.goto("/sign-in")
    page.locator("main form").evaluate("form => { form.action = '/account'; form.noValidate = true }")
    follow(page.get_by_role("button", name="Sign in"))
    page.get_by_role("heading", name="Nothing to send to this address").wait_for()
    look(page, "no-form", width, scheme)
    page.goto(ask(app).replace("back-in-the-app", "elsewhere"))
    page.get_by_text("an address that it has not registered here").wait_for()
    assert page.locator(".apart").inner_text().startswith("For the app's developer: invalid_redirect_uri.")
    look(page, "refused", width, scheme)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_passwords_that_differ(page: Page, width: int, scheme: str) -> None:
    page.goto("/register")
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the password").fill(PASSWORD + "x")
    follow(page.get_by_role("button", name="Register and sign in"))
    page.get_by_text("differ. Type both anew.").wait_for()
    look(page, "register-differs", width, scheme)
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    header = page.locator("header").bounding_box()
    assert header is not None
    assert header["height"] < 80  # one row, also on a small screen
