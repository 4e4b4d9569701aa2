"""Proof Key for Code Exchange, S256 only (RFC 7636)."""

import hashlib
import hmac
import re

from grantway import base64url

METHOD = "S256"

# RFC 7636 sections 4.2 and 4.1
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Whether this can be an S256 challenge: 43 characters of base64url."""
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str | None, challenge: str | None) -> bool:
    """Whether the verifier proves the challenge. Without a challenge there must be no verifier either."""
    # a verifier alone is refused: somebody may have taken the challenge out of the request (RFC 9700 section 4.8)
    if verifier is None or challenge is None:
        return verifier is None and challenge is None
    return _VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(challenge_of(verifier), challenge)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64url.encoded(hashlib.sha256(verifier.encode()).digest())
