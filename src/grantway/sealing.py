"""Seal what must be stored and read again: AES-256-GCM under a key from the master key, bound to what it is and whose.

A sealed value is `0x01 || key id (4 bytes) || nonce (12 bytes) || ciphertext and tag`. The key id tells which master key
sealed it. The associated data name the kind of thing and its owner, so that a row copied elsewhere does not open.
"""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
HEADER_BYTES = 5
"""How many bytes at the beginning of a sealed value tell which master key sealed it."""
SATELLITE_IDENTITY = "satellite identity"
"""What the satellite's private key is sealed as; other kinds of things are named where they are defined."""

_FORMAT = b"\x01"
_KEY_ID_BYTES = 4

MasterKeys = tuple[bytes, ...]
"""Of 32 bytes each, the newest first."""


class MasterKeyError(Exception):
    """There is no usable master key; the message says what to do and holds nothing of any key."""


class SealBrokenError(Exception):
    """A sealed value does not open: another master key, another owner, or altered bytes. Never the caller's fault."""


class Sealing:
    """Seals under the first of its master keys and opens what any of them sealed.

    `read` gives the keys as they are now. It is asked before each sealing, and when something was sealed under a key that is not known:
    opening costs the same with many keys as with one.
    """

    __slots__ = ("_by_header", "_master_keys", "_read")

    def __init__(self, read: Callable[[], MasterKeys]) -> None:
        self._read = read
        self._master_keys: MasterKeys = ()
        self._by_header: dict[bytes, AESGCM] = {}
        self._follow()

    @classmethod
    def under(cls, *master_keys: bytes) -> "Sealing":
        """Sealing under these master keys, 32 bytes each, for good; ValueError for another length."""
        return cls(lambda: master_keys)

    def headers(self) -> tuple[bytes, ...]:
        """How what each of the keys seals begins, the newest key's first; 5 bytes each."""
        self._follow()
        return tuple(self._by_header)

    def seal(self, plaintext: bytes, what: str, whose: str, nonce: bytes) -> bytes:
        """Seal `plaintext` for `whose` `what` under 12 random bytes that were never used before."""
        return self._sealed(self.headers()[0], plaintext, what, whose, nonce)

    def unseal(self, sealed: bytes, what: str, whose: str) -> bytes:
        """What was sealed for `whose` `what`; SealBrokenError when it does not open, without saying why."""
        opener = self._opener(sealed[:HEADER_BYTES], what)
        nonce, ciphertext = sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES], sealed[HEADER_BYTES + NONCE_BYTES :]
        try:
            return opener.decrypt(nonce, ciphertext, _bound_to(what, whose))
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise SealBrokenError(f"a sealed {what} does not open") from None

    def resealed(self, sealed: bytes, header: bytes, what: str, whose: str, nonce: bytes) -> bytes:
        """The same under the key with that header; as it is, if that key sealed it.

        SealBrokenError when it does not open, or when that key is none of ours.
        """
        if sealed[:HEADER_BYTES] == header:
            return sealed
        return self._sealed(header, self.unseal(sealed, what, whose), what, whose, nonce)

    def _sealed(self, header: bytes, plaintext: bytes, what: str, whose: str, nonce: bytes) -> bytes:
        return header + nonce + self._opener(header, what).encrypt(nonce, plaintext, _bound_to(what, whose))

    def _opener(self, header: bytes, what: str) -> AESGCM:
        opener = self._by_header.get(header)
        if opener is None:
            self._follow()
            opener = self._by_header.get(header)
        if opener is None:
            raise SealBrokenError(f"a sealed {what} was sealed under another master key")
        return opener

    def _follow(self) -> None:
        """Take the keys as they are now. Both names are set whole: another thread may be opening something."""
        master_keys = self._read()
        if master_keys != self._master_keys:
            self._by_header = {header(one): AESGCM(_derived(one, b"grantway sealing", 32)) for one in master_keys}
            self._master_keys = master_keys


def header(master_key: bytes) -> bytes:
    """How everything that this master key seals begins, 5 bytes; ValueError for a key that has not 32 bytes."""
    if len(master_key) != MASTER_KEY_BYTES:
        raise ValueError(f"the master key has {len(master_key)} bytes, not {MASTER_KEY_BYTES}")
    return _FORMAT + _derived(master_key, b"grantway key id", _KEY_ID_BYTES)


def key_name(header: bytes) -> str:
    """What a master key is called where people read of it: its id in hex, which leads to nothing of the key."""
    return header[len(_FORMAT) : HEADER_BYTES].hex()


def _derived(master_key: bytes, purpose: bytes, length: int) -> bytes:
    # no salt: a master key is 32 random bytes already
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(master_key)


def _bound_to(what: str, whose: str) -> bytes:
    # neither part has a NUL in it, so no two pairs are bound alike
    return f"{what}\0{whose}".encode()
