"""Whatever is given to the readers: Malformed or a value, soon, and in little memory."""

import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import (
    AccessGrant,
    AllowedPath,
    ApiKey,
    Caveat,
    EncryptionAccess,
    Malformed,
    base58,
    macaroon,
    parse_node_id,
    wire,
)

KEY = bytes(32)
ROOT = ApiKey.new(KEY, b"head")
SECONDS = 5.0  # several times what the worst case takes on a slow machine; quadratic work would take minutes
MEGABYTES = 100


@given(st.binary(max_size=80))
def test_random_bytes(data: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [ApiKey.parse_raw, Caveat.parse, EncryptionAccess.parse, AllowedPath.parse]
    for reader in readers:
        only_malformed(partial(reader, data))


@given(st.text(max_size=80))
def test_random_text(text: str) -> None:
    for reader in (AccessGrant.parse, ApiKey.parse, parse_node_id):
        only_malformed(partial(reader, text))


@given(ours.mutated(ours.restricted_grants()))
@settings(max_examples=200)
def test_mutated_grants(text: str) -> None:
    """And what was accepted is accepted again as we write it."""
    grant = only_malformed(lambda: AccessGrant.parse(text))
    if isinstance(grant, AccessGrant):
        assert AccessGrant.parse(grant.serialise()).api_key == grant.api_key


@given(ours.caveats, st.integers(0, 200), st.binary(min_size=1, max_size=1))
def test_mutated_caveats(caveat: Caveat, at: int, byte: bytes) -> None:
    written = caveat.serialise()
    read = only_malformed(lambda: Caveat.parse(written[:at] + byte + written[at + 1 :]))
    if isinstance(read, Caveat):
        assert Caveat.parse(read.serialise()) == read


def scope(key: ApiKey, access: bytes) -> str:
    return base58.encode_check(
        wire.bytes_field(1, ours.SATELLITE.encode()) + wire.bytes_field(2, key.serialise_raw()) + wire.message_field(3, access)
    )


def with_caveats(*caveats: bytes) -> str:
    return scope(ApiKey(head=b"", caveats=caveats, tail=KEY), wire.bytes_field(1, KEY))


def path(number: int) -> bytes:
    return wire.message_field(10, AllowedPath(b"", number.to_bytes(2, "big")).serialise())


KEY_OF_ENTRY = wire.bytes_field(4, KEY)
DEEP = b"/" * 20_000
DEEP_ENTRY = wire.message_field(2, KEY_OF_ENTRY + wire.bytes_field(2, DEEP) + wire.bytes_field(3, DEEP))
DEEP_PLACE = wire.message_field(10, wire.bytes_field(2, DEEP * 2))
SAME_PLACES = b"\x52\0" + wire.bytes_field(30, bytes(2))


# made by the test: writing base58 of them takes longer than reading it
WORST: dict[str, Callable[[], str]] = {
    "a text of ones": lambda: "1" * base58.MAX_TEXT,
    "a text of the last digit": lambda: "z" * base58.MAX_TEXT,
    "a text too long to read": lambda: "z" * 50_000_000,
    "a huge length": lambda: base58.encode_check(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    "groups in groups, unfinished": lambda: base58.encode_check(b"\x7b" * 45_000),
    "groups in groups": lambda: base58.encode_check(b"\x7b" * 9_000 + b"\x7c" * 9_000),
    "many empty caveats": lambda: with_caveats(*([b""] * 11_000)),
    "one place, thousands of times": lambda: with_caveats(b"\x52\0" * 23_000),
    "thousands of places": lambda: with_caveats(b"".join(path(number) for number in range(7_000))),
    "thousands of caveats with places": lambda: with_caveats(*(b"\x52\0" + path(number) for number in range(3_500))),
    "places times caveats": lambda: with_caveats(b"".join(path(number) for number in range(3_500)), *(SAME_PLACES,) * 1_500),
    "deep place": lambda: with_caveats(b"\x52\0", DEEP_PLACE),
    "deep entry": lambda: scope(ROOT, DEEP_ENTRY),
    "many entries": lambda: scope(ROOT, wire.message_field(2, KEY_OF_ENTRY) * 1_200),
    "long address": lambda: base58.encode_check(wire.bytes_field(1, b"%" * 40_000)),
    "another first character": lambda: scope(ROOT, b"").replace("1", "2", 1),
    "address of colons": lambda: base58.encode_check(
        wire.bytes_field(1, ours.SATELLITE.encode() + b":" * 20_000 + b"]?" + b"&" * 20_000)
        + wire.bytes_field(2, ROOT.serialise_raw())
        + wire.message_field(3, b"")
    ),
}


@pytest.mark.parametrize("make", WORST.values(), ids=WORST)
def test_the_worst_that_fits_is_read_soon_and_in_little_memory(make: Callable[[], str]) -> None:
    text = make()
    tracemalloc.start()
    started = time.process_time()
    try:
        only_malformed(lambda: AccessGrant.parse(text))
        assert time.process_time() - started < SECONDS
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 1_000_000
    finally:
        tracemalloc.stop()


def test_a_macaroon_is_not_bound_to_the_texts_length() -> None:
    caveats = tuple(number.to_bytes(4, "big") for number in range(50_000))
    assert macaroon.parse(macaroon.serialise(b"head", caveats, KEY)) == (b"head", caveats, KEY)


def only_malformed(reader: Callable[[], object]) -> object:
    """What was read, or None; any other exception than Malformed fails the test."""
    try:
        return reader()
    except Malformed:
        return None
