"""The two sides of the pages: users and developers. Each has its own session cookie, and its own places to arrive at."""

import re
from dataclasses import dataclass

from grantway.accounts.account import Kind

_SEGMENT = r"/[A-Za-z0-9_~-][A-Za-z0-9._~-]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One kind of account's pages. `prefix` stands before each of their paths."""

    kind: Kind
    prefix: str
    cookie: str
    home: str
    home_name: str
    as_whom: str
    """What follows `Sign in` and `Register`."""

    @property
    def sign_in(self) -> str:
        """The path of the page to sign in."""
        return f"{self.prefix}/sign-in"

    @property
    def account(self) -> str:
        """The path of the page with one's account and sessions."""
        return f"{self.prefix}/account"

    @property
    def password(self) -> str:
        """The path of the page to change the password."""
        return f"{self.prefix}/password"


USERS = Side(
    kind=Kind.USER,
    prefix="",
    cookie="grantway_user",
    home="/connected-apps",
    home_name="Connected apps",
    as_whom="",
)
DEVELOPERS = Side(
    kind=Kind.DEVELOPER,
    prefix="/developer",
    cookie="grantway_developer",
    home="/developer/apps",
    home_name="Your apps",
    as_whom=" as a developer",
)


def side_of(path: str) -> Side:
    """Whose pages a path is among."""
    return DEVELOPERS if f"{path}/".startswith(f"{DEVELOPERS.prefix}/") else USERS


_OF_PORTAL = re.compile(rf"/developer/(?:account|password|findings)|/developer/apps(?:{_SEGMENT})*")


def is_of_portal(path: str) -> bool:
    """Whether this is the path of a developers' page that one may be sent on to: plain segments, none that leads upwards."""
    return bool(_OF_PORTAL.fullmatch(path))
