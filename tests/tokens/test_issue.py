"""From consent to access grant: what is in it, what it opens, and what it does not."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from grantway.access_grant import (
    AccessGrant,
    Action,
    Allowed,
    AllowedPath,
    ApiKey,
    Caveat,
    EncryptionAccess,
    NotPermitted,
    Timestamp,
    check,
)
from grantway.access_grant.node_url import format_node_id
from grantway.authorization import consent, opening
from grantway.scopes.meaning import meaning_of
from grantway.tokens.issue import IssuedGrant, ParentKey, issue

SECRET, ROOT_KEY, NONCE = b"s" * 32, b"k" * 32, b"g" * 16
NOW = datetime(2026, 3, 1, 12, 0, 30, 987_654, tzinfo=UTC)
NOT_AFTER = datetime(2026, 3, 31, 12, 0, 30, tzinfo=UTC)
ADDRESS = f"{format_node_id(b'n' * 31 + bytes(1))}@127.0.0.1:7777"
PARENT = ParentKey(api_key=ApiKey.new(SECRET, b"h" * 32), salt=b"salt" * 4, satellite_address=ADDRESS)
WHOLE = EncryptionAccess.from_root_key(ROOT_KEY)


def issued(*scopes: str) -> tuple[IssuedGrant, AccessGrant, bytes]:
    meaning = meaning_of(scopes)
    caveat = consent.caveat(meaning, NOT_AFTER, b"c" * 16)
    assert caveat is not None
    made = issue(PARENT, caveat, opening.of(meaning, ROOT_KEY), NONCE, NOW, NOT_AFTER)
    return made, AccessGrant.parse(made.access_grant or ""), caveat


def allows(grant: AccessGrant, action: Action, bucket: bytes, path: bytes, now: datetime = NOW) -> bool:
    """Whether a satellite lets it pass; the path is encrypted as its owner would."""
    answer = check(
        grant.api_key,
        secret=SECRET,
        version=1,
        action=action,
        bucket=bucket,
        encrypted_path=WHOLE.encrypt_prefix(bucket, path),
        now=now,
        revoked=(),
    )
    return isinstance(answer, Allowed)


def opens(grant: AccessGrant, bucket: bytes, path: bytes) -> bool:
    """Whether it holds the key of that place, and the right one."""
    try:
        return grant.encryption_access.encrypt_prefix(bucket, path) == WHOLE.encrypt_prefix(bucket, path)
    except NotPermitted:
        return False


def test_what_is_written() -> None:
    made, grant, consents = issued("read", "bucket:photos;2024/summer/", "bucket:music")
    assert grant.satellite_address == ADDRESS
    assert grant.api_key.head == b"h" * 32
    assert grant.api_key.caveats == (consents, made.caveat)
    assert grant.api_key.verifies(SECRET)
    assert grant.api_key.tail == made.tail
    assert hashlib.sha256(made.tail).digest() not in (made.access_grant or "").encode()
    assert made.not_after == NOT_AFTER
    assert Caveat.parse(made.caveat) == Caveat(
        allowed_paths=(
            AllowedPath(b"photos", WHOLE.encrypt_prefix(b"photos", b"2024/summer/")),
            AllowedPath(b"music", b""),
        ),
        not_before=Timestamp(int(NOW.timestamp()) - 60, 0),
        not_after=Timestamp(int(NOT_AFTER.timestamp()), 0),
        nonce=NONCE,
    )


def test_nothing_of_it_is_shown() -> None:
    made, _, _ = issued("read")
    assert (made.access_grant or "") not in repr(made)
    assert made.tail.hex() not in repr(made)
    assert "k" * 32 not in repr(made)


ALLOWED = [
    (("read",), Action.READ, b"any", b"x"),
    (("read", "bucket:photos"), Action.READ, b"photos", b"x/y"),
    (("read", "bucket:photos;2024/"), Action.READ, b"photos", b"2024/x.jpg"),
    (("read", "bucket:photos;2024"), Action.READ, b"photos", b"2024/a/b/c"),
    (("list", "bucket:photos;2024"), Action.LIST, b"photos", b"2024"),
    (("write", "bucket:photos;2024", "bucket:music"), Action.WRITE, b"music", b"x"),
    (("delete", "bucket:photos;a", "bucket:photos;b"), Action.DELETE, b"photos", b"b/x"),
    (("lock",), Action.PUT_OBJECT_RETENTION, b"photos", b"x"),
    (("read", "bucket:photos;%FF%20"), Action.READ, b"photos", b"\xff /x"),
    (("read", "bucket:photos;a//"), Action.READ, b"photos", b"a//x"),
]

DENIED = [
    (("read",), Action.WRITE, b"any", b"x"),
    (("write",), Action.READ, b"any", b"x"),
    (("read", "write", "list", "delete"), Action.LOCK, b"any", b"x"),
    (("lock",), Action.BYPASS_GOVERNANCE_RETENTION, b"any", b"x"),
    (("read", "bucket:photos"), Action.READ, b"music", b"x"),
    (("read", "bucket:photos;2024/"), Action.READ, b"photos", b"2025/x"),
    (("read", "bucket:photos;2024/"), Action.READ, b"photos", b"2024x/y"),
    (("read", "bucket:photos;2024/"), Action.READ, b"photos", b"x"),
    (("list", "bucket:photos;2024"), Action.LIST, b"photos", b""),
    (("read", "bucket:photos;2024", "bucket:music"), Action.READ, b"other", b"x"),
    (("read", "bucket:photos;a//"), Action.READ, b"photos", b"a/x"),
]


@pytest.mark.parametrize(("scopes", "action", "bucket", "path"), ALLOWED)
def test_allowed_and_opened(scopes: tuple[str, ...], action: Action, bucket: bytes, path: bytes) -> None:
    _, grant, _ = issued(*scopes)
    assert allows(grant, action, bucket, path)
    assert opens(grant, bucket, path)


@pytest.mark.parametrize(("scopes", "action", "bucket", "path"), DENIED)
def test_denied(scopes: tuple[str, ...], action: Action, bucket: bytes, path: bytes) -> None:
    _, grant, _ = issued(*scopes)
    assert not allows(grant, action, bucket, path)


@pytest.mark.parametrize(
    ("scopes", "bucket", "path"),
    [
        (("read", "bucket:photos"), b"music", b"x"),
        (("read", "bucket:photos;2024"), b"photos", b"2025/x"),
        (("read", "bucket:photos;2024"), b"photos", b"x"),
        (("read", "bucket:photos;2024"), b"music", b"2024/x"),
    ],
)
def test_keys_are_narrowed_too(scopes: tuple[str, ...], bucket: bytes, path: bytes) -> None:
    _, grant, _ = issued(*scopes)
    assert grant.encryption_access.default_key is None
    assert not opens(grant, bucket, path)


def test_the_whole_project_has_the_default_key() -> None:
    _, grant, _ = issued("read")
    assert grant.encryption_access == WHOLE


WINDOW = [
    (timedelta(0), True),
    (-timedelta(seconds=60), True),
    (-timedelta(seconds=62), False),
    (NOT_AFTER - NOW, True),
    (NOT_AFTER - NOW + timedelta(seconds=1), False),
]


@pytest.mark.parametrize(("later", "expected"), WINDOW)
def test_the_time_window(later: timedelta, expected: bool) -> None:
    _, grant, _ = issued("read")
    assert allows(grant, Action.READ, b"b", b"x", NOW + later) is expected
