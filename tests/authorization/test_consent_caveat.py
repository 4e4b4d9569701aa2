"""The caveat of a consent, byte for byte: every flag that was not granted is written, and each place once."""

from datetime import UTC, datetime

import pytest
from tests.authorization.cases import NOW

from grantway.access_grant import Action, AllowedPath, Caveat, Timestamp
from grantway.authorization import consent
from grantway.scopes.meaning import meaning_of

NOT_AFTER = datetime(2026, 4, 1, tzinfo=UTC)
NONCE = b"n" * 16
EVERY_FLAG = {name for name in Caveat.__slots__ if name.startswith("disallow_")}
OPENED = {
    "read": {"disallow_reads"},
    "write": {"disallow_writes"},
    "list": {"disallow_lists"},
    "delete": {"disallow_deletes"},
    "lock": {
        "disallow_locks",
        "disallow_put_retention",
        "disallow_get_retention",
        "disallow_put_legal_hold",
        "disallow_get_legal_hold",
        "disallow_get_bucket_object_lock_configuration",
    },
}


def made(*scopes: str) -> Caveat:
    written = consent.caveat(meaning_of(scopes), NOT_AFTER, NONCE)
    assert written is not None
    parsed = Caveat.parse(written)
    assert parsed.serialise() == written
    return parsed


@pytest.mark.parametrize("scopes", [("read",), ("write",), ("list",), ("delete",), ("lock",), ("read", "write"), tuple(OPENED)])
def test_every_flag_that_was_not_granted_is_written(scopes: tuple[str, ...]) -> None:
    opened = set().union(*(OPENED[scope] for scope in scopes))
    parsed = made(*scopes)
    assert {flag for flag in EVERY_FLAG if getattr(parsed, flag)} == EVERY_FLAG - opened
    assert len(EVERY_FLAG) == 14


def test_places_are_whole_buckets_each_once() -> None:
    parsed = made("read", "bucket:b;x/y", "bucket:a", "bucket:b;z", "bucket:%FF")
    assert parsed.allowed_paths == (AllowedPath(b"b", b""), AllowedPath(b"a", b""), AllowedPath(b"\xff", b""))


def test_the_rest_of_the_caveat() -> None:
    parsed = made("read")
    assert parsed.not_after == Timestamp(int(NOT_AFTER.timestamp()), 0)
    assert (parsed.not_before, parsed.max_object_ttl, parsed.nonce, parsed.allowed_paths) == (None, None, NONCE, ())
    assert parsed.allows(Action.READ, b"b", b"x", NOW)
    assert not parsed.allows(Action.WRITE, b"b", b"x", NOW)


@pytest.mark.parametrize("scopes", [(), ("bucket:a",)])
def test_no_permission_no_caveat(scopes: tuple[str, ...]) -> None:
    assert consent.caveat(meaning_of(scopes), NOT_AFTER, NONCE) is None
