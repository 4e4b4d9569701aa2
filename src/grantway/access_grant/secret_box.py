"""XSalsa20-Poly1305, known as crypto_secretbox: what path cipher 3 uses. Plain Python, for that cipher is rare.

Sources: D. J. Bernstein, "Salsa20 specification" and "Extending the Salsa20 nonce"; Poly1305 comes from `cryptography`.
"""

import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.poly1305 import Poly1305

from grantway.access_grant.errors import Malformed

NONCE_BYTES = 24
TAG_BYTES = 16

_SIGMA = struct.unpack("<4I", b"expand 32-byte k")
_QUARTERS = (
    *((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)),  # columns
    *((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)),  # rows
)
_SUBKEY_WORDS = (0, 5, 10, 15, 6, 7, 8, 9)  # HSalsa20: the diagonal, and the words that were the nonce


def seal(message: bytes, key: bytes, nonce: bytes) -> bytes:
    """Return tag (16 bytes) and ciphertext. `key` has 32 bytes, `nonce` 24, never used twice with one key."""
    stream = _key_stream(key, nonce, 32 + len(message))
    ciphertext = _xor(message, stream[32:])
    # as NaCl does: the stream's first 32 bytes are Poly1305's key, and the tag stands first
    return Poly1305.generate_tag(stream[:32], ciphertext) + ciphertext


def open_sealed(sealed: bytes, key: bytes, nonce: bytes) -> bytes:
    """Return the message. Raises Malformed when the key is another or the bytes were changed."""
    tag, ciphertext = sealed[:TAG_BYTES], sealed[TAG_BYTES:]
    stream = _key_stream(key, nonce, 32 + len(ciphertext))
    try:
        Poly1305.verify_tag(stream[:32], ciphertext, tag)
    except InvalidSignature:
        raise Malformed("sealed bytes do not open with this key") from None
    return _xor(ciphertext, stream[32:])


def _key_stream(key: bytes, nonce: bytes, length: int) -> bytes:
    """XSalsa20: the first 16 bytes of the nonce make a subkey, the last 8 and a counter the blocks."""
    mixed = _rounds(_state(key, struct.unpack("<4I", nonce[:16])))
    # without the final addition, which only a block of the stream has
    subkey = struct.pack("<8I", *(mixed[word] for word in _SUBKEY_WORDS))
    tail = struct.unpack("<2I", nonce[16:])
    return b"".join(_block(_state(subkey, (*tail, counter, 0))) for counter in range((length + 63) // 64))


def _block(state: Sequence[int]) -> bytes:
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(_rounds(state), state, strict=True)))


def _state(key: bytes, middle: tuple[int, ...]) -> tuple[int, ...]:
    k = struct.unpack("<8I", key)
    return (_SIGMA[0], *k[:4], _SIGMA[1], *middle, _SIGMA[2], *k[4:], _SIGMA[3])


def _rounds(state: Sequence[int]) -> list[int]:
    x = list(state)
    # ten double rounds make Salsa20/20
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            x[b] ^= _rotated(x[a] + x[d], 7)
            x[c] ^= _rotated(x[b] + x[a], 9)
            x[d] ^= _rotated(x[c] + x[b], 13)
            x[a] ^= _rotated(x[d] + x[c], 18)
    return x


def _rotated(word: int, by: int) -> int:
    word &= 0xFFFFFFFF
    return (word << by | word >> (32 - by)) & 0xFFFFFFFF


def _xor(data: bytes, stream: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))
