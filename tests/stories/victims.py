"""People whom the attacks are aimed at, and what an attacker sends."""

import re
import secrets
from html.parser import HTMLParser

from tests.stories.browser import Browser
from tests.stories.running import PASSWORD, Server

from grantway.web.call import Endpoint
from grantway.web.routes import PAGES

GETS = [one for one in PAGES if one.method == "GET" and one.path != "/style.css"]
FORMS = [one for one in PAGES if one.method != "GET"]


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def address(endpoint: Endpoint) -> str:
    """A URL of this page, with something in place of each parameter."""
    return re.sub(r"\{\w+\}", "x", endpoint.path)


def somebody(server: Server, *, is_developer: bool = False) -> Browser:
    """A browser in which somebody new is signed in as a user, and if asked for as a developer too."""
    browser = Browser(server.grantway.house.issuer)
    if is_developer:
        browser.open("/developer/register")
        browser.send("/developer/register", name="Dana", email=f"{secrets.token_hex(6)}@example.org", password=PASSWORD)
    browser.open("/register")
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert browser.page.status_code == 200
    return browser


def token_of(browser: Browser) -> str:
    """What this browser's forms carry now."""
    shown = browser.open("/sign-in")
    found: list[str] = re.findall(r'name="csrf" value="([^"]+)"', shown.text)
    return found[0]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def dangers(page: str) -> list[str]:
    """What on a page could run or load something: elements, handlers, styles and links that none of ours has."""
    read = _Elements()
    read.feed(page)
    bad = [tag for tag in read.tags if tag in {"script", "img", "iframe", "object", "embed", "base", "svg", "style", "meta-refresh"}]
    bad += [name for name, _ in read.attributes if name.startswith("on") or name in {"style", "srcdoc", "formaction"}]
    links = [value for name, value in read.attributes if name in {"href", "src", "action"}]
    return bad + [link for link in links if not link.startswith("/") and link not in {"#main", "data:,"}]
