"""What a person does in a real browser, and how each page is looked at: by axe, by its width, in a picture that is kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page
from tests.stories.running import App

from grantway.authorization import pkce

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parent.parent / "interop" / "node" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
needs_browser = pytest.mark.skipif(CHROMIUM is None or not AXE.is_file(), reason="the machine has no chromium (Debian's package) or no npm")


def ask(app: App, scope: str = "read write list delete lock bucket:photos bucket:albums;2026") -> str:
    sent = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": scope, "state": "x"}
    return "/oauth2/authorize?" + urlencode({**sent, "code_challenge": pkce.challenge_of("v" * 43), "code_challenge_method": "S256"})


@contextmanager
def fresh_page(chromium: Browser, url: str, width: int, scheme: str) -> Iterator[Page]:
    """A fresh browser profile of that width and colour scheme; what its console complained of fails the test."""
    context = chromium.new_context(
        base_url=url, viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [one for one in complaints if "status of 40" not in one] == []


def follow(one: Locator) -> None:
    """Click what leads to another page, and wait until that page is there: a look at the old one would see what it still says."""
    with one.page.expect_navigation():
        one.click()


def type_password(page: Page, text: str) -> None:
    """Once, or twice where it is chosen."""
    for box in page.locator("input[type=password]").all():
        box.fill(text)


def revoke(page: Page, what: str) -> None:
    """Open the question, then answer it. Before that, the button is not there to be pressed."""
    button = page.get_by_role("button", name=f"Revoke {what}", exact=True)
    assert not button.is_visible()
    page.locator("summary", has_text=f"Revoke {what}…").click()
    follow(button)


def look(page: Page, name: str, width: int, scheme: str) -> None:
    """Keep a picture, see that nothing is wider than the screen, and let axe look through the page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
