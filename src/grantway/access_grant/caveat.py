"""One caveat: what a link of the chain takes away, where it leaves something, and until when (format page, sections 4 and 10)."""

from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import attrgetter

from grantway.access_grant.action import Action
from grantway.access_grant.errors import Malformed
from grantway.access_grant.timestamp import Duration, Timestamp
from grantway.access_grant.wire import BYTES, VARINT, bytes_field, fields, message_field, varint

_FLAG_OF_FIELD = {
    1: "disallow_reads",
    2: "disallow_writes",
    3: "disallow_lists",
    4: "disallow_deletes",
    5: "disallow_locks",
    6: "disallow_put_retention",
    7: "disallow_get_retention",
    8: "disallow_put_legal_hold",
    9: "disallow_get_legal_hold",
    11: "disallow_bypass_governance_retention",
    12: "disallow_put_bucket_object_lock_configuration",
    13: "disallow_get_bucket_object_lock_configuration",
    14: "disallow_put_bucket_notification_configuration",
    15: "disallow_get_bucket_notification_configuration",
}
_ALLOWED_PATHS, _NOT_AFTER, _NOT_BEFORE, _MAX_OBJECT_TTL, _NONCE = 10, 20, 21, 22, 30
_KNOWN = dict.fromkeys(_FLAG_OF_FIELD, VARINT)
_KNOWN |= dict.fromkeys((_ALLOWED_PATHS, _NOT_AFTER, _NOT_BEFORE, _MAX_OBJECT_TTL, _NONCE), BYTES)
_KNOWN_IN_PATH = {1: BYTES, 2: BYTES}  # bucket, encrypted prefix
_flags = attrgetter(*_FLAG_OF_FIELD.values())  # in one call: each exchange writes a caveat
_FLAGS_BEFORE_PATHS, _FLAGS_AFTER_PATHS = (  # field 10 stands between the flags 9 and 11
    [varint(number << 3) + b"\1" for number in _FLAG_OF_FIELD if (number < _ALLOWED_PATHS) is before] for before in (True, False)
)

_FLAGS_OF_ACTION: dict[Action, tuple[str, ...]] = {
    Action.READ: ("disallow_reads",),
    Action.WRITE: ("disallow_writes",),
    Action.LIST: ("disallow_lists",),
    Action.DELETE: ("disallow_deletes",),
    Action.PROJECT_INFO: (),  # every key may ask for the salt, whatever its flags (section 8)
    Action.LOCK: ("disallow_locks",),
    Action.PUT_OBJECT_RETENTION: ("disallow_put_retention",),
    # Whoever may set a retention may see it: it takes both flags to deny reading one.
    Action.GET_OBJECT_RETENTION: ("disallow_get_retention", "disallow_put_retention"),
    Action.PUT_OBJECT_LEGAL_HOLD: ("disallow_put_legal_hold",),
    Action.GET_OBJECT_LEGAL_HOLD: ("disallow_get_legal_hold",),
    Action.BYPASS_GOVERNANCE_RETENTION: ("disallow_bypass_governance_retention",),
    Action.PUT_BUCKET_OBJECT_LOCK_CONFIGURATION: ("disallow_put_bucket_object_lock_configuration",),
    Action.GET_BUCKET_OBJECT_LOCK_CONFIGURATION: ("disallow_get_bucket_object_lock_configuration",),
    Action.PUT_BUCKET_NOTIFICATION_CONFIGURATION: ("disallow_put_bucket_notification_configuration",),
    Action.GET_BUCKET_NOTIFICATION_CONFIGURATION: ("disallow_get_bucket_notification_configuration",),
}


