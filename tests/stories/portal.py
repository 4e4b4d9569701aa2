"""The developers' pages, as a developer in a browser uses them."""

import html
import re
import secrets
from typing import Any

from tests.stories.browser import Browser
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Server

NEW = "/developer/apps/new"


def developer_at(server: Server, email: str = "") -> Browser:
    """A developer's browser, registered and signed in."""
    one = Browser(server.grantway.house.issuer)
    one.open("/developer/register")
    one.send("/developer/register", name="Dana", email=email or f"{secrets.token_hex(6)}@example.org", password=PASSWORD)
    assert one.page.status_code == 200, one.page.text
    return one


def user_at(server: Server) -> Browser:
    one = Browser(server.grantway.house.issuer)
    one.open("/register")
    one.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    return one


def created(browser: Browser, server: Server, **values: str) -> App:
    """Fill in the form; the app with the secret that the page shows."""
    browser.open(NEW)
    browser.send(NEW, **{"name": "Photo Box", "redirect_uris": REDIRECT_URI, **values})
    assert browser.page.status_code == 201, browser.page.text
    return shown(browser, server)


def shown(browser: Browser, server: Server) -> App:
    """The app on the page that shows its secret."""
    client_id, secret = (html.unescape(one) for one in re.findall(r"<dd><code>(.+?)</code>", browser.page.text)[:2])
    return App(server.http, server.clock, client_id, secret)


def path(app: App) -> str:
    return f"/developer/apps/{app.client_id}"


def answered(app: App, **changes: Any) -> str:
    error: str = app.exchange("gwc_no_code", **changes).json()["error"]
    return error
