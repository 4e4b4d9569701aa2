"""What a passphrase opens, narrowed to what was approved: made at consent or at the exchange, and between both sealed under the code.

We keep only the digest of a code, so what is sealed under it opens for whoever brings the code, and for nobody who reads the database.
"""

from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grantway.access_grant import AllowedPath, EncryptionAccess
from grantway.authorization.consent import buckets
from grantway.scopes.meaning import Meaning
from grantway.sealing import Sealing

WHAT = "opening"
_INFO = b"grantway: what a consent opens"


@dataclass(frozen=True, slots=True)
class Opening:
    """The approved places with encrypted prefixes (none when no prefix was approved), and the keys below them."""

    paths: tuple[AllowedPath, ...]
    access: EncryptionAccess = field(repr=False)


class _Stored(msgspec.Struct, array_like=True):
    paths: list[tuple[bytes, bytes]]
    access: bytes


def has_prefixes(meaning: Meaning) -> bool:
    """Whether a prefix was approved, and not all of its bucket too: then nothing can be issued without the encryption key."""
    return any(place.prefix for place in meaning.widest())


def of(meaning: Meaning, root_key: bytes) -> Opening:
    """What a project's root key (32 bytes) opens of the approved places, and nothing else of it."""
    if meaning.places and not has_prefixes(meaning):
        # whole buckets stand in the consent's caveat already; the grant's needs places for prefixes only
        return Opening((), EncryptionAccess.of_buckets(root_key, [place.bucket for place in meaning.widest()]))
    whole = EncryptionAccess.from_root_key(root_key)
    # one slash more, because one is dropped: a prefix may end in slashes of its own
    paths = tuple(AllowedPath(place.bucket, whole.encrypt_prefix(place.bucket, place.prefix + b"/")) for place in meaning.widest())
    # the places of both caveats are at hand: reading them again from the bytes would cost more than all the rest
    return Opening(paths, whole.limit_to_places((buckets(meaning), paths)))


def sealed(opening: Opening, code: str, nonce: bytes) -> bytes:
    """The opening under a code; `nonce` is 12 random bytes."""
    stored = _Stored([(path.bucket, path.encrypted_prefix) for path in opening.paths], opening.access.serialise())
    return _under(code).seal(msgspec.msgpack.encode(stored), WHAT, "", nonce)


def unsealed(text: bytes, code: str) -> Opening:
    """The opening that was sealed under this code. SealBrokenError when it was under another."""
    stored = msgspec.msgpack.decode(_under(code).unseal(text, WHAT, ""), type=_Stored)
    return Opening(tuple(AllowedPath(*path) for path in stored.paths), EncryptionAccess.parse(stored.access))


def _under(code: str) -> Sealing:
    # neither salt nor slow hash: a code is 256 random bits and cannot be guessed
    return Sealing.under(HKDF(SHA256(), 32, None, _INFO).derive(code.encode()))
