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

    @given(st.integers(0, 700).flatmap(lambda size: st.binary(min_size=size, max_size=size) | st.just(b"\xff" * size)))
    def test_both_ways_are_those_of_long_division(self, payload: bytes) -> None:
        text = base58.encode_check(payload, 1)
        number, letters = int.from_bytes(b"\1" + payload + base58._checksum(b"\1" + payload), "big"), ""
        while number:
            number, digit = divmod(number, 58)
            letters = chr(base58.ALPHABET[digit]) + letters
        assert text == letters
        assert base58.decode_check(text) == (1, payload)

    def test_the_rest_carries_into_a_beginning_that_was_worked_out_before(self) -> None:
        behind = 3 * 23
        for first in range(1, 10_000):
            beginning = first.to_bytes(4, "big") + bytes(60)
            _, over, base, _ = base58._beginning(beginning, behind)
            if over + (1 << 8 * behind) > base:
                break
        else:
            pytest.fail("none carries")
        for rest in (b"\xff" * behind, (base - over).to_bytes(behind, "big"), (base - over - 1).to_bytes(behind, "big"), bytes(behind)):
            assert base58._decode(base58._encode(beginning + rest)) == beginning + rest

    @pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 128, 129, 431, 1024, 5000])
    def test_the_largest_number_of_each_length(self, length: int) -> None:
        assert base58._decode("z" * length) == (58**length - 1).to_bytes((58**length).bit_length() // 8 + 1, "big").lstrip(b"\0")

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
