"""What a chain of caveats leaves, said positively: which actions, where, and between which moments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from grantway.access_grant.action import Action
from grantway.access_grant.caveat import Caveat
from grantway.access_grant.errors import Malformed
from grantway.access_grant.satellite_check import allowed_buckets
from grantway.access_grant.share_prefix import SharePrefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the holder may do. `places`: None for every bucket of the project, empty for nowhere. Moments are aware; None: no limit."""

    actions: frozenset[Action]
    places: tuple[SharePrefix, ...] | None
    not_before: datetime | None
    not_after: datetime | None

    @classmethod
    def of(cls, written: Iterable[bytes]) -> Self:
        """Read all caveats of an API key together; one that cannot be read leaves nothing, as at the satellite.

        Prefixes stand encrypted in caveats. So a place is here the whole bucket, of which an access grant knows the part.
        """
        written = tuple(written)
        try:
            caveats = [Caveat.parse(one) for one in written]
            buckets = allowed_buckets(written)
        except Malformed:
            return cls(actions=frozenset(), places=(), not_before=None, not_after=None)
        starts = (caveat.not_before.datetime() for caveat in caveats if caveat.not_before is not None)
        ends = (caveat.not_after.datetime() for caveat in caveats if caveat.not_after is not None)
        return cls(
            actions=frozenset(action for action in Action if not any(caveat.forbids(action) for caveat in caveats)),
            places=None if buckets is None else tuple(SharePrefix(bucket) for bucket in sorted(buckets)),
            # the latest start and the earliest end: each caveat must hold
            not_before=max(starts, default=None),
            not_after=min(ends, default=None),
        )
