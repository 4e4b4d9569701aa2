"""base58check: the outermost layer of everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.access_grant import (
    Malformed,
    base58,
)


class TestBase58:
    @pytest.mark.parametrize(
        ("payload", "version", "text"),
        [
            (bytes(20), 0, "1111111111111111111114oLvT2"),  # Bitcoin's address of nobody
            (b"", 0, "1Wh4bh"),
            (b"pubkey", 1, "Mhe41oegtXrX8v"),
        ],
    )
    def test_known_texts(self, payload: bytes, version: int, text: str) -> None:
        assert base58.encode_check(payload, version) == text
        assert base58.decode_check(text) == (version, payload)

    @given(st.binary(max_size=200), st.integers(0, 255))
    def test_round_trip(self, payload: bytes, version: int) -> None:
        assert base58.decode_check(base58.encode_check(payload, version)) == (version, payload)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "0 bytes are too few"),
            ("1111", "4 bytes are too few"),
            ("1Wh4bj", "checksum"),
            (" 1Wh4bh", r"alphabet \(position 0\)"),
            ("1Wh4bh\n", r"alphabet \(position 6\)"),
            ("1Wh40h", "alphabet"),
            ("1Wh4lh", "alphabet"),
            ("1Wh4éh", r"alphabet \(position 4\)"),
            ("1Wh4\ud800h", "alphabet"),
            ("1" * (base58.MAX_TEXT + 1), "more than 65536"),
        ],
    )
    def test_refused(self, text: str, fault: str) -> None:
        with pytest.raises(Malformed, match=fault):
            base58.decode_check(text)
