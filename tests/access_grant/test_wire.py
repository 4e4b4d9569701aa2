"""Protobuf, read strictly and written canonically."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.access_grant import (
    Malformed,
    wire,
)

KNOWN = {1: wire.VARINT, 2: wire.BYTES}


class TestWire:
    @pytest.mark.parametrize(
        ("data", "found"),
        [
            ("", []),
            ("0805", [(1, 5, b"")]),
            ("0885808000", [(1, 5, b"")]),  # over-long
            ("08ffffffffffffffffff01", [(1, 2**64 - 1, b"")]),
            ("12036162630801", [(2, 0, b"abc"), (1, 1, b"")]),
            ("1805", []),
            ("190000000000000000", []),
            ("1d00000000", []),
            ("1a03616263", []),
            ("1b1c", []),
            ("1b0805231805241c0801", [(1, 1, b"")]),  # known numbers inside an unknown group stay unknown
            ("f8ffffff0f01", []),  # the largest number there is
        ],
    )
    def test_read(self, data: str, found: list[tuple[int, int, bytes]]) -> None:
        assert list(wire.fields(bytes.fromhex(data), KNOWN)) == found

    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            ("08", r"varint does not end \(offset 1\)"),
            ("0880", r"varint does not end \(offset 1\)"),
            ("80", r"varint does not end \(offset 0\)"),
            ("08ffffffffffffffffff02", r"over 64 bits \(offset 1\)"),
            ("0880808080808080808080808001", r"over 64 bits"),
            ("0a00", r"field 1 has wire type 2 instead of 0 \(offset 0\)"),
            ("1005", r"field 2 has wire type 0 instead of 2"),
            ("0b0c", r"field 1 has wire type 3"),
            ("0801120361", r"length 3 runs past the end \(offset 3\)"),
            ("12ffffffffffffffffff01", r"length 18446744073709551615 runs past the end"),
            ("1a0161190000", r"fixed-size field runs past the end \(offset 4\)"),
            ("1d000000", r"fixed-size field"),
            ("1e", r"wire type 6 does not exist \(offset 0\)"),
            ("1f", r"wire type 7"),
            ("0001", r"field number 0 is out of range"),
            ("808080801001", r"field number 536870912 is out of range"),
            ("1c", r"group 3 ends without having begun"),
            ("1b", r"group 3 is nested too deep or does not end"),
            ("1b24", r"group 4 ends without"),
            ("1b231c24", r"group 3 ends without"),
            ("1b1e1c", r"wire type 6"),
        ],
    )
    def test_refused(self, data: str, fault: str) -> None:
        with pytest.raises(Malformed, match=fault):
            list(wire.fields(bytes.fromhex(data), KNOWN))

    @given(st.integers(-(2**63), 2**64 - 1))
    def test_varints_round_trip(self, value: int) -> None:
        written = wire.varint(value)
        assert wire.read_varint(written, 0) == (value % 2**64, len(written))
        assert len(written) == (10 if value < 0 else max(1, (value.bit_length() + 6) // 7))

    @given(st.integers(-(2**31), 2**31 - 1))
    def test_signed_numbers_come_back(self, value: int) -> None:
        assert wire.signed(wire.read_varint(wire.varint(value), 0)[0], 32) == value
