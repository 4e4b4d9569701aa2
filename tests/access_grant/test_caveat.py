"""Caveats, permissions and times, bit by bit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import (
    AllowedPath,
    Caveat,
    Duration,
    FlagSet,
    Malformed,
    NotPermitted,
    Permission,
    Timestamp,
)


class TestCaveat:
    @given(ours.caveats)
    def test_round_trip(self, caveat: Caveat) -> None:
        assert Caveat.parse(caveat.serialise()) == caveat

    @pytest.mark.parametrize(
        ("caveat", "written"),
        [
            (Caveat(), ""),
            (Caveat(disallow_get_legal_hold=True, disallow_bypass_governance_retention=True), "48015801"),
            (Caveat(disallow_get_legal_hold=True, allowed_paths=(AllowedPath(b"", b""),), disallow_locks=True), "280148015200"),
            (
                Caveat(allowed_paths=(AllowedPath(b"b", b"p"),), disallow_get_bucket_notification_configuration=True),
                "52060a01621201707801",
            ),
            (Caveat(not_after=Timestamp(-1), not_before=Timestamp(0)), "a2010b08ffffffffffffffffff01aa0100"),
            (Caveat(not_before=Timestamp(1, 999_999_999)), "aa0108080110ff93ebdc03"),
            (Caveat(max_object_ttl=Duration(60), nonce=b"\1\2"), "b20102083cf201020102"),
        ],
    )
    def test_written(self, caveat: Caveat, written: str) -> None:
        assert caveat.serialise().hex() == written
        assert Caveat.parse(bytes.fromhex(written)) == caveat

    @pytest.mark.parametrize(
        ("data", "caveat"),
        [
            ("08010800", Caveat()),  # the last one counts
            ("0802", Caveat(disallow_reads=True)),  # neither 0 nor 1: taken as the stricter
            ("a2010208 01a201021005", Caveat(not_after=Timestamp(1, 5))),  # halves are merged
            ("9a06009a0600f20100", Caveat()),
            ("52040a0162ff", None),
        ],
    )
    def test_read(self, data: str, caveat: Caveat | None) -> None:
        if caveat is None:
            with pytest.raises(Malformed):
                Caveat.parse(bytes.fromhex(data))
        else:
            assert Caveat.parse(bytes.fromhex(data)) == caveat

    def test_a_fault_in_a_path_is_named(self) -> None:
        with pytest.raises(Malformed, match=r"allowed path 2: field 1 has wire type 0 instead of 2 \(offset 0\)"):
            Caveat.parse(bytes.fromhex("520052020801"))

    @given(st.datetimes(timezones=st.just(UTC)))
    def test_moments_come_back(self, moment: datetime) -> None:
        assert Timestamp.of(moment).datetime() == moment

    @given(st.timedeltas())
    def test_spans_come_back(self, span: timedelta) -> None:
        assert Duration.of(span).timedelta() == span

    @given(ours.timestamps)
    def test_no_timestamp_overflows(self, timestamp: Timestamp) -> None:
        assert timestamp.datetime().tzinfo is UTC
        assert Timestamp.parse(timestamp.serialise()) == timestamp
        assert isinstance(Duration(timestamp.seconds, timestamp.nanos).timedelta(), timedelta)

    def test_a_naive_moment_is_refused(self) -> None:
        with pytest.raises(TypeError):
            Timestamp.of(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


class TestPermission:
    NOW = datetime(2026, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("permission", "fault"),
        [
            (Permission(), "permission is empty"),
            (
                Permission(download=True, not_before=NOW, not_after=NOW - timedelta(microseconds=1)),
                "not_after is before not_before",
            ),
            (Permission(download=True, max_object_ttl=timedelta(0)), "max_object_ttl is not positive"),
        ],
    )
    def test_nonsense_is_refused(self, permission: Permission, fault: str) -> None:
        with pytest.raises(NotPermitted, match=f"^{fault}$"):
            permission.caveat((), b"")

    @pytest.mark.parametrize(
        "permission",
        [
            Permission(not_after=NOW),
            Permission(list=True, not_before=NOW, not_after=NOW),
            Permission(max_object_ttl=timedelta(1)),
        ],
    )
    def test_these_are_fine(self, permission: Permission) -> None:
        assert permission.caveat((), b"").serialise()

    def test_everything_not_granted_is_disallowed(self) -> None:
        pairs = {
            "download": "reads",
            "upload": "writes",
            "list": "lists",
            "delete": "deletes",
            "lock": "locks",
            **{name: name for name in Permission.__slots__[5:14]},
        }
        assert len(pairs) == 14
        for granted, disallowed in pairs.items():
            chosen: dict[str, Any] = {granted: True}
            caveat = Permission(**chosen).caveat((), b"")
            allowed = [name for name in Caveat.__slots__ if name.startswith("disallow_") and not getattr(caveat, name)]
            assert allowed == [f"disallow_{disallowed}"]

    def test_the_older_generation_writes_five_flags(self) -> None:
        caveat = Permission(download=True).caveat((), b"n", FlagSet.FIRST_FIVE)
        assert caveat.serialise().hex() == "10011801200128 01f201016e".replace(" ", "")
        every = Permission(download=True).caveat((), b"n").serialise().hex()
        assert every == "100118012001280130013801400148015801600168017001" + "7801f201016e"
