"""base58check: the outermost layer of access grants, API keys and node ids (format page, section 2)."""

import hashlib
import struct

from grantway.access_grant.errors import Malformed

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MAX_TEXT = 64 * 1024  # characters; the arithmetic grows faster than the text does

_NOT_A_DIGIT = 0xFF
_DIGIT_OF = bytes(ALPHABET.find(byte) if byte in ALPHABET else _NOT_A_DIGIT for byte in range(256))
_TWO_DIGITS, _FOUR_DIGITS, _FORTY_DIGITS = 58**2, 58**4, 58**40
_PAIRS = [chr(high) + chr(low) for high in ALPHABET for low in ALPHABET]


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
    number = int.from_bytes(raw, "big")
    fours: list[str] = []  # least significant first
    while number:  # few divisions of the long number, many of short ones
        number, forty = divmod(number, _FORTY_DIGITS)
        for _ in range(10):
            forty, four = divmod(forty, _FOUR_DIGITS)
            high, low = divmod(four, _TWO_DIGITS)
            fours.append(_PAIRS[high] + _PAIRS[low])
    fours.reverse()
    leading_zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * leading_zeros + "".join(fours).lstrip("1")


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
