"""base58check: the outermost layer of access grants, API keys and node ids (format page, section 2)."""

import functools
import hashlib
import struct

from grantway.access_grant.errors import Malformed

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MAX_TEXT = 64 * 1024  # characters; the arithmetic grows faster than the text does

_NOT_A_DIGIT = 0xFF
_DIGIT_OF = bytes(ALPHABET.find(byte) if byte in ALPHABET else _NOT_A_DIGIT for byte in range(256))
_LETTER_OF = ALPHABET.ljust(256, b"\0")

_BLOCK, _BLOCK_BYTES = 58**32, 48
# How a block of 32 digits is taken apart: (divisor, its reciprocal, the reciprocal's bits, bits of a lane, bits to the new upper lane).
# The reciprocal is rounded up, and precise enough that the quotient is exact for every value that a lane can have.
_HALVINGS = tuple(
    (58**digits, -(-(1 << precision) // 58**digits), precision, bits, shift)
    for digits, precision, bits, shift in ((16, 282, 384, 192), (8, 141, 192, 96), (4, 71, 96, 48), (2, 36, 48, 24), (1, 18, 24, 8))
)


def encode_check(payload: bytes, version: int = 0) -> str:
    """Encode `version` (0..255), the payload and a four-byte checksum as text."""
    raw = bytes((version,)) + payload
    return _encode(raw + _checksum(raw))


def decode_check(text: str) -> tuple[int, bytes]:
    """Return (version, payload). Raises Malformed; nothing is trimmed, and any version is accepted."""
    raw = _decode(text)
    if len(raw) < 5:
        raise Malformed(f"base58: {len(raw)} bytes are too few for a version and a checksum")
    if _checksum(raw[:-4]) != raw[-4:]:
        raise Malformed("base58: checksum mismatch")
    return raw[0], raw[1:-4]


def _checksum(raw: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]


def _encode(raw: bytes) -> str:
    """Cut the number into blocks of 32 digits, then halve all blocks at once until every lane holds one digit.

    The lanes lie side by side in one long integer, so that a handful of multiplications does the divisions of all of them: in half
    the time that it takes digit by digit.
    """
    number = int.from_bytes(raw, "big")
    blocks: list[bytes] = []  # least significant first
    while number:
        number, block = divmod(number, _BLOCK)
        blocks.append(block.to_bytes(_BLOCK_BYTES, "little"))
    lanes = int.from_bytes(b"".join(blocks), "little")
    for (divisor, reciprocal, precision, _, shift), mask in zip(_HALVINGS, _masks(len(blocks)), strict=True):
        upper = (lanes * reciprocal >> precision) & mask
        lanes += (upper << shift) - upper * divisor
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + _letters(lanes.to_bytes(len(blocks) * _BLOCK_BYTES, "little"))


def _letters(lanes: bytes) -> str:
    """The digits, two in every three bytes, the least significant first, as text without leading zeros."""
    digits = bytearray(len(lanes) // 3 * 2)
    digits[0::2], digits[1::2] = lanes[0::3], lanes[1::3]
    digits.reverse()
    return digits.lstrip(b"\0").translate(_LETTER_OF).decode()


@functools.lru_cache(16)
def _masks(blocks: int) -> tuple[int, ...]:
    """For each halving: ones where the quotients of that many blocks stand."""
    whole = (1 << (blocks * _BLOCK_BYTES * 8)) - 1
    return tuple(whole // ((1 << bits) - 1) * ((1 << (bits - precision)) - 1) for _, _, precision, bits, _ in _HALVINGS)


def _decode(text: str) -> bytes:
    if len(text) > MAX_TEXT:
        raise Malformed(f"base58: {len(text)} characters, more than {MAX_TEXT}")
    digits = text.encode("ascii", "replace").translate(_DIGIT_OF)
    if (bad := digits.find(_NOT_A_DIGIT)) >= 0:
        raise Malformed(f"base58: a character outside the alphabet (position {bad})")
    number = _number(digits)
    leading_zeros = len(digits) - len(digits.lstrip(b"\0"))
    return bytes(leading_zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _number(digits: bytes) -> int:
    """Join neighbours until one number is left: on long input far cheaper than digit by digit."""
    padded = bytes(-len(digits) % 5) + digits
    values: list[int] = [(((a * 58 + b) * 58 + c) * 58 + d) * 58 + e for a, b, c, d, e in struct.iter_unpack("5B", padded)] or [0]
    base = 58**5
    while len(values) > 1:
        if len(values) % 2:
            values.insert(0, 0)
        values = [high * base + low for high, low in zip(values[::2], values[1::2], strict=True)]
        base *= base
    return values[0]
