"""A session: a random token in the person's hands, its digest in ours, until it ends."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from grantway.accounts.account import Account

LIFETIME = timedelta(days=7)


class OpenedFrom(StrEnum):
    """Where somebody signed in."""

    PAGE = "page"
    API = "api"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a session was opened; `browser` is a short name of ours, such as `Firefox on Linux`, or empty."""

    opened_from: OpenedFrom = OpenedFrom.UNKNOWN
    browser: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in. `digest` is the SHA-256 of the token (32 bytes)."""

    digest: bytes
    account: Account
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What signing in hands out, once: the token itself and when it ends."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """One of a person's sessions, as the person sees it in a list."""

    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime
    opened: Opening

    @property
    def handle(self) -> str:
        """What names it in public, 32 hex digits: neither the token nor its digest can be found from it."""
        return handle_of(self.digest)


def handle_of(digest: bytes) -> str:
    """The public handle of the session whose token has this digest."""
    # the words keep it apart from every other digest of the same bytes
    return hashlib.sha256(b"handle of a session\0" + digest).hexdigest()[:32]
