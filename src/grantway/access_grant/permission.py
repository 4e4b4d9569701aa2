"""What a holder may do, said positively: what becomes the flags and limits of a caveat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from grantway.access_grant.caveat import AllowedPath, Caveat
from grantway.access_grant.errors import NotPermitted
from grantway.access_grant.timestamp import Duration, Timestamp


class FlagSet(Enum):
    """Which generation of writers to follow; format page, section 4."""

    FIRST_FIVE = "1-5"  # libuplink of April 2024: what it does not know stays allowed
    EVERY = "1-15"  # since December 2025: every flag whose permission is not given


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Everything that is not allowed here is disallowed. Times are aware and inclusive; `max_object_ttl` bounds uploads."""

    download: bool = False
    upload: bool = False
    list: bool = False
    delete: bool = False
    lock: bool = False
    put_retention: bool = False
    get_retention: bool = False
    put_legal_hold: bool = False
    get_legal_hold: bool = False
    bypass_governance_retention: bool = False
    put_bucket_object_lock_configuration: bool = False
    get_bucket_object_lock_configuration: bool = False
    put_bucket_notification_configuration: bool = False
    get_bucket_notification_configuration: bool = False
    not_before: datetime | None = None
    not_after: datetime | None = None
    max_object_ttl: timedelta | None = None

    def caveat(self, allowed_paths: Sequence[AllowedPath], nonce: bytes, flags: FlagSet = FlagSet.EVERY) -> Caveat:
        """Say the same negatively. `nonce` makes the tail unique. Raises NotPermitted; format page, section 4."""
        self.refuse_nonsense()
        every = flags is FlagSet.EVERY
        return Caveat(
            disallow_reads=not self.download,
            disallow_writes=not self.upload,
            disallow_lists=not self.list,
            disallow_deletes=not self.delete,
            disallow_locks=not self.lock,
            disallow_put_retention=every and not self.put_retention,
            disallow_get_retention=every and not self.get_retention,
            disallow_put_legal_hold=every and not self.put_legal_hold,
            disallow_get_legal_hold=every and not self.get_legal_hold,
            disallow_bypass_governance_retention=every and not self.bypass_governance_retention,
            disallow_put_bucket_object_lock_configuration=every and not self.put_bucket_object_lock_configuration,
            disallow_get_bucket_object_lock_configuration=every and not self.get_bucket_object_lock_configuration,
            disallow_put_bucket_notification_configuration=every and not self.put_bucket_notification_configuration,
            disallow_get_bucket_notification_configuration=every and not self.get_bucket_notification_configuration,
            allowed_paths=tuple(allowed_paths),
            not_after=None if self.not_after is None else Timestamp.of(self.not_after),
            not_before=None if self.not_before is None else Timestamp.of(self.not_before),
            max_object_ttl=None if self.max_object_ttl is None else Duration.of(self.max_object_ttl),
            nonce=nonce,
        )

    def refuse_nonsense(self) -> None:
        """Raise NotPermitted when this allows nothing at all or contradicts itself."""
        # a mere time limit is something, as in the Go library (section 4)
        if self == _NOTHING:
            raise NotPermitted("permission is empty")
        if self.not_before is not None and self.not_after is not None and self.not_after < self.not_before:  # equal is fine
            raise NotPermitted("not_after is before not_before")
        if self.max_object_ttl is not None and self.max_object_ttl <= timedelta(0):
            raise NotPermitted("max_object_ttl is not positive")


_NOTHING = Permission()
