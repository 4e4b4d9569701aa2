"""base58check: the outermost layer of access grants, API keys and node ids (format page, section 2)."""

import functools
import hashlib

from grantway.access_grant.errors import Malformed

ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MAX_TEXT = 64 * 1024  # characters; the arithmetic grows faster than the text does
_JOINED = 64  # texts of nearly the same length share their masks

_NOT_A_DIGIT = 0xFF
_DIGIT_OF = bytes(ALPHABET.find(byte) if byte in ALPHABET else _NOT_A_DIGIT for byte in range(256))
_LETTER_OF = ALPHABET.ljust(256, b"\0")

_BEGINNING = 64  # bytes: access grants of one satellite begin alike, with its address
_DIGITS, _BLOCK_BYTES, _BYTES_IN_BLOCK = 32, 48, 23  # of a block: its digits, the bytes that they become, and those that surely fit
_BLOCK = 58**_DIGITS
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
    # not in constant time: a checksum follows from what is before it and keeps no secret
    if _checksum(raw[:-4]) != raw[-4:]:
        raise Malformed("base58: checksum mismatch")
    return raw[0], raw[1:-4]


def _checksum(raw: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]


def _encode(raw: bytes) -> str:
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + (_long_text(raw) or _text(int.from_bytes(raw, "big")))


def _long_text(raw: bytes) -> str:
    """The digits of a long number by those of its beginning; empty where that cannot be done."""
    if len(raw) < 2 * _BEGINNING:
        return ""
    digits, over, base, width = _beginning(raw[:_BEGINNING], len(raw) - _BEGINNING)
    # a carry would change digits that are settled already; then all is worked out anew
    rest = over + int.from_bytes(raw[_BEGINNING:], "big")
    return digits + _text(rest).rjust(width, "1") if digits and rest < base else ""


# no secret is remembered: an address, or head and caveats, stand before every key
@functools.lru_cache(256)
def _beginning(raw: bytes, bytes_behind: int) -> tuple[str, int, int, int]:
    """A number that begins with `raw`: the digits which that settles unless there is a carry, what it leaves over of the first that it
    does not, 58 to the power of how many these are, and how many."""
    blocks = -(-bytes_behind // _BYTES_IN_BLOCK)
    base = _BLOCK**blocks
    settled, over = divmod(int.from_bytes(raw, "big") << 8 * bytes_behind, base)
    return _text(settled), over, base, blocks * _DIGITS


def _text(number: int) -> str:
    """Cut the number into blocks of 32 digits, then halve all blocks at once until every lane holds one digit.

    The lanes lie side by side in one long integer, so that a handful of multiplications does the divisions of all of them: in half
    the time that it takes digit by digit.
    """
    blocks: list[bytes] = []  # least significant first
    while number:
        number, block = divmod(number, _BLOCK)
        blocks.append(block.to_bytes(_BLOCK_BYTES, "little"))
    lanes = int.from_bytes(b"".join(blocks), "little")
    for (divisor, reciprocal, precision, _, shift), mask in zip(_HALVINGS, _masks(len(blocks)), strict=True):
        upper = (lanes * reciprocal >> precision) & mask  # without the mask a lane would spill into its neighbour
        # the upper half of each lane gets the quotient, the lower one keeps the remainder
        lanes += (upper << shift) - upper * divisor
    return _letters(lanes.to_bytes(len(blocks) * _BLOCK_BYTES, "little"))


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
    # what is not ASCII becomes "?", which is no digit either
    digits = text.encode("ascii", "replace").translate(_DIGIT_OF)
    if (bad := digits.find(_NOT_A_DIGIT)) >= 0:
        raise Malformed(f"base58: a character outside the alphabet (position {bad})")
    number = _number(digits)
    # a number has no leading zeros, so bytes of zero are counted: one "1" each
    leading_zeros = len(digits) - len(digits.lstrip(b"\0"))
    return bytes(leading_zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _number(digits: bytes) -> int:
    """Join all neighbours at once until one number is left. Side by side in one long integer, as in `_encode`: a third of the time."""
    number, base = int.from_bytes(digits, "big"), 58
    for width, mask in _joins(-(-len(digits) // _JOINED) * _JOINED):
        number = (number & mask) + (number >> width & mask) * base
        base *= base
    return number


@functools.lru_cache(8)
def _joins(digits: int) -> tuple[tuple[int, int], ...]:
    """For each joining of that many digits: the bits of a lane, and ones in every other lane."""
    widths = [1 << power for power in range((digits - 1).bit_length())]
    return tuple((width * 8, int.from_bytes((bytes(width) + b"\xff" * width) * -(-digits // (2 * width)), "big")) for width in widths)
