"""One chromium and one server for each file of browser tests, and a fresh page for each test."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.stories.running import App, Person, Server, new_app, person, running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture(scope="module")
def developer(server: Server) -> Person:
    return person(server, "developer")


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
    """A fresh browser profile of that width and colour scheme; what its console complained of fails the test."""
    dark = scheme == "dark"
    context = chromium.new_context(
        base_url=server.grantway.house.issuer,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [one for one in complaints if "status of 40" not in one] == []
