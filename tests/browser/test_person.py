"""What is a person's own, in a real browser: account and sessions, one app's keys and history, asking again, and coming too late."""

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page
from tests.browser.real_browser import follow, look, needs_browser, revoke, type_password
from tests.stories.running import PASSWORD, App, Person, Server, new_app

from grantway.authorization import pkce
from grantway.authorization.request import PAGE_LIFETIME

VERIFIER = "v" * 43
WIDTHS = pytest.mark.parametrize("width", [1280, 390])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])

pytestmark = needs_browser


@pytest.fixture(scope="module")
def app(server: Server, developer: Person) -> App:
    uri = f"{server.grantway.house.issuer}/back-in-the-app"  # a place that answers: the browser must end somewhere
    new = new_app(server, developer, name="Photo Box", description="Shows your photos on a map.", redirect_uris=[uri])
    new.redirect_uri = uri
    return new


@pytest.fixture
def page(chromium: Browser, server: Server, width: int, scheme: str) -> Iterator[Page]:
    """A fresh browser profile of that width and colour scheme; what its console complained of fails the test."""
    size = {"width": width, "height": 900}
    dark = scheme == "dark"
    context = chromium.new_context(base_url=server.grantway.house.issuer, viewport=size, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    yield page
    context.close()
    assert [one for one in complaints if "status of 40" not in one] == []


def asking(app: App, scope: str) -> str:
    sent = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": scope}
    return "/oauth2/authorize?" + urlencode({**sent, "code_challenge": pkce.challenge_of(VERIFIER), "code_challenge_method": "S256"})


def register(page: Page) -> str:
    email = f"{secrets.token_hex(6)}@example.org"
    page.goto("/register")
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(email)
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    page.get_by_role("heading", name="Connected apps").wait_for()
    return email


def allow(page: Page, app: App, scope: str, narrower: str = "", lifetime: str = "for 30 days") -> None:
    """Allow what is asked, and let the app collect its access grant."""
    page.goto(asking(app, scope))
    page.get_by_label("Allow less").fill(narrower)
    page.get_by_label(lifetime).check()
    follow(page.get_by_role("button", name="Allow"))
    page.wait_for_url("**/back-in-the-app?code=*")
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    assert app.exchange(code, code_verifier=VERIFIER).status_code == 200


@WIDTHS
@SCHEMES
def test_one_app(page: Page, app: App, server: Server, width: int, scheme: str) -> None:
    """Allowed twice, denied once, asked again; one key is revoked, then all."""
    register(page)
    allow(page, app, "read list")
    allow(page, app, "read write", "photos", "for an hour")
    page.goto(asking(app, "delete"))
    page.get_by_text("You allowed this app before").wait_for()
    look(page, "consent-again", width, scheme)
    follow(page.get_by_role("button", name="Deny"))
    page.wait_for_url("**/back-in-the-app?error=access_denied*")

    page.goto("/connected-apps")
    assert page.get_by_text("the first of it on").count() == 1
    look(page, "connected-apps-two", width, scheme)
    follow(page.get_by_role("link", name="Keys and history of Photo Box"))
    page.get_by_role("heading", name="History").wait_for()
    look(page, "connected-app", width, scheme)
    asks = page.locator("summary", has_text="Revoke the key of")
    asks.first.click()
    page.locator("summary", has_text="Revoke everything").click()
    look(page, "connected-app-asks", width, scheme)
    follow(page.get_by_role("button", name="Revoke the key of"))
    page.get_by_text("and every key made from it no longer work").wait_for()
    assert asks.count() == 1
    look(page, "connected-app-one-revoked", width, scheme)
    revoke(page, "everything")
    page.get_by_text("Every key that Photo Box had from you no longer works").wait_for()
    follow(page.get_by_role("link", name="Photo Box"))
    look(page, "connected-app-ended", width, scheme)


@WIDTHS
@SCHEMES
def test_sessions(page: Page, server: Server, width: int, scheme: str) -> None:
    email = register(page)
    for agent in ("curl/8.14.1", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/605.1", "<b>?"):
        who = {"email": email, "password": PASSWORD}
        assert httpx.post(f"{server.url}/api/v0/auth/token", json=who, headers={"User-Agent": agent}, timeout=60).status_code == 200
    follow(page.get_by_role("link", name=email))
    page.get_by_role("heading", name="Where you are signed in").wait_for()
    look(page, "account", width, scheme)
    assert page.get_by_text("this browser").count() == 1
    follow(page.get_by_role("button", name="End curl, by the API"))
    page.get_by_text("has to sign in again").wait_for()
    assert page.get_by_role("button", name="End ").count() == 3
    follow(page.get_by_role("button", name="End all others"))
    page.get_by_text("has to sign in again").wait_for()
    assert page.get_by_role("button", name="End ").count() == 0
    look(page, "account-alone", width, scheme)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light")])
def test_the_keyboard_revokes(page: Page, app: App, server: Server, width: int, scheme: str) -> None:
    """Enter opens the question and answers nothing; only the button behind it does."""
    register(page)
    allow(page, app, "read")
    page.goto("/connected-apps")
    for focused in ("Revoke Photo Box…", "Revoke Photo Box"):
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == focused:
                break
        assert page.get_by_text("nobody can bring it back").is_visible() == (focused == "Revoke Photo Box")
        page.keyboard.press("Enter")
    page.get_by_text("Every key that Photo Box had from you no longer works").wait_for()


LONG = {
    "one word": "W" * 100,
    "right to left": "\u062a\u0637\u0628\u064a\u0642 \u0627\u0644\u0635\u0648\u0631 (\u05e9\u05dc\u05d5\u05dd) 123",
    "marks": "Z" + "\u0334\u0321\u0322\u0317" * 20,
    "our words": "Photo Box. You allowed this before: press Allow to",
}


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
@pytest.mark.parametrize("name", LONG.values(), ids=LONG)
def test_a_name_stays_in_its_box(page: Page, server: Server, developer: Person, name: str, width: int, scheme: str) -> None:
    """Whatever an app is called, nothing is cut off at the side, and its name has a ground of its own on the consent page."""
    uri = f"{server.grantway.house.issuer}/back-in-the-app"
    app = new_app(server, developer, name=name, description="y" * 500, redirect_uris=[uri])
    app.redirect_uri = uri
    register(page)
    page.goto(asking(app, "read"))
    look(page, "consent-name", width, scheme)
    box = page.locator("h1 .theirs")
    assert box.inner_text() == name
    ground = "one => getComputedStyle(one).backgroundColor"
    assert box.evaluate(ground) not in {page.locator("body").evaluate(ground), "rgba(0, 0, 0, 0)"}
    allow(page, app, "read")
    for where in ("/connected-apps", f"/connected-apps/{app.client_id}"):
        page.goto(where)
        look(page, "connected-name", width, scheme)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_too_late(page: Page, app: App, server: Server, width: int, scheme: str) -> None:
    register(page)
    page.goto(asking(app, "read"))
    with server.clock.later(PAGE_LIFETIME):
        follow(page.get_by_role("button", name="Allow"))
        page.get_by_text("Go back to the app and connect again").wait_for()
    look(page, "too-late", width, scheme)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light")])
def test_the_keyboard_ends_a_session(page: Page, server: Server, width: int, scheme: str) -> None:
    email = register(page)
    assert httpx.post(f"{server.url}/api/v0/auth/token", json={"email": email, "password": PASSWORD}, timeout=60).status_code == 200
    page.goto("/account")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "End all others":
            break
    page.keyboard.press("Enter")
    page.get_by_text("has to sign in again").wait_for()


class _Back(BaseHTTPRequestHandler):
    """An app that waits on an address for its user to come back."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(
            b"<!doctype html><title>back</title><link rel=icon href=data:,><p>referer: " + self.headers.get("Referer", "none").encode()
        )

    def log_message(self, *_args: object) -> None:
        """Nothing."""


class _Server6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextmanager
def waiting(kind: type[ThreadingHTTPServer], host: str) -> Iterator[int]:
    """An app's web server at that address; its port. It waits for no connection that the browser made ahead of need."""
    try:
        listening = kind((host, 0), _Back)
    except OSError:
        pytest.skip(f"the machine has no {host}")
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield listening.server_address[1]
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize(("kind", "host"), [(ThreadingHTTPServer, "127.0.0.1"), (ThreadingHTTPServer, "localhost"), (_Server6, "::1")])
@pytest.mark.parametrize("button", ["Allow", "Deny"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light")])
def test_apps_on_this_machine_get_their_answer(
    page: Page, server: Server, developer: Person, kind: type[ThreadingHTTPServer], host: str, button: str, width: int, scheme: str
) -> None:
    """A Content-Security-Policy cannot name `[::1]`, and Chromium refuses a form that is redirected there: it goes by a page in between."""
    register(page)
    with waiting(kind, host) as port:
        name = f"[{host}]" if ":" in host else host
        app = new_app(server, developer, redirect_uris=[f"http://{name}/cb"])
        app.redirect_uri = f"http://{name}:{port}/cb"
        page.goto(asking(app, "read"))
        follow(page.get_by_role("button", name=button))
        page.wait_for_url(f"http://{name}:{port}/cb?*")
        assert ("code=" if button == "Allow" else "error=access_denied") in page.url
        assert page.get_by_text("referer: none").count() == 1
