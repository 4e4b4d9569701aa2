"""The keys in a grant: what parses, what it opens, what narrowing leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import (
    AllowedPath,
    Caveat,
    EncryptionAccess,
    Malformed,
    NotPermitted,
    PathCipher,
    StoreEntry,
    wire,
)

KEY = bytes(range(32))


def entry(plain: bytes, encrypted: bytes, key: bytes = KEY, cipher: PathCipher = PathCipher.AES_GCM, bucket: bytes = b"b") -> StoreEntry:
    return StoreEntry(bucket=bucket, plain_path=plain, encrypted_path=encrypted, key=key, path_cipher=cipher)


class TestEncryptionAccess:
    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            (wire.bytes_field(1, bytes(31)), "default key has 31 bytes instead of 32"),
            (wire.integer_field(3, 4), "path cipher 4 is unknown"),
            (wire.integer_field(3, 258), "path cipher 258 is unknown"),
            (wire.message_field(2, b""), "entry 1: key has 0 bytes instead of 32"),
            (wire.message_field(2, wire.bytes_field(4, KEY) + wire.integer_field(5, 9)), "entry 1: path cipher 9 is unknown"),
            (
                wire.message_field(2, wire.bytes_field(4, KEY) + wire.bytes_field(2, b"a")),
                "plain path of 1 components, encrypted path of 0",
            ),
            (wire.message_field(4, b"\x0a"), "field 1 has wire type 2 instead of 0"),
            (wire.message_field(2, wire.bytes_field(6, b"\x18")), "entry 1: varint does not end"),
        ],
    )
    def test_refused(self, data: bytes, fault: str) -> None:
        with pytest.raises(Malformed, match=fault):
            EncryptionAccess.parse(data)

    @pytest.mark.parametrize(
        "entries",
        [
            (entry(b"a", b"X"), entry(b"a/b", b"Y/Z")),
            (entry(b"a", b"X"), entry(b"c", b"X")),
            (entry(b"/x", b"/X"), entry(b"/", b"Y/")),
        ],
    )
    def test_entries_that_contradict_each_other_are_refused(self, entries: tuple[StoreEntry, ...]) -> None:
        with pytest.raises(Malformed, match="entry 2: two entries disagree"):
            EncryptionAccess.parse(EncryptionAccess(entries=entries).serialise())

    def test_of_two_entries_for_one_place_the_last_counts(self) -> None:
        access = EncryptionAccess(entries=(entry(b"a", b"X"), entry(b"a", b"X", bytes(32))))
        assert EncryptionAccess.parse(access.serialise()).entries == (entry(b"a", b"X", bytes(32)),)

    def test_entries_are_put_in_canonical_order(self) -> None:
        wanted = tuple(entry(path, path, bucket=bucket) for bucket in (b"a", b"b") for path in (b"", b"a", b"a/", b"a/b", b"a.b"))
        shuffled = EncryptionAccess(entries=wanted[::-1]).serialise()
        assert EncryptionAccess.parse(shuffled).entries == wanted

    def test_a_missing_cipher_means_aes_gcm(self) -> None:
        assert EncryptionAccess.parse(b"") == EncryptionAccess(default_path_cipher=PathCipher.AES_GCM)

    def test_a_root_key_has_32_bytes(self) -> None:
        with pytest.raises(ValueError, match="32 bytes, not 31"):
            EncryptionAccess.from_root_key(bytes(31))

    @pytest.mark.parametrize(
        ("bucket", "prefix", "told"),
        [
            (b"c", b"a/", r'"c"/"a"'),
            (b"b", b'x"\\\n\x01', r'"b"/"x\"\\\n\x01"'),
            (b"\xff", "ü\u200b\U000e0001".encode(), r'"\xff"/"ü\u200b\U000e0001"'),
        ],
    )
    def test_a_missing_key_is_told_as_the_go_library_does(self, bucket: bytes, prefix: bytes, told: str) -> None:
        with pytest.raises(NotPermitted) as refused:
            EncryptionAccess(entries=(entry(b"a", b"X"),)).encrypt_prefix(bucket, prefix)
        assert str(refused.value) == f"missing encryption base: {told}"

    def test_an_unspecified_cipher_encrypts_nothing(self) -> None:
        access = EncryptionAccess(entries=(entry(b"a", b"X", cipher=PathCipher.UNSPECIFIED),))
        assert access.encrypt_prefix(b"b", b"a") == b"X"
        with pytest.raises(NotPermitted, match="unspecified"):
            access.encrypt_prefix(b"b", b"a/b")

    @given(ours.keys, st.lists(ours.buckets, min_size=1), ours.real_ciphers)
    def test_whole_buckets_are_what_a_caveat_with_them_leaves(self, key: bytes, buckets: list[bytes], cipher: PathCipher) -> None:
        left = EncryptionAccess.from_root_key(key, cipher).limit_to_places([tuple(AllowedPath(bucket, b"") for bucket in buckets)])
        assert EncryptionAccess.of_buckets(key, buckets, cipher) == left

    def test_an_unreadable_caveat_leaves_nothing(self) -> None:
        assert EncryptionAccess.from_root_key(KEY).limit_to([b"", b"\xff"]).serialise() == b""

    def test_of_two_places_with_one_plain_path_the_first_is_kept(self) -> None:
        held = entry(b"a", b"X", cipher=PathCipher.NULL)
        access = EncryptionAccess(default_key=KEY, default_path_cipher=PathCipher.NULL, entries=(held,))
        for first, second in ((b"X", b"a"), (b"a", b"X")):
            kept = access.limit_to([Caveat(allowed_paths=(AllowedPath(b"b", first), AllowedPath(b"b", second)))])
            assert kept.entries == (entry(b"a", first, cipher=PathCipher.NULL),)

    @given(st.lists(st.lists(ours.allowed_paths, max_size=4), max_size=4))
    def test_what_is_kept_is_what_every_caveat_allows(self, restrictions: list[list[AllowedPath]]) -> None:
        """The rule as the format page says it, against the one walk that we do."""
        limits = [paths for paths in restrictions if paths]
        wanted = {
            (path.bucket, path.encrypted_prefix)
            for paths in limits
            for path in paths
            if all(any(other.covers(path.bucket, path.encrypted_prefix) for other in others) for others in limits)
        }
        root = EncryptionAccess.from_root_key(KEY, PathCipher.NULL)
        kept = root.limit_to([Caveat(allowed_paths=tuple(paths)) for paths in restrictions])
        assert kept == root if not limits else {(held.bucket, held.encrypted_path) for held in kept.entries} == wanted
