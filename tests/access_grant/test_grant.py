"""Access grants as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import (
    AccessGrant,
    ApiKey,
    Caveat,
    EncryptionAccess,
    Malformed,
    NotPermitted,
    PathCipher,
    Permission,
    SharePrefix,
    base58,
    key_in,
    wire,
)

KEY = bytes(range(32))


class TestAccessGrant:
    KEY_AND_ACCESS = wire.bytes_field(2, ApiKey.new(KEY, b"h").serialise_raw()) + wire.message_field(3, b"")

    @pytest.mark.parametrize(
        ("scope", "fault"),
        [
            (b"", "satellite address is missing"),
            (KEY_AND_ACCESS, "satellite address is missing"),
            (wire.bytes_field(1, b"\xff") + KEY_AND_ACCESS, "satellite address is not UTF-8"),
            (wire.bytes_field(1, b"h:1") + KEY_AND_ACCESS, "node URL: node id is required"),
            (wire.bytes_field(1, ours.SATELLITE.encode()), "api key: empty macaroon"),
            (wire.bytes_field(1, ours.SATELLITE.encode()) + KEY_AND_ACCESS[:-2], "encryption access is missing"),
            (
                wire.bytes_field(1, ours.SATELLITE.encode()) + KEY_AND_ACCESS + b"\x1a\x01\x08",
                "encryption access: field 1 has wire type 0",
            ),
        ],
    )
    def test_refused(self, scope: bytes, fault: str) -> None:
        with pytest.raises(Malformed, match=f"^access grant: {fault}"):
            AccessGrant.parse(base58.encode_check(scope))

    def test_an_encryption_access_in_two_parts_is_merged(self) -> None:
        scope = wire.bytes_field(1, ours.SATELLITE.encode()) + self.KEY_AND_ACCESS
        scope += wire.message_field(3, wire.bytes_field(1, KEY)) + wire.message_field(3, wire.integer_field(3, PathCipher.NULL))
        merged = AccessGrant.parse(base58.encode_check(scope)).encryption_access
        assert merged == EncryptionAccess.from_root_key(KEY, PathCipher.NULL)

    def test_a_grant_that_opens_nothing_still_has_its_third_field(self) -> None:
        grant = AccessGrant.build(ours.SATELLITE, ApiKey.new(KEY, b"h").restrict(b"\xff"), KEY)
        assert base58.decode_check(grant.serialise())[1].endswith(b"\x1a\x00")
        assert AccessGrant.parse(grant.serialise()) == grant

    @given(ours.root_grants, st.lists(ours.caveats, max_size=3))
    def test_the_key_in_a_grant_is_read_from_both_forms(self, grant: AccessGrant, caveats: list[Caveat]) -> None:
        for caveat in caveats:
            grant = grant.append(caveat)
        assert key_in(grant.serialise()) == key_in(grant.api_key.serialise()) == AccessGrant.parse(grant.serialise()).api_key

    @pytest.mark.parametrize("text", ["", "x", "0", ours.SATELLITE, base58.encode_check(b"\x02"), base58.encode_check(b"", 1)])
    def test_where_no_key_is_none_is_read(self, text: str) -> None:
        with pytest.raises(Malformed):
            key_in(text)

    @given(ours.root_grants, ours.permissions, st.lists(ours.places, max_size=3), ours.nonces)
    def test_what_is_built_comes_back(
        self,
        grant: AccessGrant,
        permission: Permission,
        places: list[SharePrefix],
        nonce: bytes,
    ) -> None:
        try:
            grant = grant.restrict(permission, places, nonce)
        except NotPermitted:
            return
        assert AccessGrant.parse(grant.serialise()) == grant

    @given(ours.root_grants, st.lists(ours.places, min_size=1, max_size=3))
    def test_a_shared_grant_holds_keys_of_its_places_only(self, grant: AccessGrant, places: list[SharePrefix]) -> None:
        narrow = grant.restrict(Permission(download=True), places, b"").encryption_access
        assert narrow.default_key is None
        wanted = {(place.bucket, place.prefix.removesuffix(b"/")) for place in places}
        assert {(held.bucket, held.plain_path) for held in narrow.entries} == wanted

    def test_restrictions_that_contradict_each_other_leave_no_key(self) -> None:
        grant = AccessGrant.build(ours.SATELLITE, ApiKey.new(KEY, b"h"), KEY)
        one = grant.restrict(Permission(list=True), [SharePrefix(b"a")], b"")
        assert one.restrict(Permission(list=True), [SharePrefix(b"b")], b"").encryption_access.serialise().hex() == "1802"

    def test_no_secret_shows(self) -> None:
        grant = AccessGrant.build(ours.SATELLITE, ApiKey.new(KEY, b"h"), KEY).restrict(
            Permission(list=True), [SharePrefix(b"a", b"b")], b""
        )
        shown = repr((grant, grant.api_key, grant.encryption_access, EncryptionAccess.from_root_key(KEY)))
        keys = [KEY, grant.api_key.tail, grant.encryption_access.entries[0].key]
        assert not any(repr(key)[2:-1] in shown or key.hex() in shown for key in keys)
