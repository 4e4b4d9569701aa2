"""Macaroons and API keys: what parses, what does not, and the chain of tails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import (
    ApiKey,
    Caveat,
    Malformed,
    base58,
    macaroon,
)

KEY = bytes(range(32))


def packets(text: str) -> bytes:
    """Hexadecimal, where H is a head, C a caveat, L a location, V a verification id and T a tail, each as a whole packet."""
    for letter, packet in {"H": "020168", "C": "020163", "L": "01016c", "V": "040176", "T": "0620" + "77" * 32}.items():
        text = text.replace(letter, packet)
    return bytes.fromhex(text)


class TestMacaroon:
    @pytest.mark.parametrize(
        ("text", "head", "caveats"),
        [
            ("02 H 00 00 T", b"h", ()),
            ("02 H 00 C 00 C 00 00 T", b"h", (b"c", b"c")),
            ("02 L H 00 L C V 00 00 T", b"h", (b"c",)),
            ("02 0200 00 0200 00 00 T", b"", (b"",)),
            ("02 H 00 00 T ff00", b"h", ()),
            ("02 8200 8100 68 00 00 T", b"h", ()),
        ],
    )
    def test_accepted(self, text: str, head: bytes, caveats: tuple[bytes, ...]) -> None:
        assert macaroon.parse(packets(text)) == (head, caveats, b"w" * 32)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "empty macaroon"),
            ("02", "empty macaroon"),
            ("01 H 00 00 T", "macaroon version 1 instead of 2"),
            ("02 00 00 T", r"head: no identifier \(offset 1\)"),
            ("02 L 00 00 T", "head: no identifier"),
            ("02 H H 00 00 T", r"head: unexpected packet type 2 \(offset 4\)"),
            ("02 H L 00 00 T", "head: unexpected packet type 1"),
            ("02 H V 00 00 T", "head: unexpected packet type 4"),
            ("02 H 00 C C 00 00 T", "caveat 1: unexpected packet type 2"),
            ("02 H 00 C 00 V 00 00 T", "caveat 2: no identifier"),
            ("02 H 00 C V V 00 00 T", "caveat 1: unexpected packet type 4"),
            ("02 H 00 C V L 00 00 T", "caveat 1: unexpected packet type 1"),
            ("02 H 00 030163 00 00 T", "caveat 1: unexpected packet type 3"),
            ("02 H 00 C 00 0246", r"caveat 2: packet length 70 runs past the end \(offset 9\)"),
            ("02 H", r"head: varint does not end \(offset 4\)"),
            ("02 H 00", "caveat 1: varint does not end"),
            ("02 H 00 C", "caveat 1: varint does not end"),
            ("02 02 8080808008", r"head: number 2147483648 is too large"),
            ("02 02 ffffffffffffffffffff", "head: varint is over 64 bits"),
            ("02 H 00 00", "tail: varint does not end"),
            ("02 H 00 00 00", "tail: packet type 0 of 0 bytes"),
            ("02 H 00 00 C", "tail: packet type 2 of 1 bytes"),
            ("02 H 00 00 0603777777", "tail: packet type 6 of 3 bytes instead of 6 of 32"),
        ],
    )
    def test_refused(self, text: str, fault: str) -> None:
        with pytest.raises(Malformed, match=fault):
            macaroon.parse(packets(text))

    @given(st.binary(max_size=200), st.lists(st.binary(max_size=150), max_size=4), ours.keys)
    def test_round_trip(self, head: bytes, caveats: list[bytes], tail: bytes) -> None:
        key = ApiKey(head=head, caveats=tuple(caveats), tail=tail)
        assert ApiKey.parse_raw(key.serialise_raw()) == key
        assert ApiKey.parse(key.serialise()) == key

    @given(ours.keys, st.lists(ours.caveats, max_size=3))
    def test_holder_and_satellite_compute_the_same_tails(self, secret: bytes, caveats: list[Caveat]) -> None:
        key = ApiKey.new(secret, b"head")
        tails = [key.tail]
        for caveat in caveats:
            key = key.restrict(caveat)
            tails.append(key.tail)
        assert key.tails(secret) == tuple(tails)
        assert key.verifies(secret)
        assert not key.verifies(secret + b"x")

    def test_a_version_other_than_0_is_refused(self) -> None:
        with pytest.raises(Malformed, match="api key: version 1 instead of 0"):
            ApiKey.parse(base58.encode_check(ApiKey.new(KEY, b"h").serialise_raw(), 1))
