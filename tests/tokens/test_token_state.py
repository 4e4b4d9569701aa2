"""What a key still is: each row narrows one key, and what is told of it must be what a satellite lets pass, never more."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.authorization.cases import CLIENT

from grantway.access_grant import Action, Allowed, AllowedPath, ApiKey, Caveat, Duration, EncryptionAccess, Timestamp, check
from grantway.authorization import consent, opening
from grantway.authorization.consent import Consent
from grantway.scopes import scope
from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import ActionScope, Place
from grantway.tokens import token_state
from grantway.tokens.issue import ParentKey, issue
from grantway.tokens.token_state import Alive, Ancestry, Chain

SECRET, ROOT_KEY = b"s" * 32, b"k" * 32
NOW = datetime(2026, 3, 1, 12, 0, 30, 987_654, tzinfo=UTC)
NOT_AFTER = datetime(2026, 3, 31, 12, 0, 30, tzinfo=UTC)
PARENT = ParentKey(api_key=ApiKey.new(SECRET, b"h" * 32), salt=b"salt" * 4, satellite_address="")
WHOLE = EncryptionAccess.from_root_key(ROOT_KEY)
READ_ONLY = Caveat(disallow_writes=True, disallow_deletes=True, disallow_locks=True)


def path(bucket: bytes, prefix: bytes = b"") -> AllowedPath:
    return AllowedPath(bucket, WHOLE.encrypt_prefix(bucket, prefix) if prefix else b"")


def at(moment: datetime, nanos: int = 0) -> Timestamp:
    return Timestamp(Timestamp.of(moment).seconds, nanos)


def issued(*scopes: str) -> tuple[ApiKey, Ancestry]:
    """A key as the exchange would issue it, and what is recorded of it."""
    meaning = meaning_of(scopes)
    caveat = consent.caveat(meaning, NOT_AFTER, b"c" * 16)
    assert caveat is not None
    opened = opening.of(meaning, ROOT_KEY) if opening.has_prefixes(meaning) else None
    made = issue(PARENT, caveat, opened, b"g" * 16, NOW, NOT_AFTER)
    given = Consent(
        id="consent",
        request_id="request",
        user_id="user",
        client_row_id="row",
        project_id="project",
        scopes=scopes,
        rejected_scopes=(),
        caveat=caveat,
        tail_digest=hashlib.sha256(PARENT.api_key.restrict(caveat).tail).digest(),
        created_at=NOW,
        not_after=NOT_AFTER,
    )
    tail_digest = hashlib.sha256(made.tail).digest()
    return made.api_key, Ancestry(client=CLIENT, consent=given, is_revoked=False, grant_tail_digest=tail_digest, issued_at=NOW)


def judged(key: ApiKey, ancestry: Ancestry | None, now: datetime = NOW) -> Alive | None:
    digests = tuple(hashlib.sha256(tail).digest() for tail in key.tails(SECRET))
    return token_state.judge(Chain(api_key=key, tail_digests=digests), ancestry, now)


def lets_pass(key: ApiKey, action: Action, bucket: bytes, encrypted: bytes) -> bool:
    answer = check(key, secret=SECRET, version=1, action=action, bucket=bucket, encrypted_path=encrypted, now=NOW, revoked=())
    return isinstance(answer, Allowed)


ACTIONS = {
    ActionScope.READ: (Action.READ,),
    ActionScope.WRITE: (Action.WRITE,),
    ActionScope.LIST: (Action.LIST,),
    ActionScope.DELETE: (Action.DELETE,),
    ActionScope.LOCK: (
        Action.LOCK,
        Action.PUT_OBJECT_RETENTION,
        Action.GET_OBJECT_RETENTION,
        Action.PUT_OBJECT_LEGAL_HOLD,
        Action.GET_OBJECT_LEGAL_HOLD,
        Action.GET_BUCKET_OBJECT_LOCK_CONFIGURATION,
    ),
}

EVERYTHING = ("read", "write", "list", "delete", "lock")
FAR = tuple(AllowedPath(b"photos", b"%d" % number) for number in range(token_state.MOST_PATHS + 1))
SCOPES: dict[str, tuple[tuple[str, ...], list[Caveat], tuple[str, ...] | None]] = {
    "as it was issued": (("read", "list"), [], ("read", "list")),
    "in the words of the consent": (("list", "bucket:photos;prefix:2026", "read"), [], ("list", "bucket:photos;prefix:2026", "read")),
    "all of it": (EVERYTHING, [], EVERYTHING),
    "read only": (EVERYTHING, [READ_ONLY], ("read", "list")),
    "less twice": (EVERYTHING, [READ_ONLY, Caveat(disallow_lists=True)], ("read",)),
    "nothing": (("read",), [Caveat(disallow_reads=True)], ()),
    "one lock less": (EVERYTHING, [Caveat(disallow_get_legal_hold=True)], ("read", "write", "list", "delete")),
    "a flag that no scope opens": (EVERYTHING, [Caveat(disallow_bypass_governance_retention=True)], EVERYTHING),
    "a bucket of the project": (("read",), [Caveat(allowed_paths=(path(b"photos"),))], ("read", "bucket:photos")),
    "a bucket with a space": (("read",), [Caveat(allowed_paths=(path(b"my photos"),))], ("read", "bucket:my%20photos")),
    "two buckets, one after the other": (
        ("read",),
        [Caveat(allowed_paths=(path(b"a"), path(b"b"))), Caveat(allowed_paths=(path(b"c"), path(b"b")))],
        ("read", "bucket:b"),
    ),
    "no common bucket": (("read",), [Caveat(allowed_paths=(path(b"a"),)), Caveat(allowed_paths=(path(b"b"),))], ()),
    "one bucket of two": (
        ("read", "bucket:a", "bucket:b"),
        [Caveat(allowed_paths=(path(b"b"),))],
        ("read", "bucket:b"),
    ),
    "another bucket than those": (("read", "bucket:a"), [Caveat(allowed_paths=(path(b"b"),))], ()),
    "a hidden prefix of the project": (("read",), [Caveat(allowed_paths=(path(b"photos", b"2026"),))], None),
    "a bucket without a name": (("read",), [Caveat(allowed_paths=(AllowedPath(b"", b""),))], None),
    "a bucket with a slash": (("read",), [Caveat(allowed_paths=(AllowedPath(b"a/b", b""),))], None),
    "a hidden prefix of a bucket": (("read", "bucket:photos"), [Caveat(allowed_paths=(path(b"photos", b"2026"),))], None),
    "a hidden prefix and a bucket": (
        ("read",),
        [Caveat(allowed_paths=(path(b"photos", b"2026"), path(b"music")))],
        ("read", "bucket:music"),
    ),
    "an approved prefix again": (
        ("read", "bucket:photos;2026", "bucket:photos;2025"),
        [Caveat(allowed_paths=(path(b"photos", b"2026"),))],
        ("read", "bucket:photos;2026"),
    ),
    "the bucket of an approved prefix": (
        ("read", "bucket:photos;2026"),
        [Caveat(allowed_paths=(path(b"photos"),))],
        ("read", "bucket:photos;2026"),
    ),
    "a hidden prefix below an approved one": (
        ("read", "bucket:photos;2026"),
        [Caveat(allowed_paths=(path(b"photos", b"2026/may"),))],
        None,
    ),
    "more places than anybody means": (("read",), [Caveat(allowed_paths=FAR)], None),
    "other limits": (("write",), [Caveat(not_before=at(NOW), nonce=b"n")], ("write",)),
}


@pytest.mark.parametrize(("scopes", "caveats", "expected"), SCOPES.values(), ids=SCOPES)
def test_what_a_key_still_allows(scopes: tuple[str, ...], caveats: list[Caveat], expected: tuple[str, ...] | None) -> None:
    key, ancestry = issued(*scopes)
    for caveat in caveats:
        key = key.restrict(caveat)
    alive = judged(key, ancestry)
    assert alive is not None
    assert alive.scopes == expected
    told = [scope.parse(text) for text in alive.scopes or ()]
    places = [one for one in told if isinstance(one, Place)] or [Place(b"any bucket")]
    for action in (one for one in told if isinstance(one, ActionScope)):
        for place in places:
            encrypted = WHOLE.encrypt_prefix(place.bucket, place.prefix + b"/x" if place.prefix else b"x")
            assert all(lets_pass(key, one, place.bucket, encrypted) for one in ACTIONS[action]), (action, place)


def test_a_key_below_the_consent_alone() -> None:
    """None is ever handed out; what is told of it is what it is, not what the consent's prefix would make of it."""
    _, ancestry = issued("read", "bucket:photos;2026")
    key = PARENT.api_key.restrict(ancestry.consent.caveat or b"")
    alive = judged(key, replace(ancestry, grant_tail_digest=None, issued_at=None))
    assert alive is not None
    assert alive.scopes == ("read", "bucket:photos")


