"""Which key was it signed with? The usual mistakes, tried one after the other: always as many, for a known client and for none.

The order follows how often each mistake is made; where several secrets are known, the newest is tried in all ways, older ones as they are.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from grantway.diagnosis.attempt import Known
from grantway.diagnosis.cause import Cause

TRIALS = 16  # as many for an unknown client (decision 0009)
_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_NOBODYS = b"a key that nobody has, for the trials that a client has no secrets for"

Trial = tuple[Cause | None, bytes]


def trial_keys(known: Known, claimed: str) -> list[Trial]:
    """`TRIALS` keys with the cause that each would prove. The first stands for the right key under another algorithm."""
    live = [one.key for one in known.secrets if one.ended_at is None]
    found: list[Trial] = [(None, key) for key in live[:1]]
    found.append((Cause.CLIENT_ID_AS_KEY, claimed.encode("utf-8", "replace")))
    for key in live[:1]:
        found += _mistakes(key)
    spare = [(Cause.RETIRED_SECRET, one.key) for one in known.secrets if one.ended_at is not None][:2]
    spare += [(Cause.SECRET_OF_ANOTHER_CLIENT_OF_YOURS, one.key) for one in known.foreign][:3]
    # older and foreign secrets always have a place; the rarest mistakes give way to them
    kept = found[: TRIALS - len(spare)] + spare
    return kept + [(None, _NOBODYS)] * (TRIALS - len(kept))


def matching(signed: bytes, signature: bytes, algorithm: object, trials: Sequence[Trial]) -> tuple[bool, Cause | None]:
    """Whether a trial's key made the signature, and what that proves (None: the key is right). All are tried, whichever matches."""
    # the right key under HS384 is no wrong key: only alg is told then
    digest = _DIGESTS.get(algorithm if isinstance(algorithm, str) else "", "sha256")
    made = [(hmac.compare_digest(hmac.digest(key, signed, digest), signature), cause) for cause, key in trials]
    return next(((True, cause) for matches, cause in made if matches), (False, None))


def variants(secret: str) -> list[tuple[str, bytes]]:
    """What a server may hold, given what a developer holds: (name, key), each key once, the secret as it is first."""
    named = [("as_is", secret.encode("utf-8", "replace")), ("whitespace_stripped", secret.strip().encode("utf-8", "replace"))]
    bare = secret.strip()
    named.append(("with_newline", bare.encode("utf-8", "replace") + b"\n"))
    named += [(name, key) for name, key in (("hex_decoded", _unhexed(bare)), ("base64_decoded", _unbased(bare))) if key]
    named.append(("sha256_hex", hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest().encode()))
    named += [("url_decoded", unquote(bare).encode("utf-8", "replace")), ("url_encoded", quote(bare, safe="", errors="replace").encode())]
    named.append(("quotes_stripped", bare.strip("\"'").encode("utf-8", "replace")))
    seen: set[bytes] = set()
    return [(name, key) for name, key in named if not (key in seen or seen.add(key))]  # type: ignore[func-returns-value]


def _mistakes(key: bytes) -> list[Trial]:
    """What a secret may have become on its way into somebody's program."""
    secret = key.decode("utf-8", "replace")
    tried: list[Trial] = [
        (Cause.SECRET_WITH_WHITESPACE, key + b"\n"),
        (Cause.SECRET_HEX_DECODED, _unhexed(secret)),
        (Cause.SECRET_BASE64_DECODED, _unbased(secret)),
        (Cause.HASH_OF_SECRET, hashlib.sha256(key).hexdigest().encode()),
        (Cause.SECRET_QUOTED, b'"' + key + b'"'),
        (Cause.SECRET_DOLLAR_STRIPPED, re.sub(rb"\$\w*", b"", key)),
        (Cause.SECRET_URL_ENCODED, quote(secret, safe="").encode()),
        (Cause.SECRET_URL_ENCODED, unquote(secret).encode()),
        (Cause.SECRET_TRUNCATED, key[:-1]),
        (Cause.SECRET_TRUNCATED, key[:32]),
        (Cause.SECRET_WITH_WHITESPACE, key + b"\r\n"),
        (Cause.SECRET_WITH_WHITESPACE, b" " + key),
        (Cause.SECRET_BASE64_ENCODED, base64.b64encode(key)),
        (Cause.SECRET_BASE64_ENCODED, base64.b64encode(key + b"\n")),
        (Cause.SECRET_QUOTED, b"'" + key + b"'"),
        (Cause.SECRET_WITH_WHITESPACE, key + b" "),
        (Cause.HASH_OF_SECRET, hashlib.sha256(key).digest()),
        (Cause.SECRET_TRUNCATED, key[: len(key) // 2]),
        (Cause.SECRET_TRUNCATED, key[:-6]),
    ]
    # a mistake that leaves a secret as it is would prove the right key wrong
    return [(cause, made) for cause, made in tried if made not in {b"", key}]


def _unhexed(secret: str) -> bytes:
    try:
        return bytes.fromhex(secret)
    except ValueError:
        return b""


def _unbased(secret: str) -> bytes:
    letters = secret.replace("-", "+").replace("_", "/").rstrip("=")
    if len(letters) % 4 == 1:  # one letter is no byte: lenient readers drop it, and our own secrets end in one
        letters = letters[:-1]
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""
