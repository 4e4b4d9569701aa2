"""Photo Box in a real browser, both variants, as the demonstration prints it: connect, sign in, allow, read, take it back."""

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.real_browser import follow, fresh_page, look, needs_browser, revoke, type_password
from tests.stories.demonstration import Demonstration, demonstration

pytestmark = [needs_browser, pytest.mark.parametrize("width", [1280, 390]), pytest.mark.parametrize("scheme", ["light", "dark"])]


@pytest.fixture(scope="module", params=["authlib", "connect"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    with demonstration(request.param, tmp_path_factory.mktemp("demo") / "errors") as started:
        yield started
        assert started.interrupt() == 0


@pytest.fixture
def page(chromium: Browser, demo: Demonstration, width: int, scheme: str) -> Iterator[Page]:
    """A fresh browser profile at Photo Box."""
    with fresh_page(chromium, demo.photo_box, width, scheme) as opened:
        yield opened


def sign_in(page: Page, demo: Demonstration) -> None:
    page.get_by_label("E-mail address").fill(demo.email)
    type_password(page, demo.password)
    follow(page.get_by_role("button", name="Sign in"))


def register(page: Page) -> None:
    follow(page.get_by_role("link", name="Register"))
    page.get_by_label("Name").fill("Nora Newcomer")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, "correct horse battery")
    follow(page.get_by_role("button", name="Register and sign in"))


def test_the_story_of_a_newcomer(page: Page, demo: Demonstration, width: int, scheme: str) -> None:
    page.goto("/")
    look(page, "photo-box", width, scheme)
    follow(page.get_by_role("link", name="Connect your storage"))
    if scheme == "dark":
        register(page)
    else:
        sign_in(page, demo)
    page.get_by_role("heading", name="Allow Photo Box to use your storage?").wait_for()
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow"))

    page.get_by_role("heading", name="Your storage is connected").wait_for()
    assert page.url == f"{demo.photo_box}/"  # no code stays in the address bar
    page.get_by_text("only in the bucket photos").wait_for()
    look(page, "photo-box-connected", width, scheme)
    held = {cookie.get("name"): cookie for cookie in page.context.cookies()}
    assert held["photo_box"].get("httpOnly")
    assert "grantway_user" in held  # both are there: on localhost, ports share their cookies

    follow(page.get_by_role("link", name="Take it back in Grantway"))
    revoke(page, "Photo Box")
    page.get_by_text("no longer works").wait_for()


def test_no_and_what_goes_wrong(page: Page, demo: Demonstration, width: int, scheme: str) -> None:
    page.goto("/connect")
    sign_in(page, demo)
    follow(page.get_by_role("button", name="Deny"))
    page.get_by_role("heading", name="You said no").wait_for()
    look(page, "photo-box-denied", width, scheme)
    page.goto("/callback?code=forged&state=forged&iss=" + demo.issuer)
    page.get_by_role("link", name="Begin again").wait_for()
    look(page, "photo-box-problem", width, scheme)

    page.goto("/connect")
    page.get_by_role("heading", name="Allow Photo Box").wait_for()
    page.get_by_label("for an hour").check()
    follow(page.get_by_role("button", name="Allow"))
    page.get_by_text("You typed no passphrase").wait_for()
    look(page, "photo-box-without-a-passphrase", width, scheme)
