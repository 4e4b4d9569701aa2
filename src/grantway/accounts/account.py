"""An account: a user, who owns projects, or a developer, who registers apps. The two kinds never mix."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MAX_NAME = 200
_MAX_EMAIL = 254  # RFC 5321 section 4.5.3.1.3: a path of 256 octets, less its angle brackets


class Kind(StrEnum):
    """Which side of the contract an account stands on; one e-mail address may have one account of each kind."""

    USER = "user"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's account; `email` is as `normal_email` makes it."""

    id: str
    kind: Kind
    email: str
    full_name: str
    password_hash: str = field(repr=False)
    created_at: datetime


def normal_email(text: str) -> str | None:
    """The address in the one form we compare and store: trimmed, lower case. None for what cannot be an address."""
    email = text.strip().lower()
    local, at, domain = email.rpartition("@")
    plain = email.isprintable() and not any(letter.isspace() for letter in email)
    return email if local and at and domain and plain and len(email) <= _MAX_EMAIL else None


def normal_name(text: str) -> str | None:
    """A name to show: trimmed, 1 to 200 printable characters. None for what is not."""
    name = text.strip()
    return name if 0 < len(name) <= MAX_NAME and name.isprintable() else None
