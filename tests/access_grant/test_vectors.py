"""The shared vectors, byte for byte: what the real library wrote, and what it refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypedDict, cast

import pytest

from grantway.access_grant import (
    AccessGrant,
    AllowedPath,
    ApiKey,
    Caveat,
    FlagSet,
    Malformed,
    NotPermitted,
    PathCipher,
    Permission,
    SharePrefix,
    Timestamp,
    root_key,
)

Moment = int | dict[str, int] | None


class Prefix(TypedDict):
    bucket_hex: str
    prefix_hex: str


class Restriction(TypedDict):
    permission: dict[str, Any]
    prefixes: list[Prefix]
    not_before: Moment
    not_after: Moment
    nonce_hex: str
    caveat_flag_set: str


class Inputs(TypedDict):
    api_key_secret_hex: str
    api_key_head_hex: str
    satellite_node_url: str
    passphrase: str
    salt_hex: str
    path_cipher: int
    restrictions: list[Restriction]
    restriction: Restriction
    access_grant: str
    api_key: str


class Expected(TypedDict):
    access_grant: str
    satellite_address: str
    api_key: str
    macaroon_hex: str
    tail_hex: str
    root_key_hex: str
    root_access_grant: str
    root_api_key: str
    encryption_access_hex: str
    caveats_hex: list[str]
    caveats_decoded: list[dict[str, object]]
    intermediate_access_grants: list[str]
    root_key_8_lanes_hex: str
    derive_encryption_key_1_lane_hex: str
    error: str


class Vector(TypedDict):
    id: str
    kind: str
    inputs: Inputs
    expect: Expected


FILE = Path(__file__).parent.parent / "vectors" / "access-grants.json"
VECTORS = cast("list[Vector]", json.loads(FILE.read_text())["vectors"])
OUR_WORDS = {
    "invalid time range": "not_after is before not_before",
    "uplink: invalid access grant format": r"^access grant: (base58: checksum mismatch|version 1 instead of 0)$",
    "uplink: access grant is missing satellite address": r"^access grant: satellite address is missing$",
    "uplink: access grant has malformed api key: api key format: invalid macaroon version": r"macaroon version \d+ instead of 2",
    "uplink: access grant has malformed encryption access: invalid default key in encryption access": r"default key has 31 bytes",
    "uplink: api key format: invalid api key format": r"^api key: base58: checksum mismatch$",
}


def of_kind(kind: str) -> list[object]:
    found = [pytest.param(vector, id=vector["id"]) for vector in VECTORS if vector["kind"] == kind]
    assert found, kind
    return list(found)


def test_every_kind_is_tested() -> None:
    kinds = {"share", "share_error", "derive_key", "narrowed_at_parse", "accepted", "refused", "refused_api_key"}
    assert {vector["kind"] for vector in VECTORS} == kinds


@pytest.mark.parametrize("vector", of_kind("share"))
def test_share(vector: Vector) -> None:
    inputs, expect = vector["inputs"], vector["expect"]
    key = ApiKey.new(bytes.fromhex(inputs["api_key_secret_hex"]), bytes.fromhex(inputs["api_key_head_hex"]))
    root = derived(inputs["passphrase"].encode(), bytes.fromhex(inputs["salt_hex"]))
    assert root.hex() == expect["root_key_hex"]
    assert key.serialise() == expect["root_api_key"]
    grant = AccessGrant.build(inputs["satellite_node_url"], key, root, PathCipher(inputs["path_cipher"]))
    assert grant.serialise() == expect["root_access_grant"]
    on_the_way = []
    for restriction in inputs["restrictions"]:
        grant = restricted(grant, restriction)
        on_the_way.append(grant.serialise())
    assert on_the_way[:-1] == expect.get("intermediate_access_grants", [])[: len(on_the_way) - 1]
    assert_is(grant, expect)
    assert_is(AccessGrant.parse(expect["access_grant"]), expect)
    assert grant.api_key.verifies(bytes.fromhex(inputs["api_key_secret_hex"]))


@pytest.mark.parametrize("vector", of_kind("share"))
def test_caveats_decode_and_encode(vector: Vector) -> None:
    for written, meaning in zip(vector["expect"]["caveats_hex"], vector["expect"]["caveats_decoded"], strict=True):
        caveat = Caveat.parse(bytes.fromhex(written))
        assert caveat.serialise().hex() == written
        assert {name for name, value in meaning.items() if value is True} == {
            name for name in Caveat.__slots__ if getattr(caveat, name) is True
        }
        assert caveat.nonce.hex() == meaning["nonce_hex"]


@pytest.mark.parametrize("vector", of_kind("share_error"))
def test_share_error(vector: Vector) -> None:
    error = vector["expect"]["error"]
    with pytest.raises(NotPermitted) as refused:
        restricted(AccessGrant.parse(vector["inputs"]["access_grant"]), vector["inputs"]["restriction"])
    assert str(refused.value) == OUR_WORDS.get(error, error)


@pytest.mark.parametrize("vector", of_kind("derive_key"))
def test_derive_key(vector: Vector) -> None:
    passphrase, salt = vector["inputs"]["passphrase"].encode(), bytes.fromhex(vector["inputs"]["salt_hex"])
    assert derived(passphrase, salt).hex() == vector["expect"]["root_key_8_lanes_hex"]
    assert derived(passphrase, salt, 1).hex() == vector["expect"]["derive_encryption_key_1_lane_hex"]


@pytest.mark.parametrize("vector", of_kind("narrowed_at_parse") + of_kind("accepted"))
def test_accepted(vector: Vector) -> None:
    assert_is(AccessGrant.parse(vector["inputs"]["access_grant"]), vector["expect"])


@pytest.mark.parametrize("vector", of_kind("refused"))
def test_refused(vector: Vector) -> None:
    with pytest.raises(Malformed, match=OUR_WORDS[vector["expect"]["error"]]):
        AccessGrant.parse(vector["inputs"]["access_grant"])


@pytest.mark.parametrize("vector", of_kind("refused_api_key"))
def test_refused_api_key(vector: Vector) -> None:
    with pytest.raises(Malformed, match=OUR_WORDS[vector["expect"]["error"]]):
        ApiKey.parse(vector["inputs"]["api_key"])


def assert_is(grant: AccessGrant, expect: Expected) -> None:
    assert grant.satellite_address == expect["satellite_address"]
    assert grant.api_key == ApiKey.parse(expect["api_key"])
    assert grant.api_key.serialise_raw().hex() == expect["macaroon_hex"]
    assert [caveat.hex() for caveat in grant.api_key.caveats] == expect["caveats_hex"]
    assert grant.encryption_access.serialise().hex() == expect["encryption_access_hex"]
    assert grant.serialise() == expect["access_grant"]


def restricted(grant: AccessGrant, restriction: Restriction) -> AccessGrant:
    permission = Permission(
        **restriction["permission"], not_before=moment(restriction["not_before"]), not_after=moment(restriction["not_after"])
    )
    places = [SharePrefix(bytes.fromhex(place["bucket_hex"]), bytes.fromhex(place["prefix_hex"])) for place in restriction["prefixes"]]
    nonce, flags = bytes.fromhex(restriction.get("nonce_hex", "")), FlagSet(restriction.get("caveat_flag_set", "1-5"))
    if not isinstance(restriction["not_before"], dict):
        return grant.restrict(permission, places, nonce, flags)
    # A datetime has no nanoseconds; a caveat has.
    paths = [AllowedPath(place.bucket, grant.encryption_access.encrypt_prefix(place.bucket, place.prefix)) for place in places]
    exact = Timestamp(restriction["not_before"]["seconds"], restriction["not_before"]["nanos"])
    return grant.append(replace(permission.caveat(paths, nonce, flags), not_before=exact))


def moment(value: Moment) -> datetime | None:
    if value is None:
        return None
    return datetime.fromtimestamp(value if isinstance(value, int) else value["seconds"], UTC)


@cache
def derived(passphrase: bytes, salt: bytes, lanes: int = root_key.LANES) -> bytes:
    return root_key.derive(passphrase, salt, lanes)
