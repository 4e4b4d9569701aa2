"""Do we and Storj's own Go library mean the same by every byte? Both directions, and refusals too."""

import re
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.access_grant import strategies as ours
from tests.interop import uplink

from grantway.access_grant import (
    AccessGrant,
    AllowedPath,
    ApiKey,
    Caveat,
    EncryptionAccess,
    FlagSet,
    Malformed,
    NotPermitted,
    PathCipher,
    Permission,
    SharePrefix,
    StoreEntry,
    base58,
    root_key,
    wire,
)

# What we refuse and the library does not, each for a reason told in docs/access-grant-format.md.
DELIBERATELY_STRICTER = ("is unknown", "is out of range", "satellite address is not UTF-8", "node URL: ")
OUR_WORDS = {
    "uplink: invalid access grant format": ("base58: ", "version "),
    "uplink: access grant is missing satellite address": ("satellite address is missing",),
    "uplink: access grant has malformed api key": ("api key: ",),
    "uplink: access grant has malformed encryption access": ("encryption access: ",),
    "uplink: node URL": ("node URL: ", "node id: "),
    "uplink: node id is required": ("node URL: node id is required",),
    # The library reads every message before it looks into any; we go on to the inner one later, and may meet another fault first.
    "uplink: unable to unmarshal access grant": ("offset", "encryption access: ", "api key: ", "satellite address is missing"),
}
NEWER_FIELD = re.compile(r"field (6|7|8|9|11|12|13|14|15|22) has wire type")
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


ID = ours.SATELLITE.partition("@")[0]


@pytest.mark.parametrize(
    "address",
    [
        *(
            "{id}@h:1",
            "storj://{id}@h:1",
            "STORJ://{id}@h",
            "http://{id}@h",
            "{id}@",
            "{id}@:",
            "{id}@h:x",
            "{id}@[::1]:7",
            "{id}@[::1",
        ),
        *(
            "{id}@a b",
            "{id}@ü:1",
            "{id}@h,;:1",
            '{id}@h"<>:1',
            "{id}@h\\:1",
            "{id}@h^:1",
            "{id}@a:b:1",
            "{id}@::1",
            "{id}@[]:1",
            "@h:1",
        ),
        *(
            "{id}@x[::1]:1",
            "{id}@[::1]x",
            "{id}@h:1\n",
            "{id}@h:1\x7f",
            "{id}:pw@h",
            "x@{id}@h",
            "storj:{id}@h",
            "storj:///{id}@h",
        ),
        *("{id}@h:1/path?f=1#part", "{id}@h:1/%zz", "{id}@h:1#%zz", "{id}@h:1?%zz", "{id}@h:1?", "?{id}@h", "//{id}@h", "h:1"),
        *("{id}@h:1?debounce=3", "{id}@h:1?debounce=0", "{id}@h:1?debounce=-3", "{id}@h:1?debounce=x", "{id}@h:1?debounce=007"),
        *(
            "{id}@h:1?debounce=1_0",
            "{id}@h:1?debounce=1&debounce=2",
            "{id}@h:1?debounce=%2B3",
            "{id}@h:1?debounce=+3",
            "{id}@h:1?debounce=",
        ),
        *(
            "{id}@h:1?debounce=99999999999999999999",
            "{id}@h:1?f=FF",
            "{id}@h:1?f=0",
            "{id}@h:1?f=0xf",
            "{id}@h:1?f=fffffffffffffffff",
        ),
        *(
            "{id}@h:1?f=1;debounce=2",
            "{id}@h:1?noise_proto=-1",
            "{id}@h:1?noise_proto=2&f=1&debounce=4",
            "{id}@h:1?noise_pub=abc",
        ),
        *("{id}@h:1?noise_pub=17KTAvcMtpy3MgA", "{id}@h:1?noise_pub=Mhe41oegtXrX8v", "{id}@h:1?noise_pub=1Wh4bh", "{zero}@h:1"),
        *(
            "us-central-1.tardigrade.io:7777",
            "mars.tardigrade.io:7777",
            "asia-east-1.tardigrade.io:7777",
            "saturn.tardigrade.io:7777",
        ),
        *(
            "europe-west-1.tardigrade.io:7777",
            "jupiter.tardigrade.io:7777",
            "saltlake.tardigrade.io:7777",
            "satellite.stefan-benten.de",
        ),
        *("{zero}@saltlake.tardigrade.io:", "SALTLAKE.tardigrade.io:7777", "saltlake.tardigrade.io:7777?f=2"),
    ],
)
def test_node_urls_are_normalised_or_refused_alike(address: str) -> None:
    written = address.format(id=ID, zero=base58.encode_check(bytes(32)))
    text = scope(written.encode(), EncryptionAccess.from_root_key(bytes(32)).serialise())
    try:
        theirs = uplink.satellite_address(text)
    except uplink.UplinkError:
        with pytest.raises(Malformed):
            AccessGrant.parse(text)
    else:
        assert AccessGrant.parse(text).satellite_address == theirs


