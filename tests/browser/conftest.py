"""One chromium and one server for each file of browser tests, and a fresh page for each test."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.real_browser import fresh_page
from tests.stories.running import App, Person, Server, new_app


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def app(server: Server, developer: Person) -> App:
    uri = f"{server.grantway.house.issuer}/back-in-the-app"  # a place that answers: the browser must end somewhere
    new = new_app(
        server,
        developer,
        name="Photo Box",
        description="Shows your photos on a map.",
        redirect_uris=[uri],
        scopes=["read", "write", "list", "delete", "lock", "bucket:photos", "bucket:albums;2026"],
        required_scopes=["read"],
    )
    new.redirect_uri = uri
    return new


@pytest.fixture
def page(chromium: Browser, server: Server, width: int, scheme: str) -> Iterator[Page]:
    with fresh_page(chromium, server.grantway.house.issuer, width, scheme) as opened:
        yield opened
