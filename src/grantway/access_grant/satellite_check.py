"""What a satellite does with an API key before it serves a request (format page, section 10, steps 3 to 6)."""

import hmac
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from grantway.access_grant.action import Action
from grantway.access_grant.api_key import ApiKey
from grantway.access_grant.caveat import Caveat
from grantway.access_grant.errors import Malformed
from grantway.access_grant.timestamp import Duration

VERSION_OBJECT_LOCK = 1 << 0
VERSION_NOTIFICATIONS = 1 << 2

_LOCK_ACTIONS = range(Action.LOCK, Action.GET_BUCKET_OBJECT_LOCK_CONFIGURATION + 1)
_NOTIFICATION_ACTIONS = range(Action.PUT_BUCKET_NOTIFICATION_CONFIGURATION, Action.GET_BUCKET_NOTIFICATION_CONFIGURATION + 1)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The request may pass. An upload's object must not outlive `max_object_ttl`; None is no bound."""

    tails: tuple[bytes, ...] = field(repr=False)
    max_object_ttl: Duration | None


@dataclass(frozen=True, slots=True)
class Denied:
    """The request may not pass. To its sender every reason looks the same. `caveat` counts from 1; None: no caveat is at fault.

    Reasons: `tail_mismatch`, `version_lacks_object_lock`, `version_lacks_notifications`, `caveat_malformed`, `revoked`, or what
    `Caveat.denial` names.
    """

    reason: str
    caveat: int | None = None


def check(
    api_key: ApiKey,
    *,
    secret: bytes,
    version: int,
    action: Action,
    bucket: bytes,
    encrypted_path: bytes,
    now: datetime,
    revoked: Container[bytes],
) -> Allowed | Denied:
    """Judge a request. `secret` and `version` come from the row found by the key's head; `revoked` holds revoked tails."""
    # 3. The tail must follow from the secret.
    tails = api_key.tails(secret)
    if not hmac.compare_digest(tails[-1], api_key.tail):
        return Denied("tail_mismatch")
    # 4. The key's version must know the action.
    if (missing := _missing_from(version, action)) is not None:
        return Denied(missing)
    # 5. Every caveat must be readable and allow it.
    caveats = [_parse_or_none(written) for written in api_key.caveats]
    for position, caveat in enumerate(caveats, 1):
        reason = "caveat_malformed" if caveat is None else caveat.denial(action, bucket, encrypted_path, now)
        if reason is not None:
            return Denied(reason, position)
    # 6. Nothing it descends from may be revoked, nor may the key itself.
    if any(tail in revoked for tail in tails):
        return Denied("revoked")
    return Allowed(tails, _shortest_ttl(caveats))


def allowed_buckets(caveats: Iterable[bytes]) -> frozenset[bytes] | None:
    """Return the buckets that a listing may show: those that every caveat names; None means all. Raises Malformed."""
    common: frozenset[bytes] | None = None
    for written in caveats:
        if paths := Caveat.parse(written).allowed_paths:
            named = frozenset(path.bucket for path in paths)
            common = named if common is None else common & named
    return common


def _missing_from(version: int, action: Action) -> str | None:
    if action in _LOCK_ACTIONS and not version & VERSION_OBJECT_LOCK:
        return "version_lacks_object_lock"
    if action in _NOTIFICATION_ACTIONS and not version & VERSION_NOTIFICATIONS:
        return "version_lacks_notifications"
    return None


def _parse_or_none(written: bytes) -> Caveat | None:
    try:
        return Caveat.parse(written)
    except Malformed:
        return None


def _shortest_ttl(caveats: Iterable[Caveat | None]) -> Duration | None:
    bounds = [caveat.max_object_ttl for caveat in caveats if caveat is not None and caveat.max_object_ttl is not None]
    return min(bounds, key=lambda bound: bound.total_nanos, default=None)
