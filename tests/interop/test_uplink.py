"""Do we and Storj's own Go library mean the same by every byte? Both directions, and refusals too."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.access_grant import strategies as ours
from tests.interop import uplink
from tests.interop.agreement import agree_on_chain, agree_on_text, canonical, ends_early, scope

from grantway.access_grant import (
    AccessGrant,
    AllowedPath,
    ApiKey,
    Caveat,
    EncryptionAccess,
    NotPermitted,
    PathCipher,
    Permission,
    SharePrefix,
    StoreEntry,
    root_key,
)

QUICK = settings(max_examples=150)
THOROUGH = settings(max_examples=5000)
c_bytes = st.binary(max_size=8).map(lambda data: data.replace(b"\0", b"\1"))
c_paths = st.lists(st.sampled_from([b"", b"a", b"b", b"a.", b"\x01\xfe\xff", "été".encode()]) | c_bytes, max_size=4).map(b"/".join)
c_buckets = st.sampled_from([b"", b"a", b"bkt", "bücket".encode(), b"\xff", b"x/y"])
seconds = st.just(0) | st.integers(-(10**10), 10**11)
shares = st.builds(
    uplink.Share,
    download=st.booleans(),
    upload=st.booleans(),
    list=st.booleans(),
    delete=st.booleans(),
    not_before=seconds,
    not_after=seconds,
    prefixes=st.lists(st.tuples(c_buckets, c_paths), max_size=3).map(tuple),
)


@given(ours.root_grants, st.lists(shares, max_size=3))
@QUICK
def test_share_gives_the_same_bytes(grant: AccessGrant, chain: list[uplink.Share]) -> None:
    agree_on_chain(grant, chain)


@given(ours.restricted_grants(), st.lists(shares, max_size=2))
@QUICK
def test_grants_narrowed_by_hand_are_read_and_shared_alike(grant: AccessGrant, chain: list[uplink.Share]) -> None:
    agree_on_chain(grant, chain)


@given(ours.root_grants, st.lists(ours.permissions, max_size=3), st.lists(ours.places, max_size=3), ours.nonces)
@QUICK
def test_the_library_reads_what_we_build(grant: AccessGrant, chain: list[Permission], places: list[SharePrefix], nonce: bytes) -> None:
    for permission in chain:
        try:
            grant = grant.restrict(permission, places, nonce)
        except NotPermitted:
            continue
        assert canonical(uplink.reserialise(grant.serialise())) == grant.serialise()


@given(ours.api_keys, ours.keys, ours.real_ciphers, st.lists(ours.caveats, min_size=1, max_size=4))
@QUICK
def test_a_root_key_is_narrowed_alike_when_parsed(key: ApiKey, root: bytes, cipher: PathCipher, caveats: list[Caveat]) -> None:
    for caveat in caveats:
        key = key.restrict(caveat)
    agree_on_text(AccessGrant(ours.SATELLITE, key, EncryptionAccess.from_root_key(root, cipher)).serialise())


@given(ours.api_keys, ours.keys, st.binary(max_size=12))
@QUICK
@example(ApiKey.new(b"", b""), bytes(32), b"\x08\x02")  # a flag that is neither 0 nor 1
@example(ApiKey.new(b"", b""), bytes(32), b"\xa2\x01\x01\x08")  # a limit cut off
@example(ApiKey.new(b"", b""), bytes(32), b"\xa2\x01\x02\x08\x01\xa2\x01\x02\x10\x05")  # a limit in two parts
def test_caveats_of_any_bytes_are_kept_and_judged_alike(key: ApiKey, root: bytes, caveat: bytes) -> None:
    if not ends_early(caveat):
        agree_on_text(AccessGrant(ours.SATELLITE, key.restrict(caveat), EncryptionAccess.from_root_key(root)).serialise())


entries = st.builds(
    StoreEntry,
    bucket=st.sampled_from([b"a", b"bkt"]),
    plain_path=st.sampled_from([b"", b"a", b"a/b", b"a/b/c", b"z", b"a/"]),
    encrypted_path=st.sampled_from([b"", b"X", b"X/Y", b"X/Y/Z", b"z", b"X/"]),
    key=ours.keys,
    path_cipher=st.sampled_from(PathCipher),
)
encrypted_places = st.builds(AllowedPath, st.sampled_from([b"a", b"bkt"]), st.sampled_from([b"", b"X", b"X/Y", b"X/b", b"X/", b"a"]))


@given(ours.api_keys, st.lists(entries, max_size=4), st.none() | ours.keys, st.lists(encrypted_places, max_size=3), ours.real_ciphers)
@QUICK
def test_stores_of_any_entries_are_accepted_and_narrowed_alike(
    key: ApiKey, entries: list[StoreEntry], default: bytes | None, places: list[AllowedPath], cipher: PathCipher
) -> None:
    access = EncryptionAccess(default_key=default, default_path_cipher=cipher, entries=tuple(entries))
    agree_on_text(AccessGrant(ours.SATELLITE, key.restrict(Caveat(allowed_paths=tuple(places))), access).serialise())


@given(ours.mutated(ours.restricted_grants()))
@QUICK
def test_mutated_grants_are_refused_alike(text: str) -> None:
    agree_on_text(text)


@pytest.mark.parametrize("depth", [1, 100, 10_001, 10_002])
def test_nested_groups_are_borne_to_the_same_depth(depth: int) -> None:
    access = b"\x7b" * depth + b"\x7c" * depth + EncryptionAccess.from_root_key(bytes(32)).serialise()
    agree_on_text(scope(ours.SATELLITE.encode(), access))


def test_derive_encryption_key_uses_one_lane() -> None:
    grant = AccessGrant.build(ours.SATELLITE, ApiKey.new(b"secret", b"head"), bytes(32))
    theirs = AccessGrant.parse(uplink.override_key(grant.serialise(), b"bkt", b"tenant/", "pässphrase".encode(), b"salt"))
    (entry,) = theirs.encryption_access.entries
    assert entry.key == root_key.derive("pässphrase".encode(), b"salt", lanes=1)
    # Below an overridden place the library shares with the place's own key, and so do we.
    agree_on_chain(theirs, [uplink.Share(download=True, prefixes=((b"bkt", b"tenant/files"), (b"bkt", b"other")))])


@pytest.mark.slow
@given(ours.root_grants, st.lists(shares, max_size=4))
@THOROUGH
def test_share_gives_the_same_bytes_many_times(grant: AccessGrant, chain: list[uplink.Share]) -> None:
    agree_on_chain(grant, chain)


@pytest.mark.slow
@given(ours.mutated(ours.restricted_grants()))
@THOROUGH
def test_mutated_grants_are_refused_alike_many_times(text: str) -> None:
    agree_on_text(text)