@dataclass(frozen=True, slots=True)
class AllowedPath:
    """A place: a bucket, and the encrypted prefix under it (empty: all of it), compared byte by byte."""

    bucket: bytes
    encrypted_prefix: bytes

    def covers(self, bucket: bytes, encrypted_path: bytes) -> bool:
        """Whether that path lies here."""
        return self.bucket == bucket and encrypted_path.startswith(self.encrypted_prefix)

    @classmethod
    def parse(cls, data: bytes) -> "AllowedPath":
        """Read the message. Raises Malformed."""
        found = {number: value for number, _, value in fields(data, _KNOWN_IN_PATH)}
        return cls(found.get(1, b""), found.get(2, b""))

    def serialise(self) -> bytes:
        """Write the message, without tag and length."""
        return bytes_field(1, self.bucket) + bytes_field(2, self.encrypted_prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """What one restriction says. No `allowed_paths` means every place; an absent limit is no limit; both times are inclusive."""

    disallow_reads: bool = False
    disallow_writes: bool = False
    disallow_lists: bool = False
    disallow_deletes: bool = False
    disallow_locks: bool = False
    disallow_put_retention: bool = False
    disallow_get_retention: bool = False
    disallow_put_legal_hold: bool = False
    disallow_get_legal_hold: bool = False
    disallow_bypass_governance_retention: bool = False
    disallow_put_bucket_object_lock_configuration: bool = False
    disallow_get_bucket_object_lock_configuration: bool = False
    disallow_put_bucket_notification_configuration: bool = False
    disallow_get_bucket_notification_configuration: bool = False
    allowed_paths: tuple[AllowedPath, ...] = ()
    not_after: Timestamp | None = None
    not_before: Timestamp | None = None
    max_object_ttl: Duration | None = None
    nonce: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> "Caveat":
        """Read the protobuf. Raises Malformed. Unknown fields are not kept: tails are computed from the original bytes."""
        flags: dict[str, bool] = {}
        paths: list[AllowedPath] = []
        found: dict[int, bytes] = {}
        for number, integer, value in fields(data, _KNOWN):
            if flag := _FLAG_OF_FIELD.get(number):
                # any number but 0 sets a flag: of two readings the one that takes away (section 4)
                flags[flag] = integer != 0
            elif number == _ALLOWED_PATHS:
                paths.append(_parse_path(value, len(paths) + 1))
            elif number == _NONCE:
                found[number] = value
            else:  # a message given twice is merged, and joining the bytes does just that
                found[number] = found.get(number, b"") + value
        return cls(
            allowed_paths=tuple(paths),
            not_after=Timestamp.parse(found[_NOT_AFTER]) if _NOT_AFTER in found else None,
            not_before=Timestamp.parse(found[_NOT_BEFORE]) if _NOT_BEFORE in found else None,
            max_object_ttl=Duration.parse(found[_MAX_OBJECT_TTL]) if _MAX_OBJECT_TTL in found else None,
            nonce=found.get(_NONCE, b""),
            **flags,
        )

    def serialise(self) -> bytes:
        """Write the protobuf: ascending field numbers, whatever is false, empty or absent left out."""
        flags = _flags(self)
        parts = [*compress(_FLAGS_BEFORE_PATHS, flags)]
        # also an empty one (52 00): left out, it would leave no places, which means all of them
        parts += [message_field(_ALLOWED_PATHS, path.serialise()) for path in self.allowed_paths]
        parts += compress(_FLAGS_AFTER_PATHS, flags[len(_FLAGS_BEFORE_PATHS) :])
        for number, limit in ((_NOT_AFTER, self.not_after), (_NOT_BEFORE, self.not_before), (_MAX_OBJECT_TTL, self.max_object_ttl)):
            if limit is not None:
                # a limit at second 0 is an empty message; without it there would be no limit
                parts.append(message_field(number, limit.serialise()))
        parts.append(bytes_field(_NONCE, self.nonce))
        return b"".join(parts)

    def allows(self, action: Action, bucket: bytes, encrypted_path: bytes, now: datetime) -> bool:
        """Whether this caveat lets the request pass. `now` is aware; an empty bucket means the request names none."""
        return self.denial(action, bucket, encrypted_path, now) is None

    def denial(self, action: Action, bucket: bytes, encrypted_path: bytes, now: datetime) -> str | None:
        """Name the first field that denies the request (`not_after`, `disallow_writes`, `allowed_paths`, ...), or None."""
        moment = Timestamp.of(now).total_nanos
        if self.not_after is not None and moment > self.not_after.total_nanos:
            return "not_after"
        if self.not_before is not None and moment < self.not_before.total_nanos:
            return "not_before"
        # before the flags, which do not count for it (section 10)
        if action is Action.READ and not encrypted_path:
            return self._denial_of_bucket_metadata(bucket)
        if self.forbids(action):
            return _FLAGS_OF_ACTION[action][0]
        # project info is about no place
        if not self.allowed_paths or action is Action.PROJECT_INFO:
            return None
        return None if any(path.covers(bucket, encrypted_path) for path in self.allowed_paths) else "allowed_paths"

    def forbids(self, action: Action) -> bool:
        """Whether the flags deny this action, wherever and whenever."""
        flags = _FLAGS_OF_ACTION[action]
        return bool(flags) and all(getattr(self, flag) for flag in flags)

    def _denial_of_bucket_metadata(self, bucket: bytes) -> str | None:
        """Even a write-only key may see the buckets it reaches: flags and prefixes do not count here."""
        if not self.allowed_paths or not bucket or any(path.bucket == bucket for path in self.allowed_paths):
            return None
        return "allowed_paths"


def _parse_path(data: bytes, position: int) -> AllowedPath:
    try:
        return AllowedPath.parse(data)
    except Malformed as error:
        raise error.within(f"allowed path {position}") from None