@pytest.mark.parametrize("address", ["{id}@[::1%25eth]:7", "{id}@h%C3%BC", "//{id}@h:1/?a=://"])
def test_some_odd_node_urls_only_the_library_accepts(address: str) -> None:
    text = scope(address.format(id=ID).encode(), EncryptionAccess.from_root_key(bytes(32)).serialise())
    assert uplink.satellite_address(text)
    with pytest.raises(Malformed, match="node URL"):
        AccessGrant.parse(text)


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


def agree_on_chain(grant: AccessGrant, chain: list[uplink.Share]) -> None:
    """Share the same way on both sides, link by link, as long as sharing is possible."""
    for link in chain:
        try:
            theirs = uplink.share(grant.serialise(), link)
        except uplink.UplinkError as error:
            agree_on_refusal(grant, link, error)
            return
        nonce = Caveat.parse(AccessGrant.parse(theirs).api_key.caveats[-1]).nonce
        assert len(nonce) == 4
        narrower = reproduced(grant, link, nonce)
        assert narrower.serialise() == canonical(theirs)
        grant = narrower
    assert canonical(uplink.reserialise(grant.serialise())) == grant.serialise()


def reproduced(grant: AccessGrant, link: uplink.Share, nonce: bytes) -> AccessGrant:
    permission = Permission(
        download=link.download,
        upload=link.upload,
        list=link.list,
        delete=link.delete,
        not_before=ours.EPOCH + timedelta(seconds=link.not_before) if link.not_before else None,
        not_after=ours.EPOCH + timedelta(seconds=link.not_after) if link.not_after else None,
    )
    places = [SharePrefix(bucket, prefix) for bucket, prefix in link.prefixes]
    return grant.restrict(permission, places, nonce, FlagSet.FIRST_FIVE)


def agree_on_refusal(grant: AccessGrant, link: uplink.Share, error: uplink.UplinkError) -> None:
    with pytest.raises(NotPermitted) as refused:
        reproduced(grant, link, b"")
    ours_of_theirs = {
        "permission is empty": "permission is empty",
        "invalid time range": "not_after is before not_before",
    }
    assert str(refused.value) == ours_of_theirs.get(str(error), str(error))


def agree_on_text(text: str) -> None:
    """Both accept, with one meaning; or both refuse, for one reason; or we alone refuse, for a reason that is written down."""
    try:
        grant = AccessGrant.parse(text)
    except Malformed as error:
        told = str(error).removeprefix("access grant: ")
    else:
        theirs_of_it = uplink.reserialise(text)  # accepted there, whatever its caveats
        if not any(broken_in_newer_fields(caveat) for caveat in grant.api_key.caveats):
            assert canonical(theirs_of_it) == grant.serialise()
        return
    if not would_crash(text):
        theirs = refusal(text)
        expected = DELIBERATELY_STRICTER if theirs is None else (*DELIBERATELY_STRICTER, *our_words_for(theirs))
        assert any(words in told for words in expected), (theirs, told)


def refusal(text: str) -> str | None:
    try:
        uplink.reserialise(text)
    except uplink.UplinkError as error:
        return str(error)
    return None


def our_words_for(theirs: str) -> tuple[str, ...]:
    return next((words for start, words in OUR_WORDS.items() if theirs.startswith(start)), ())


def would_crash(text: str) -> bool:
    """The library dies of a scope without field 3; only what surely has one, before anything odd, may be given to it."""
    try:
        numbers = [number for number, _, _ in wire.fields(base58.decode_check(text)[1], dict.fromkeys((1, 2, 3), wire.BYTES))]
    except Malformed as error:
        # A message that the library takes to end early may seem to it to lack field 3.
        return "is out of range" in str(error)
    return 3 not in numbers


def broken_in_newer_fields(caveat: bytes) -> bool:
    """That library is of April 2024: a caveat broken in a field that came later is readable to it, and not to us."""
    try:
        Caveat.parse(caveat)
    except Malformed as error:
        return NEWER_FIELD.match(str(error)) is not None or b"\xb2\x01" in caveat  # the tag of max_object_ttl
    return False


def ends_early(message: bytes) -> bool:
    """The library silently ends a message at a field number from 2**29 to 2**31."""
    try:
        Caveat.parse(message)
    except Malformed as error:
        return "is out of range" in str(error)
    return False


def scope(address: bytes, access: bytes) -> str:
    key = ApiKey.new(b"secret", b"head").serialise_raw()
    return base58.encode_check(wire.bytes_field(1, address) + wire.bytes_field(2, key) + wire.message_field(3, access))


def canonical(theirs: str) -> str:
    """Their entries in our order, for they write them at random; nothing else is touched, and nothing narrowed again."""
    found = {number: data for number, _, data in wire.fields(base58.decode_check(theirs)[1], dict.fromkeys((1, 2, 3), wire.BYTES))}
    key, access = ApiKey.parse_raw(found[2]), EncryptionAccess.parse(found[3])
    grant = AccessGrant(found[1].decode(), key, access)
    if not found[3]:  # emptied by an unreadable caveat: an absent cipher is read as AES-GCM, but was not written
        return base58.encode_check(base58.decode_check(grant.serialise())[1].removesuffix(b"\x1a\x02\x18\x02") + b"\x1a\x00")
    return grant.serialise()
