"""The JWT that an app sends instead of its secret: read strictly, signed by us only for command line and tests (RFC 7515, 7519).

Strict, because what is signed must have one spelling: a lenient reader (most drop characters that are not base64url) would let
one JWT pass as several. The reader does not verify: it says how far reading came.
"""

import binascii
import functools
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from grantway import base64url, json_text

ALGORITHM = "HS256"
LIFETIME = timedelta(minutes=5)
MAX_HEADER = 4096
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""What `client_assertion_type` says (RFC 7523 section 2.2)."""

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/   ")  # what does not belong into base64url becomes what belongs into no base64
_PADDING = (b"", b"", b"==", b"=")
_LAST_LETTERS = (None, b"", b"AQgw", b"AEIMQUYcgkosw048")
"""By length modulo 4: those at the end of which no bits are left over; None for any."""


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
        """What this JWT's use is remembered by (32 bytes): the same for every copy of it."""
        # not verified yet, which does not matter: it only decides where in the index the use lies
        ends = self.claims.get("exp")
        return handle(ends if isinstance(ends, int) else 0, hashlib.sha256(self.signed).digest())

    def is_signed_with(self, key: bytes) -> bool:
        """Whether the signature is the HMAC-SHA256 under this key, in constant time."""
        return hmac.compare_digest(hmac.digest(key, self.signed, "sha256"), self.signature)


def is_meant(text: str) -> bool:
    """Whether this is meant as a JWT, whatever is wrong with it, where a secret itself may come as well.

    A secret that was imported may hold dots: so the claims, a JSON object, must begin as base64url has its `{` (RFC 7515 section 3).
    """
    parts = text.split(".")
    return len(parts) == 3 and parts[1].startswith("e")


def handle(second: int, digest: bytes) -> bytes:
    """What a use is remembered by: the minute (4 bytes; 0 for one that no clock of ours will ever show), then 28 bytes of SHA-256.

    What is used at the same time thus lies together in the index of uses, however many there were before: an entry at a random place
    among ten millions doubles what a claim costs.
    """
    minute = second // 60
    return (minute if 0 <= minute < 2**32 else 0).to_bytes(4) + digest[:28]


def read(text: str) -> Assertion:
    """Read a JWS in compact form. UnreadableAssertionError names the stage that reading reached."""
    parts = text.split(".")
    if len(parts) != 3:
        raise UnreadableAssertionError(f"A JWT has three parts with dots between them; this has {len(parts)}.")
    header, claims, signature = (_decoded(part, name) for part, name in zip(parts, ("header", "claims", "signature"), strict=True))
    return Assertion(
        header=_header(header),
        claims=_object(claims, "claims"),
        signed=text.rpartition(".")[0].encode(),
        signature=signature,
    )


def sign(claims: Mapping[str, object], secret: str) -> str:
    """A JWT over the claims, HS256, the key being the UTF-8 bytes of the secret string."""
    header = msgspec.json.encode({"alg": ALGORITHM, "typ": "JWT"})
    signed = f"{base64url.encoded(header)}.{base64url.encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{base64url.encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def for_client(client_id: str, secret: str, now: datetime, nonce: bytes, lifetime: timedelta = LIFETIME) -> str:
    """The JWT that a client sends as `client_secret`: it names the client, ends after `lifetime` and is unlike any other."""
    # `jti` because two that are signed in one second would be the same JWT, and the second used up with the first
    issued = int(now.timestamp())
    return sign({"client_id": client_id, "iat": issued, "exp": issued + int(lifetime.total_seconds()), "jti": nonce.hex()}, secret)


def _decoded(part: str, name: str) -> bytes:
    letters, over = part.encode("ascii", "replace"), len(part) % 4
    try:
        # without `strict_mode` what does not belong is dropped, and one JWT has several spellings (decision 0002)
        data = binascii.a2b_base64(letters.translate(_TO_BASE64) + _PADDING[over], strict_mode=True)
    except binascii.Error:
        data = b""
    if not data:
        raise UnreadableAssertionError(_not_base64url(letters, name))
    last = _LAST_LETTERS[over]
    if last is not None and letters[-1] not in last:
        raise UnreadableAssertionError(f"The {name} of the JWT ends in bits that do not belong to any byte.")
    return data


def _not_base64url(letters: bytes, name: str) -> str:
    if letters and letters.replace(b"-", b"").replace(b"_", b"").isalnum():
        return f"The {name} of the JWT is cut: no base64url has that length."
    return f"The {name} of the JWT is empty or has characters that are not base64url (padding, +, /, quotes, white space)."


@functools.lru_cache(64)
def _header(text: bytes) -> Mapping[str, object]:
    """A client's JWTs all have the same header: it is read once. A long one is refused before it is remembered."""
    if len(text) > MAX_HEADER:
        raise UnreadableAssertionError(f"The header of the JWT is longer than {MAX_HEADER} bytes.")
    return MappingProxyType(_object(text, "header"))  # shared by requests, so nobody may change it


def _object(text: bytes, name: str) -> dict[str, object]:
    try:
        return json_text.read(text, dict[str, object])
    except json_text.JsonTextError as error:
        raise UnreadableAssertionError(f"The {name} of the JWT is no JSON object: {error}") from None
