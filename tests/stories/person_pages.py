"""The pages of a person's own, in a browser in which they are signed in."""

import re

from tests.stories.browser import Browser
from tests.stories.running import PASSWORD, Person, Server

from grantway.access_grant import AccessGrant, Action, Allowed

ACCESS = "/api/v0/auth/developer-access"
MOMENT = r"[0-9]+ [A-Z][a-z]+ [0-9]{4}, [0-9:]{5} UTC"


def browser_of(server: Server, who: Person) -> Browser:
    """A browser in which this person is signed in."""
    browser = Browser(server.grantway.house.issuer)
    browser.open("/sign-in")
    browser.send("/sign-in", email=who.email, password=PASSWORD)
    return browser


def may(server: Server, grant: str) -> bool:
    key = AccessGrant.parse(grant).api_key
    work = server.grantway.satellite.check(key, Action.READ, b"photos", b"x", server.clock())
    return isinstance(server.wait_for(work), Allowed)


def words(page: str) -> str:
    """The text of a page, its white space made one."""
    return " ".join(re.sub(r"<[^>]+>", "", page.split("<main")[1]).split())
