"""The JWT that an app sends instead of its secret: read strictly, signed by us only for command line and tests (RFC 7515, 7519).

Strict, because what is signed must have one spelling: a lenient reader (most drop characters that are not base64url) would let
one JWT pass as several. The reader does not verify: it says how far reading came.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from grantway import json_text

ALGORITHM = "HS256"
LIFETIME = timedelta(minutes=5)

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class UnreadableAssertionError(ValueError):
    """The text is no JWT; the message says what is odd about it and repeats nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A JWT that could be read: its JOSE `header`, its `claims`, what was signed and the signature, not verified."""

    header: Mapping[str, object]
    claims: Mapping[str, object]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 over header and claims as they were sent (32 bytes): the same for every copy of this JWT."""
        return hashlib.sha256(self.signed).digest()

    def is_signed_with(self, key: bytes) -> bool:
        """Whether the signature is the HMAC-SHA256 under this key, in constant time."""
        return hmac.compare_digest(hmac.digest(key, self.signed, "sha256"), self.signature)


def read(text: str) -> Assertion:
    """Read a JWS in compact form. UnreadableAssertionError names the stage that reading reached."""
    parts = text.split(".")
    if len(parts) != 3:
        raise UnreadableAssertionError(f"A JWT has three parts with dots between them; this has {len(parts)}.")
    header, claims, signature = (_decoded(part, name) for part, name in zip(parts, ("header", "claims", "signature"), strict=True))
    return Assertion(
        header=_object(header, "header"),
        claims=_object(claims, "claims"),
        signed=text.rpartition(".")[0].encode(),
        signature=signature,
    )


def sign(claims: Mapping[str, object], secret: str) -> str:
    """A JWT over the claims, HS256, the key being the UTF-8 bytes of the secret string."""
    header = msgspec.json.encode({"alg": ALGORITHM, "typ": "JWT"})
    signed = f"{_encoded(header)}.{_encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{_encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def for_client(client_id: str, secret: str, now: datetime, nonce: bytes, lifetime: timedelta = LIFETIME) -> str:
    """The JWT that a client sends as `client_secret`: it names the client, ends after `lifetime` and is unlike any other."""
    issued = int(now.timestamp())
    return sign({"client_id": client_id, "iat": issued, "exp": issued + int(lifetime.total_seconds()), "jti": nonce.hex()}, secret)


def _decoded(part: str, name: str) -> bytes:
    if not _BASE64URL.fullmatch(part):
        raise UnreadableAssertionError(
            f"The {name} of the JWT is empty or has characters that are not base64url (padding, +, /, quotes, white space)."
        )
    if len(part) % 4 == 1:
        raise UnreadableAssertionError(f"The {name} of the JWT is cut: no base64url has that length.")
    data = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if _encoded(data) != part:
        raise UnreadableAssertionError(f"The {name} of the JWT ends in bits that do not belong to any byte.")
    return data


def _object(text: bytes, name: str) -> dict[str, object]:
    try:
        return json_text.read(text, dict[str, object])
    except json_text.JsonTextError as error:
        raise UnreadableAssertionError(f"The {name} of the JWT is no JSON object: {error}") from None


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
