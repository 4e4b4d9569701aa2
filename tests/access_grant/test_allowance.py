"""What caveats leave: each row adds one caveat to a chain and says what is left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.access_grant.strategies import SATELLITE

from grantway.access_grant import AccessGrant, Action, Allowance, AllowedPath, ApiKey, Caveat, Permission, SharePrefix, Timestamp

KEY = bytes(range(32))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
READ_LIST = Permission(download=True, list=True)
OF_OBJECTS = {Action.READ, Action.WRITE, Action.LIST, Action.DELETE}


def of(*caveats: Caveat | bytes) -> Allowance:
    return Allowance.of(one if isinstance(one, bytes) else one.serialise() for one in caveats)


def named(*buckets: bytes) -> Caveat:
    return Caveat(allowed_paths=tuple(AllowedPath(bucket, b"\2encrypted") for bucket in buckets))


def test_no_caveat_leaves_everything() -> None:
    assert of() == Allowance(actions=frozenset(Action), places=None, not_before=None, not_after=None)


@pytest.mark.parametrize(
    ("caveats", "left"),
    [
        ((READ_LIST.caveat((), b""),), {Action.READ, Action.LIST}),
        ((READ_LIST.caveat((), b""), Caveat(disallow_reads=True)), {Action.LIST}),
        ((Caveat(disallow_reads=True, disallow_writes=True),), {Action.LIST, Action.DELETE}),
        ((b"\xff",), set()),
    ],
)
def test_actions(caveats: tuple[Caveat | bytes, ...], left: set[Action]) -> None:
    assert of(*caveats).actions & OF_OBJECTS == left


def test_a_retention_that_may_be_set_may_be_read() -> None:
    """It takes both flags to deny reading one, as at the satellite."""
    assert Action.GET_OBJECT_RETENTION in of(Caveat(disallow_get_retention=True)).actions
    assert Action.GET_OBJECT_RETENTION not in of(Caveat(disallow_get_retention=True, disallow_put_retention=True)).actions


@pytest.mark.parametrize(
    ("caveats", "places"),
    [
        ((Caveat(),), None),
        ((named(b"b", b"a"),), (SharePrefix(b"a"), SharePrefix(b"b"))),
        ((named(b"a", b"b"), named(b"b", b"c")), (SharePrefix(b"b"),)),
        ((named(b"a"), named(b"b")), ()),
        ((named(b"a"), b"\xff"), ()),
    ],
)
def test_places(caveats: tuple[Caveat | bytes, ...], places: tuple[SharePrefix, ...] | None) -> None:
    assert of(*caveats).places == places


def test_the_window_is_the_narrowest() -> None:
    wide = Caveat(not_before=Timestamp.of(NOON - timedelta(hours=2)), not_after=Timestamp.of(NOON + timedelta(hours=2)))
    late = Caveat(not_before=Timestamp.of(NOON))
    soon = Caveat(not_after=Timestamp.of(NOON + timedelta(hours=1)))
    assert (of(wide, late, soon).not_before, of(wide, late, soon).not_after) == (NOON, NOON + timedelta(hours=1))


def test_an_access_grant_knows_its_prefixes() -> None:
    grant = AccessGrant.build(SATELLITE, ApiKey.new(KEY, b"h"), KEY)
    assert grant.allowance().places is None
    narrower = grant.restrict(READ_LIST, [SharePrefix(b"photos", b"2026/")], b"")
    assert narrower.allowance().places == (SharePrefix(b"photos", b"2026"),)
    assert Allowance.of(narrower.api_key.caveats).places == (SharePrefix(b"photos"),)
    without_keys = replace(narrower, encryption_access=replace(narrower.encryption_access, entries=()))
    assert without_keys.allowance().places == ()
