"""Node URLs of satellites, as Storj's own Go library normalises or refuses them."""

import pytest
from tests.access_grant import strategies as ours
from tests.interop import uplink
from tests.interop.agreement import scope

from grantway.access_grant import (
    AccessGrant,
    EncryptionAccess,
    Malformed,
    base58,
)

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
