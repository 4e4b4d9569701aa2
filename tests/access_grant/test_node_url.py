"""Node ids and node URLs. What the Go library makes of more of them is tested in tests/interop."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import (
    Malformed,
    NodeURL,
    base58,
    format_node_id,
    node_id,
    parse_node_id,
)


class TestNodeURL:
    def test_an_id_is_a_hash_of_the_key(self) -> None:
        assert node_id(b"der") == hashlib.sha256(hashlib.sha256(b"der").digest()).digest()[:31] + b"\0"

    @given(st.binary(min_size=31, max_size=31), st.integers(0, 255))
    def test_ids_come_back_without_version(self, start: bytes, version: int) -> None:
        assert parse_node_id(format_node_id(start + bytes((version,)))) == start + b"\0"

    def test_a_negative_or_zero_option_vanishes(self) -> None:
        assert str(NodeURL.parse(f"{ours.SATELLITE}?debounce=-3&f=0&noise_proto=0&noise_pub=")) == ours.SATELLITE

    def test_options_are_sorted_and_kept(self) -> None:
        url = NodeURL.parse(f"storj://{ours.SATELLITE}/path?noise_proto=1&f=0A&other=1&debounce=2#part")
        assert url == NodeURL(ours.NODE_ID, "satellite.example.test:7777", (("debounce", "2"), ("f", "a"), ("noise_proto", "1")))
        assert str(url) == f"{ours.SATELLITE}?debounce=2&f=a&noise_proto=1"

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "node id is required"),
            ("host:7777", "node id is required"),
            (f"{base58.encode_check(bytes(32))}@host:7777", "node id is required"),
            (f"{base58.encode_check(bytes(31))}@host:7777", "node id: 31 bytes instead of 32"),
            (f"{ours.SATELLITE[1:]}", "node id: base58"),
            (f"http://{ours.SATELLITE}", "scheme"),
            (f"{ours.SATELLITE}x", "host or port"),
            (f"{ours.SATELLITE}?debounce=x", "debounce is not a number"),
            (f"{ours.SATELLITE}?f=0x1", "f is not a hexadecimal number"),
            (f"{ours.SATELLITE}?noise_pub=x", "noise_pub: base58"),
            (f"{ours.SATELLITE}/%", "percent escape"),
            (f"{ours.SATELLITE}\0", "control character"),
        ],
    )
    def test_refused(self, text: str, fault: str) -> None:
        with pytest.raises(Malformed, match=fault):
            NodeURL.parse(text)

    @given(st.text())
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        for presented in (text, f"{ours.SATELLITE}{text}", f"{ours.SATELLITE}?{text}"):
            try:
                url = NodeURL.parse(presented)
            except Malformed:
                continue
            assert NodeURL.parse(str(url)) == url
