"""Seal what must be stored and read again: AES-256-GCM under a key from the master key, bound to what it is and whose.

A sealed value is `0x01 || key id (4 bytes) || nonce (12 bytes) || ciphertext and tag`. The key id tells which master key
sealed it. The associated data name the kind of thing and its owner, so that a row copied elsewhere does not open.
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
_FORMAT = b"\x01"
_KEY_ID_BYTES = 4
_HEADER = len(_FORMAT) + _KEY_ID_BYTES


class MasterKeyError(Exception):
    """There is no usable master key; the message says what to do and holds nothing of any key."""


class SealBrokenError(Exception):
    """A sealed value does not open: another master key, another owner, or altered bytes. Never the caller's fault."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals and unseals under one master key."""

    _aead: AESGCM = field(repr=False)
    _key_id: bytes

    @classmethod
    def under(cls, master_key: bytes) -> "Sealing":
        """Sealing under a master key of 32 bytes; ValueError for another length."""
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {len(master_key)} bytes, not {MASTER_KEY_BYTES}")
        return cls(AESGCM(_derived(master_key, b"grantway sealing", 32)), _derived(master_key, b"grantway key id", _KEY_ID_BYTES))

    def seal(self, plaintext: bytes, what: str, whose: str, nonce: bytes) -> bytes:
        """Seal `plaintext` for `whose` `what` under 12 random bytes that were never used before."""
        return _FORMAT + self._key_id + nonce + self._aead.encrypt(nonce, plaintext, _bound_to(what, whose))

    def unseal(self, sealed: bytes, what: str, whose: str) -> bytes:
        """What was sealed for `whose` `what`; SealBrokenError when it does not open, without saying why."""
        nonce, ciphertext = sealed[_HEADER : _HEADER + NONCE_BYTES], sealed[_HEADER + NONCE_BYTES :]
        if sealed[:_HEADER] != _FORMAT + self._key_id:
            raise SealBrokenError(f"a sealed {what} was sealed under another master key")
        try:
            return self._aead.decrypt(nonce, ciphertext, _bound_to(what, whose))
        except (InvalidTag, ValueError):
            raise SealBrokenError(f"a sealed {what} does not open") from None


def _derived(master_key: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(master_key)


def _bound_to(what: str, whose: str) -> bytes:
    return f"{what}\0{whose}".encode()
