"""What Photo Box reads out of a credential, for a newcomer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from examples.photo_box import words
from tests.access_grant.strategies import SATELLITE

from grantway.access_grant import AccessGrant, AllowedPath, ApiKey, Caveat, Malformed, Permission, SharePrefix

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHOLE = AccessGrant.build(SATELLITE, ApiKey.new(bytes(32), b"h"), bytes(32))
READ = Permission(download=True, list=True, not_after=NOON + timedelta(days=30))


def held(*places: SharePrefix) -> words.Held:
    grant = WHOLE.restrict(READ, places, b"")
    return words.read(grant.serialise(), grant.api_key.serialise())


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((), ("in every bucket of your project",)),
        ((SharePrefix(b"photos"),), ("only in the bucket photos",)),
        (
            (SharePrefix(b"photos", b"2026/"), SharePrefix(b"albums")),
            ("only in the bucket albums", "only under 2026/ in the bucket photos"),
        ),
        ((SharePrefix(b"a\x1b[31m\xff<b>"),), ("only in the bucket a\\x1b[31m\\xff<b>",)),
    ],
)
def test_where(places: tuple[SharePrefix, ...], told: tuple[str, ...]) -> None:
    assert held(*places).places == told


def test_a_grant_that_contradicts_itself_is_for_nowhere() -> None:
    grant = WHOLE.restrict(READ, [SharePrefix(b"a")], b"").append(Caveat(allowed_paths=(AllowedPath(b"b", b""),)))
    assert words.read(grant.serialise(), "").places == ("nowhere",)


def test_what_it_may() -> None:
    assert held().may == ("see which files there are", "download files")
    assert held().may_not == ("upload files", "delete files", "lock files against deletion")
    assert held().opens_files


def test_an_api_key_alone_opens_nothing() -> None:
    key = WHOLE.restrict(READ, [SharePrefix(b"photos", b"2026")], b"").api_key.serialise()
    assert not words.read(None, key).opens_files
    assert words.read(None, key).places == ("only in the bucket photos",)


def test_what_is_no_credential() -> None:
    with pytest.raises(Malformed):
        words.read("1nonsense", "")


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(days=30), "30 days from now"),
        (timedelta(days=1), "24 hours from now"),
        (timedelta(hours=1), "60 minutes from now"),
        (timedelta(minutes=1), "1 minute from now"),
        (timedelta(seconds=1), "1 minute from now"),
        (timedelta(0), "it has ended"),
        (-timedelta(days=1), "it has ended"),
    ],
)
def test_until_when(left: timedelta, told: str) -> None:
    assert replace(held(), until=NOON).remaining(NOON - left) == told


def test_for_ever() -> None:
    assert replace(held(), until=None).remaining(NOON) == "for ever"


def test_the_credential_is_not_shown() -> None:
    assert held().credential not in repr(held())
