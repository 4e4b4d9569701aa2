"""A session: a random token in the person's hands, its digest in ours, until it ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from grantway.accounts.account import Account

LIFETIME = timedelta(days=7)


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
