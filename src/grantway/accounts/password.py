"""Passwords: Argon2id hashes, checked in the same time whether the account exists or not. Slow on purpose: run it off the event loop."""

from argon2.exceptions import InvalidHashError, VerificationError

from argon2 import PasswordHasher

MIN_LENGTH = 8
MAX_LENGTH = 1024

_HASHER = PasswordHasher()  # RFC 9106's second choice: 64 MiB, three passes, four lanes
# its parameters are those of _HASHER: with others the time would tell who has no account
_NOBODYS = (  # of a password that was thrown away
    "$argon2id$v=19$m=65536,t=3,p=4$ZHHyGrfFak0RYH3LtDK+HA$2VBZD0/nphyfWRVXBtg0FS0TcBfb/B3ODe6cTaK6dfc"
)


def is_acceptable(password: str) -> bool:
    """8 to 1,024 characters; nothing else is asked, as NIST SP 800-63B section 5.1.1 advises."""
    return MIN_LENGTH <= len(password) <= MAX_LENGTH


def hashed(password: str) -> str:
    """The hash to store, with its parameters and a fresh salt. About 50 ms and 64 MiB."""
    return _HASHER.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one that was hashed. Without a hash (no such account) the same work is done in vain."""
    try:
        _HASHER.verify(password_hash or _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
