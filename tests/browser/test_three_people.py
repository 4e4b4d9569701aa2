"""Three people in three browsers: a developer makes an app, a user allows it, the app works, is taken back, and its developer reads why."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page
from tests.browser.real_browser import follow, needs_browser, revoke, type_password
from tests.stories.running import PASSWORD, Server, running

from grantway.connect import Access, Client, RefusedError, bucket

pytestmark = needs_browser
RESOURCE_SERVER = "the credential of a resource server"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data"), introspection_token=RESOURCE_SERVER) as started:
        yield started


class Browsers:
    """A fresh profile for each person; what their consoles complained of is kept."""

    def __init__(self, chromium: Browser, server: Server) -> None:
        self._chromium, self._issuer = chromium, server.grantway.house.issuer
        self.complaints: list[str] = []

    def opened(self) -> Page:
        page = self._chromium.new_context(base_url=self._issuer, viewport={"width": 1280, "height": 900}).new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page


def register(page: Page, name: str) -> None:
    follow(page.get_by_role("link", name="Register"))
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))


def is_active(server: Server, token: str) -> bool:
    headers = {"Authorization": f"Bearer {RESOURCE_SERVER}"}
    answer = httpx.post(f"{server.grantway.house.issuer}/oauth2/introspect", data={"token": token}, headers=headers, timeout=60)
    return bool(answer.json()["active"])


def app_of(dana: Page, server: Server) -> Client:
    """Dana makes an app in the portal, and puts what the page shows once into her program."""
    callback = f"{server.grantway.house.issuer}/back-in-the-app"
    dana.goto("/developer")
    register(dana, "Dana Developer")
    follow(dana.get_by_role("link", name="Create an app"))
    dana.get_by_label("Name").fill("Photo Box")
    dana.get_by_label("Redirect URIs, one a line").fill(callback)
    follow(dana.get_by_role("button", name="Create the app"))
    client_id, secret = dana.locator("dl.keys dd code").all_inner_texts()
    return Client(server.grantway.house.issuer, client_id, secret, callback)


def connected(app: Client, uma: Page) -> Access:
    """Uma is sent to Grantway, allows less than was asked, and comes back; the app collects what she gave."""
    asked = app.ask(["read", "write", "list", bucket("photos")])
    uma.goto(asked.url)
    if uma.get_by_role("heading", name="Sign in").is_visible():
        register(uma, "Uma User")
    uma.get_by_role("heading", name="Allow Photo Box to use your storage?").wait_for()
    uma.get_by_label("upload files").uncheck()
    uma.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(uma.get_by_role("button", name="Allow"))
    uma.wait_for_url("**/back-in-the-app?code=*")
    return app.exchange(uma.url, asked.keep)


def test_a_developer_a_user_and_an_app(chromium: Browser, server: Server) -> None:
    browsers = Browsers(chromium, server)
    dana, uma = browsers.opened(), browsers.opened()
    app = app_of(dana, server)
    first, second = connected(app, uma), connected(app, uma)
    assert first.access_grant
    assert set(first.scopes) == {"read", "list", "bucket:photos"}

    # Uma takes back one key, then all: each time it is really gone, and what stays really stays
    uma.goto("/connected-apps")
    follow(uma.get_by_role("link", name="Keys and history of Photo Box"))
    uma.locator("summary", has_text="Revoke the key of").first.click()
    follow(uma.get_by_role("button", name="Revoke the key of"))
    uma.get_by_text("no longer work").first.wait_for()
    assert sorted([is_active(server, first.api_key), is_active(server, second.api_key)]) == [False, True]
    revoke(uma, "everything")
    uma.get_by_text("no longer works").wait_for()
    assert not is_active(server, first.api_key)
    assert not is_active(server, second.api_key)

    # the app makes a mistake, and Dana, who was told a trace id and no more, reads why
    asked = app.ask(["read"])
    uma.goto(asked.url)
    follow(uma.get_by_role("button", name="Allow"))
    uma.wait_for_url("**/back-in-the-app?code=*")
    with pytest.raises(RefusedError) as refused:
        app.exchange(uma.url, {**asked.keep, "code_verifier": "w" * 43})
    dana.goto("/developer/findings")
    dana.get_by_label("trace").fill(str(refused.value.trace_id))
    dana.keyboard.press("Enter")
    dana.get_by_role("heading", name="Why this was refused").wait_for()
    dana.get_by_text("pkce_mismatch").first.wait_for()
    assert [one for one in browsers.complaints if "status of 40" not in one] == []
