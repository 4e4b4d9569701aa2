"""Macaroons as raw bytes: head, caveats, tail; and the chain of HMACs that ties them (format page, section 3)."""

import hmac
from collections.abc import Iterable
from itertools import accumulate

from grantway.access_grant.errors import Malformed
from grantway.access_grant.wire import read_varint, varint

TAIL_BYTES = 32

_VERSION = 2
_END_OF_SECTION, _LOCATION, _IDENTIFIER, _VERIFICATION_ID, _SIGNATURE = 0, 1, 2, 4, 6
_MAX_LENGTH = 0x7FFF_FFFF  # the Go library's bound, for packet types too
_SECTION_END = bytes((_END_OF_SECTION,))


def parse(data: bytes) -> tuple[bytes, tuple[bytes, ...], bytes]:
    """Return (head, caveats, tail). Raises Malformed.

    Locations and verification ids are read and dropped, and so is whatever follows the tail: the Go library does the same.
    """
    if len(data) < 2:
        raise Malformed("empty macaroon")
    if data[0] != _VERSION:
        raise Malformed(f"macaroon version {data[0]} instead of {_VERSION}")
    # a verification id belongs to caveats only
    head, at = _read_section(data, 1, "head", (_IDENTIFIER,))
    # no bound of its own: a text has 64 KiB at most (`base58.MAX_TEXT`)
    caveats: list[bytes] = []
    while data[at : at + 1] != _SECTION_END:
        where = f"caveat {len(caveats) + 1}"
        caveat, at = _read_section(data, at, where, (_IDENTIFIER, _VERIFICATION_ID))
        caveats.append(caveat)
    return head, tuple(caveats), _read_tail(data, at + 1)


def serialise(head: bytes, caveats: Iterable[bytes], tail: bytes) -> bytes:
    """Write a macaroon without locations."""
    parts = [bytes((_VERSION,)), _packet(_IDENTIFIER, head), _SECTION_END]
    for caveat in caveats:
        parts += (_packet(_IDENTIFIER, caveat), _SECTION_END)
    return b"".join((*parts, _SECTION_END, _packet(_SIGNATURE, tail)))


def tails(secret: bytes, head: bytes, caveats: Iterable[bytes]) -> tuple[bytes, ...]:
    """Compute every tail from the secret, first (no caveat) to last (all of them); 32 bytes each."""
    return tails_below(next_tail(secret, head), caveats)


def tails_below(tail: bytes, caveats: Iterable[bytes]) -> tuple[bytes, ...]:
    """Compute every tail from the one that the first of these caveats was added to; that one comes first."""
    return tuple(accumulate(caveats, next_tail, initial=tail))


def next_tail(tail: bytes, caveat: bytes) -> bytes:
    """Return the tail after one more caveat: whoever holds a tail can narrow it, and nobody can go back."""
    return hmac.digest(tail, caveat, "sha256")


def _read_section(data: bytes, at: int, where: str, order: tuple[int, ...]) -> tuple[bytes, int]:
    """Read a section: maybe a location, the identifier, and what else `order` allows. Returns (identifier, offset behind it)."""
    found: dict[int, bytes] = {}
    last = 0
    while True:
        start = at
        kind, packet, at = _read_packet(data, at, where)
        if kind == _END_OF_SECTION:
            break
        # types rise strictly: so no packet is there twice, and it is clear which one counts
        if kind <= last or kind not in (_LOCATION, *order):
            raise Malformed(f"{where}: unexpected packet type {kind} (offset {start})")
        found[kind], last = packet, kind
    if _IDENTIFIER not in found:
        raise Malformed(f"{where}: no identifier (offset {start})")
    return found[_IDENTIFIER], at


def _read_tail(data: bytes, at: int) -> bytes:
    kind, tail, _ = _read_packet(data, at, "tail")
    if kind != _SIGNATURE or len(tail) != TAIL_BYTES:
        raise Malformed(f"tail: packet type {kind} of {len(tail)} bytes instead of {_SIGNATURE} of {TAIL_BYTES} (offset {at})")
    return tail


def _read_packet(data: bytes, at: int, where: str) -> tuple[int, bytes, int]:
    kind, after = _read_int(data, at, where)
    if kind == _END_OF_SECTION:
        return kind, b"", after
    length, after = _read_int(data, after, where)
    if length > len(data) - after:
        raise Malformed(f"{where}: packet length {length} runs past the end (offset {at})")
    return kind, data[after : after + length], after + length


def _read_int(data: bytes, at: int, where: str) -> tuple[int, int]:
    try:
        value, after = read_varint(data, at)
    except Malformed as error:
        raise error.within(where) from None
    if value > _MAX_LENGTH:
        raise Malformed(f"{where}: number {value} is too large (offset {at})")
    return value, after


def _packet(kind: int, data: bytes) -> bytes:
    return bytes((kind,)) + varint(len(data)) + data
