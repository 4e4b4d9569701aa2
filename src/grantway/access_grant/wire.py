"""Protobuf on the wire, read strictly and written canonically: the few primitives that these messages need.

By hand because the rules of the format page, section 5, are stricter than what protobuf libraries enforce.
"""

import functools
from collections.abc import Iterator, Mapping

from grantway.access_grant.errors import Malformed

VARINT, FIXED64, BYTES, GROUP_START, GROUP_END, FIXED32 = range(6)

MAX_GROUP_DEPTH = 10_001  # what Go's protowire bears
_ONE_BYTE = tuple(bytes((value,)) for value in range(0x80))
_FIXED_SIZE = {FIXED64: 8, FIXED32: 4}


def fields(data: bytes, known: Mapping[int, int]) -> Iterator[tuple[int, int, bytes]]:
    """Yield (number, integer, bytes) for every field in `known` (number to wire type); skip the unknown ones.

    A VARINT field has its value (0 to 2**64 - 1) in `integer`, a BYTES field has its own in `bytes`. Raises Malformed.
    """
    at, end = 0, len(data)
    while at < end:
        start, tag, at = at, data[at], at + 1
        if tag >= 0x80:
            tag, at = read_varint(data, start)
        number, wire_type = tag >> 3, tag & 7
        # a known field of its own type is in range by that: only what is not needs a closer look
        if known.get(number) != wire_type:
            _refuse_bad_tag(number, wire_type, start)
            # Storj's library refuses it too, where protobuf's own take it for an unknown one (decision 0003)
            if number in known:
                raise Malformed(f"field {number} has wire type {wire_type} instead of {known[number]} (offset {start})")
            at = _skip(data, at, number, wire_type)
        elif wire_type == VARINT:
            value, at = read_varint(data, at)
            yield number, value, b""
        else:
            payload, at = read_bytes(data, at)
            yield number, 0, payload


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return (value below 2**64, offset behind it). Over-long encodings of up to ten bytes are accepted."""
    if at < len(data) and data[at] < 0x80:  # nearly always
        return data[at], at + 1
    value = shift = 0
    for position in range(at, min(at + 10, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            # the tenth byte has room for one bit
            if value >> 64:
                break
            return value, position + 1
        shift += 7
    fault = "varint is over 64 bits" if len(data) - at >= 10 else "varint does not end"
    raise Malformed(f"{fault} (offset {at})")


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Return (the length-prefixed bytes at `at`, offset behind them)."""
    start = at
    if at < len(data) and data[at] < 0x80:  # nearly always
        length, at = data[at], at + 1
    else:
        length, at = read_varint(data, at)
    if length > len(data) - at:
        raise Malformed(f"length {length} runs past the end (offset {start})")
    return data[at : at + length], at + length


def signed(value: int, bits: int) -> int:
    """Read the low `bits` of a varint as two's complement, as int32 and int64 fields have it."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def varint(value: int) -> bytes:
    """Write `value` in as few bytes as possible; a negative one in ten, as int64 fields have it."""
    return _ONE_BYTE[value] if 0 <= value < 0x80 else _longer_varint(value)  # the former nearly always


# numbers of fields and lengths, which come again and again
@functools.lru_cache(1024)
def _longer_varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer_field(number: int, value: int) -> bytes:
    """Write a VARINT field, or nothing when the value is 0."""
    return varint(number << 3 | VARINT) + varint(value) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """Write a BYTES field, or nothing when it is empty."""
    return message_field(number, value) if value else b""


def message_field(number: int, value: bytes) -> bytes:
    """Write a BYTES field even when it is empty: its presence means something."""
    tag, length = number << 3 | BYTES, len(value)
    if tag < 0x80 and length < 0x80:  # nearly always
        return bytes((tag, length)) + value
    return varint(tag) + varint(length) + value


def _refuse_bad_tag(number: int, wire_type: int, at: int) -> None:
    # from 2**29 on the Go library ends the message without a word: it would read less than stands there (section 5)
    if not 0 < number < 1 << 29:
        raise Malformed(f"field number {number} is out of range (offset {at})")
    if wire_type > FIXED32:
        raise Malformed(f"wire type {wire_type} does not exist (offset {at})")


def _skip(data: bytes, at: int, number: int, wire_type: int) -> int:
    """Return the offset behind an unknown field. Groups are kept on a list: no depth can exhaust the stack."""
    groups: list[int] = []
    while True:
        if wire_type == GROUP_START:
            groups.append(number)
        elif wire_type == GROUP_END:
            if not groups or groups.pop() != number:
                raise Malformed(f"group {number} ends without having begun (offset {at})")
        else:
            at = _skip_value(data, at, wire_type)
        if not groups:
            return at
        if len(groups) > MAX_GROUP_DEPTH or at >= len(data):
            raise Malformed(f"group {groups[-1]} is nested too deep or does not end (offset {at})")
        start = at
        tag, at = read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        _refuse_bad_tag(number, wire_type, start)


def _skip_value(data: bytes, at: int, wire_type: int) -> int:
    if wire_type == VARINT:
        return read_varint(data, at)[1]
    if wire_type == BYTES:
        return read_bytes(data, at)[1]
    after = at + _FIXED_SIZE[wire_type]
    if after > len(data):
        raise Malformed(f"fixed-size field runs past the end (offset {at})")
    return after