TIMES: dict[str, tuple[list[Caveat], datetime, tuple[int, int] | None]] = {
    "now": ([], NOW, (-90, 0)),
    "at its last moment": ([], NOT_AFTER, (-90, 0)),
    "a moment later": ([], NOT_AFTER + timedelta(microseconds=1), None),
    "at its first moment": ([], NOT_AFTER - timedelta(days=30, seconds=60), (-90, 0)),
    "a moment before": ([], NOT_AFTER - timedelta(days=30, seconds=60, microseconds=1), None),
    "an earlier end": ([Caveat(not_after=at(NOW, 999_999_999))], NOW, (-90, -2_592_000)),
    "an end that is past": ([Caveat(not_after=at(NOW - timedelta(seconds=1)))], NOW, None),
    "the earlier of two ends": (
        [Caveat(not_after=at(NOW + timedelta(hours=2))), Caveat(not_after=at(NOW + timedelta(hours=1)))],
        NOW,
        (-90, 3600 - 2_592_000),
    ),
    "a later end, in vain": ([Caveat(not_after=at(NOT_AFTER + timedelta(days=1)))], NOW, (-90, 0)),
    "not yet": ([Caveat(not_before=at(NOW + timedelta(seconds=1)))], NOW, None),
    "a later begin, in whole seconds": ([Caveat(not_before=at(NOW, 1))], NOW, (-29, 0)),
    "a begin that no calendar has": ([Caveat(not_before=Timestamp(-(1 << 63)))], NOW, (-90, 0)),
}


