"""Hypothesis strategies for this room: places, permissions, chains, and grants broken in small ways."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from grantway.access_grant import (
    AccessGrant,
    AllowedPath,
    ApiKey,
    Caveat,
    Duration,
    PathCipher,
    Permission,
    SharePrefix,
    Timestamp,
    base58,
    format_node_id,
)

NODE_ID = bytes(range(1, 32)) + b"\0"
SATELLITE = f"{format_node_id(NODE_ID)}@satellite.example.test:7777"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

keys = st.binary(min_size=32, max_size=32)
nonces = st.binary(max_size=17)
real_ciphers = st.sampled_from([PathCipher.NULL, PathCipher.AES_GCM, PathCipher.SECRET_BOX])
# Few letters, so that prefixes meet each other; and every byte that is escaped.
components = st.one_of(
    st.sampled_from([b"", b"a", b"b", b"a.", b"\x01", b"\xfe\xff", "été".encode()]),
    st.binary(max_size=9).map(lambda data: data.replace(b"/", b"")),
)
paths = st.lists(components, max_size=4).map(b"/".join)
buckets = st.sampled_from([b"", b"a", b"bkt", "bücket".encode(), b"\xff"])
places = st.builds(SharePrefix, buckets, paths)
moments = st.integers(-(10**10), 10**11).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
permissions = st.builds(
    lambda download, upload, list_, delete, times: Permission(
        download=download, upload=upload, list=list_, delete=delete, not_before=times[0], not_after=times[1]
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.tuples(st.none() | moments, st.none() | moments),
)
timestamps = st.builds(Timestamp, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
allowed_paths = st.builds(AllowedPath, buckets, st.binary(max_size=6))
caveats = st.builds(
    Caveat,
    allowed_paths=st.lists(allowed_paths, max_size=4).map(tuple),
    not_after=st.none() | timestamps,
    not_before=st.none() | timestamps,
    max_object_ttl=st.none() | st.builds(Duration, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1)),
    nonce=nonces,
    **{name: st.booleans() for name in Caveat.__slots__ if name.startswith("disallow")},
)
api_keys = st.builds(ApiKey.new, keys, st.binary(max_size=40))
root_grants = st.builds(AccessGrant.build, st.just(SATELLITE), api_keys, keys, real_ciphers)


@st.composite
def mutated(draw: st.DrawFn, grants: st.SearchStrategy[AccessGrant]) -> str:
    """A grant with a few bytes changed, dropped or put in, and a checksum that holds."""
    data = bytearray(base58.decode_check(draw(grants).serialise())[1])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return base58.encode_check(bytes(data))


@st.composite
def restricted_grants(draw: st.DrawFn) -> AccessGrant:
    """A grant with up to two hand-made caveats, whose places it may or may not be able to open."""
    grant = draw(root_grants)
    for _ in range(draw(st.integers(0, 2))):
        grant = grant.append(Caveat(allowed_paths=draw(st.lists(allowed_paths, max_size=3).map(tuple)), nonce=draw(nonces)))
    return grant
