"""Make the tokens that we hand out and digest those that come back; recognise one that was cut or padded on its way.

A token is `<kind>_<43 characters><6 characters>`: 32 random bytes, then the CRC-32 of all before it, both base64url.
The alphabet `[A-Za-z0-9_-]` survives environment files, shells, URLs and HTTP Basic.
"""

import hashlib
import zlib
from enum import StrEnum

from grantway import base64url

RANDOM_BYTES = 32
_BODY_LENGTH = 43  # base64url of 32 bytes
_CHECKSUM_LENGTH = 6  # base64url of four bytes


class Kind(StrEnum):
    """What a token is for, told by its first letters."""

    CLIENT_SECRET = "gws"  # noqa: S105 - a prefix, not a secret
    SESSION = "gwt"
    CODE = "gwc"
    VISITOR = "gwv"


def make(kind: Kind, random: bytes) -> str:
    """A token from 32 random bytes. ValueError for another number of bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a token takes {RANDOM_BYTES} random bytes, not {len(random)}")
    body = f"{kind}_{base64url.encoded(random)}"
    return body + _checksum(body)


def digest(token: str) -> bytes:
    """The SHA-256 of a token, 32 bytes: what we keep of it, and what we look it up by."""
    # no slow hash: nobody guesses 256 random bits
    return hashlib.sha256(token.encode()).digest()


def is_intact(token: str, kind: Kind) -> bool:
    """Whether a token of this kind has its full length and its checksum: false for one that was cut, padded or mistyped."""
    prefix = f"{kind}_"
    body = token[:-_CHECKSUM_LENGTH]
    # ASCII, because a lone surrogate has no bytes to take a checksum of
    whole = len(token) == len(prefix) + _BODY_LENGTH + _CHECKSUM_LENGTH and token.startswith(prefix) and token.isascii()
    return whole and _checksum(body) == token[-_CHECKSUM_LENGTH:]


def _checksum(body: str) -> str:
    return base64url.encoded(zlib.crc32(body.encode()).to_bytes(4, "big"))