@pytest.mark.parametrize(("caveats", "now", "expected"), TIMES.values(), ids=TIMES)
def test_when_it_holds(caveats: list[Caveat], now: datetime, expected: tuple[int, int] | None) -> None:
    """`expected`: seconds of the begin after 12:01 of the day, and of the end before or after the consent's."""
    key, ancestry = issued("read")
    for caveat in caveats:
        key = key.restrict(caveat)
    alive = judged(key, ancestry, now)
    if expected is None:
        assert alive is None
        return
    assert alive is not None
    assert alive.not_before is not None
    assert alive.not_after is not None
    noon = int(datetime(2026, 3, 1, 12, 1, tzinfo=UTC).timestamp())
    assert (alive.not_before - noon, alive.not_after - int(NOT_AFTER.timestamp())) == expected


DEAD: dict[str, dict[str, Any]] = {
    "no consent above it": {"ancestry": None},
    "a withdrawn consent": {"withdrawn_at": NOW},
    "a revoked tail": {"is_revoked": True},
    "a caveat that cannot be read": {"caveat": b"\xff"},
}


@pytest.mark.parametrize("change", DEAD.values(), ids=DEAD)
def test_what_is_dead(change: dict[str, Any]) -> None:
    key, ancestry = issued("read")
    given: Ancestry | None = ancestry
    if "ancestry" in change:
        given = None
    elif "withdrawn_at" in change:
        given = replace(ancestry, consent=replace(ancestry.consent, withdrawn_at=NOW))
    elif "is_revoked" in change:
        given = replace(ancestry, is_revoked=True)
    if "caveat" in change:
        key = key.restrict(bytes(change["caveat"]))
    assert judged(key, given) is None
    assert judged(*issued("read")) is not None


def test_the_shortest_life_of_uploads() -> None:
    key, ancestry = issued("write")
    assert (alive := judged(key, ancestry)) is not None
    assert alive.max_object_ttl is None
    for seconds in (7200, 60, 3600):
        key = key.restrict(Caveat(max_object_ttl=Duration(seconds, 5)))
    assert (alive := judged(key, ancestry)) is not None
    assert alive.max_object_ttl == 60
