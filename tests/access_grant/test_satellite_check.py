"""Each row changes one thing about a request that passes."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grantway.access_grant import (
    Action,
    Allowed,
    AllowedPath,
    ApiKey,
    Caveat,
    Denied,
    Duration,
    Malformed,
    Timestamp,
    allowed_buckets,
    check,
    may_revoke,
)

SECRET = b"secret of the key's row"
ROOT = ApiKey.new(SECRET, b"head")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())
EVERY_VERSION = 0b111


@dataclass(frozen=True, kw_only=True)
class Request:
    action: Action = Action.READ
    bucket: bytes = b"bkt"
    path: bytes = b"\x02a/\x02b"
    version: int = EVERY_VERSION
    now: datetime = NOW
    revoked: Container[bytes] = ()


def judge(key: ApiKey, request: Request) -> Allowed | Denied:
    return check(
        key,
        secret=SECRET,
        version=request.version,
        action=request.action,
        bucket=request.bucket,
        encrypted_path=request.path,
        now=request.now,
        revoked=request.revoked,
    )


def outcome(caveat: Caveat, request: Request) -> str:
    answer = judge(ROOT.restrict(caveat), request)
    if isinstance(answer, Allowed):
        assert caveat.allows(request.action, request.bucket, request.path, request.now)
        return "allowed"
    assert not caveat.allows(request.action, request.bucket, request.path, request.now)
    assert answer.caveat == 1
    return answer.reason


FLAG_OF_ACTION = {
    Action.READ: "disallow_reads",
    Action.WRITE: "disallow_writes",
    Action.LIST: "disallow_lists",
    Action.DELETE: "disallow_deletes",
    Action.LOCK: "disallow_locks",
    Action.PUT_OBJECT_RETENTION: "disallow_put_retention",
    Action.PUT_OBJECT_LEGAL_HOLD: "disallow_put_legal_hold",
    Action.GET_OBJECT_LEGAL_HOLD: "disallow_get_legal_hold",
    Action.BYPASS_GOVERNANCE_RETENTION: "disallow_bypass_governance_retention",
    Action.PUT_BUCKET_OBJECT_LOCK_CONFIGURATION: "disallow_put_bucket_object_lock_configuration",
    Action.GET_BUCKET_OBJECT_LOCK_CONFIGURATION: "disallow_get_bucket_object_lock_configuration",
    Action.PUT_BUCKET_NOTIFICATION_CONFIGURATION: "disallow_put_bucket_notification_configuration",
    Action.GET_BUCKET_NOTIFICATION_CONFIGURATION: "disallow_get_bucket_notification_configuration",
}
FLAGS = [name for name in Caveat.__slots__ if name.startswith("disallow")]
NUMBERS = dict(enumerate(Action, 1))


def with_flags(names: Iterable[str]) -> Caveat:
    flags: dict[str, Any] = dict.fromkeys(names, True)
    return Caveat(**flags)


def test_actions_have_the_satellites_numbers() -> None:
    assert [(number, action.name) for number, action in NUMBERS.items()][:6] == [
        *((1, "READ"), (2, "WRITE"), (3, "LIST"), (4, "DELETE"), (5, "PROJECT_INFO"), (6, "LOCK")),
    ]
    assert all(number == action for number, action in NUMBERS.items())
    assert len(NUMBERS) == 15


@pytest.mark.parametrize("action", FLAG_OF_ACTION)
def test_one_flag_denies_one_action_and_no_other_flag_does(action: Action) -> None:
    mine = FLAG_OF_ACTION[action]
    assert outcome(with_flags([mine]), Request(action=action)) == mine
    others = with_flags([flag for flag in FLAGS if flag != mine])
    assert outcome(others, Request(action=action)) == "allowed"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["disallow_get_retention"], "allowed"),
        (["disallow_put_retention"], "allowed"),
        (["disallow_get_retention", "disallow_put_retention"], "disallow_get_retention"),
    ],
)
def test_reading_a_retention_takes_two_flags_to_deny(flags: list[str], expected: str) -> None:
    assert outcome(with_flags(flags), Request(action=Action.GET_OBJECT_RETENTION)) == expected


PLACE = Caveat(allowed_paths=(AllowedPath(b"bkt", b"\x02a"), AllowedPath(b"other", b"")))
EVERY_FLAG = with_flags(FLAGS)


@pytest.mark.parametrize(
    ("caveat", "request_", "expected"),
    [
        (PLACE, Request(), "allowed"),
        (PLACE, Request(path=b"\x02a"), "allowed"),
        (PLACE, Request(path=b"\x02abc"), "allowed"),  # byte by byte, not by component
        (PLACE, Request(path=b"\x02c"), "allowed_paths"),
        (PLACE, Request(path=b"\x02"), "allowed_paths"),
        (PLACE, Request(bucket=b"bk"), "allowed_paths"),
        (PLACE, Request(bucket=b"other"), "allowed"),
        (PLACE, Request(bucket=b"third"), "allowed_paths"),
        # Listing and writing at the root of a bucket need the empty prefix.
        (PLACE, Request(action=Action.LIST, path=b""), "allowed_paths"),
        (PLACE, Request(action=Action.WRITE, path=b""), "allowed_paths"),
        (PLACE, Request(action=Action.LIST, path=b"", bucket=b"other"), "allowed"),
        # Reading with an empty path is about the bucket: flags and prefixes do not count.
        (PLACE, Request(path=b""), "allowed"),
        (PLACE, Request(path=b"", bucket=b""), "allowed"),
        (PLACE, Request(path=b"", bucket=b"third"), "allowed_paths"),
        (EVERY_FLAG, Request(path=b""), "allowed"),
        (EVERY_FLAG, Request(path=b"", bucket=b""), "allowed"),
        (EVERY_FLAG, Request(), "disallow_reads"),
        (replace(PLACE, disallow_reads=True), Request(path=b"", bucket=b"third"), "allowed_paths"),
        # Project info: neither flags nor places, but times.
        (EVERY_FLAG, Request(action=Action.PROJECT_INFO, bucket=b"", path=b""), "allowed"),
        (PLACE, Request(action=Action.PROJECT_INFO, bucket=b"", path=b""), "allowed"),
        (Caveat(not_after=Timestamp(0)), Request(action=Action.PROJECT_INFO), "not_after"),
        # Both bounds are inclusive, to the nanosecond.
        (Caveat(not_after=Timestamp(SECOND)), Request(), "allowed"),
        (Caveat(not_after=Timestamp(SECOND)), Request(now=NOW + timedelta(microseconds=1)), "not_after"),
        (Caveat(not_after=Timestamp(SECOND - 1, 999_999_999)), Request(), "not_after"),
        (Caveat(not_before=Timestamp(SECOND)), Request(), "allowed"),
        (Caveat(not_before=Timestamp(SECOND, 1)), Request(), "not_before"),
        (Caveat(not_before=Timestamp(SECOND, 1)), Request(path=b""), "not_before"),
        (Caveat(not_after=Timestamp(SECOND - 1, 1_000_000_000)), Request(), "allowed"),  # nanos beyond a second
        (Caveat(not_after=Timestamp(2**63 - 1, 2**31 - 1), not_before=Timestamp(-(2**63))), Request(), "allowed"),
        (Caveat(not_after=Timestamp(-(2**63))), Request(), "not_after"),
        (Caveat(max_object_ttl=Duration(1)), Request(action=Action.WRITE), "allowed"),
    ],
)
def test_what_a_caveat_allows(caveat: Caveat, request_: Request, expected: str) -> None:
    assert outcome(caveat, request_) == expected


@pytest.mark.parametrize(
    ("action", "version", "reason"),
    [
        *((action, 0b110, "version_lacks_object_lock") for action in list(Action)[5:13]),
        *((action, 0b011, "version_lacks_notifications") for action in list(Action)[13:]),
    ],
)
def test_the_version_gate(action: Action, version: int, reason: str) -> None:
    assert judge(ROOT, Request(action=action, version=version)) == Denied(reason)
    assert isinstance(judge(ROOT, Request(action=action)), Allowed)


@pytest.mark.parametrize("action", list(Action)[:5])
def test_plain_actions_need_no_version(action: Action) -> None:
    assert isinstance(judge(ROOT, Request(action=action, version=0)), Allowed)


def test_a_forged_tail_is_denied_before_anything_else() -> None:
    forged = replace(ROOT.restrict(EVERY_FLAG), tail=bytes(32))
    assert judge(forged, Request(action=Action.LOCK, version=0)) == Denied("tail_mismatch")
    dropped = replace(ROOT.restrict(EVERY_FLAG), caveats=())
    assert judge(dropped, Request()) == Denied("tail_mismatch")


def test_an_unreadable_caveat_is_denied_and_named() -> None:
    assert judge(ROOT.restrict(Caveat()).restrict(b"\xff"), Request()) == Denied("caveat_malformed", 2)


def test_every_caveat_must_allow() -> None:
    key = ROOT.restrict(Caveat(disallow_writes=True)).restrict(Caveat(disallow_deletes=True))
    assert judge(key, Request(action=Action.DELETE)) == Denied("disallow_deletes", 2)
    assert judge(key, Request(action=Action.WRITE)) == Denied("disallow_writes", 1)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_any_revoked_tail_denies(position: int) -> None:
    key = ROOT.restrict(Caveat(nonce=b"1")).restrict(Caveat(nonce=b"2"))
    tails = key.tails(SECRET)
    assert len(tails) == 3
    assert judge(key, Request(revoked={tails[position]})) == Denied("revoked")
    assert judge(key, Request(revoked={bytes(32)})) == Allowed(tails, None)


def test_the_shortest_lifetime_counts() -> None:
    key = ROOT.restrict(Caveat(max_object_ttl=Duration(60))).restrict(Caveat()).restrict(Caveat(max_object_ttl=Duration(59, 5)))
    answer = judge(key, Request(action=Action.WRITE))
    assert isinstance(answer, Allowed)
    assert answer.max_object_ttl == Duration(59, 5)
    assert "secret" not in repr(answer)


def paths(*buckets: bytes) -> bytes:
    return Caveat(allowed_paths=tuple(AllowedPath(bucket, b"p") for bucket in buckets)).serialise()


@pytest.mark.parametrize(
    ("caveats", "expected"),
    [
        ([], None),
        ([Caveat(disallow_lists=True).serialise()], None),
        ([paths(b"a", b"b", b"a")], {b"a", b"b"}),
        ([paths(b"a", b"b"), Caveat().serialise(), paths(b"b", b"c")], {b"b"}),
        ([paths(b"a"), paths(b"b")], set()),
    ],
)
def test_allowed_buckets(caveats: list[bytes], expected: set[bytes] | None) -> None:
    assert allowed_buckets(caveats) == expected


def test_allowed_buckets_refuses_what_it_cannot_read() -> None:
    with pytest.raises(Malformed):
        allowed_buckets([b"\xff"])


CHILD = ROOT.restrict(Caveat(nonce=b"child"))
GRANDCHILD = CHILD.restrict(Caveat(nonce=b"grandchild"))
SIBLING = ROOT.restrict(Caveat(nonce=b"sibling"))


@pytest.mark.parametrize(
    ("revoker", "victim", "expected"),
    [
        (ROOT, CHILD, True),
        (ROOT, GRANDCHILD, True),
        (CHILD, GRANDCHILD, True),
        (ROOT, ROOT, False),
        (CHILD, CHILD, False),
        (CHILD, ROOT, False),
        (SIBLING, CHILD, False),
        (SIBLING, GRANDCHILD, False),
        (replace(ROOT, head=b"another"), CHILD, False),
        (ROOT, replace(CHILD, tail=bytes(32)), False),
        (ApiKey.new(b"another secret", b"head"), CHILD, False),
    ],
)
def test_may_revoke(revoker: ApiKey, victim: ApiKey, expected: bool) -> None:
    assert may_revoke(revoker, victim, SECRET) is expected
