"""An access grant as a newcomer wants to read it: what it allows, where, until when. Read from the credential, not from what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grantway.access_grant import AccessGrant, Action, Allowance, ApiKey, SharePrefix

SENTENCE = {
    Action.LIST: "see which files there are",
    Action.READ: "download files",
    Action.WRITE: "upload files",
    Action.DELETE: "delete files",
    Action.LOCK: "lock files against deletion",
}

_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What Photo Box holds for one browser. `opens_files`: the encryption keys are in it."""

    credential: str = field(repr=False)
    may: tuple[str, ...]
    may_not: tuple[str, ...]
    places: tuple[str, ...]
    until: datetime | None
    opens_files: bool

    def remaining(self, now: datetime) -> str:
        """How long it is good for, in words."""
        if self.until is None:
            return "for ever"
        seconds = (self.until - now).total_seconds()
        if seconds <= 0:
            return "it has ended"
        unit, size = next((unit, size) for unit, size in _UNITS if round(seconds / size) > 1 or size == _UNITS[-1][1])
        count = max(1, round(seconds / size))
        return f"{count} {unit}{'s' if count > 1 else ''} from now"


def read(access_grant: str | None, api_key: str) -> Held:
    """Decode what came. Malformed when it is no credential of Storj's."""
    if access_grant is None:
        return _held(Allowance.of(ApiKey.parse(api_key).caveats), api_key, opens_files=False)
    return _held(AccessGrant.parse(access_grant).allowance(), access_grant, opens_files=True)


def _held(allowance: Allowance, credential: str, *, opens_files: bool) -> Held:
    return Held(
        credential=credential,
        may=tuple(words for action, words in SENTENCE.items() if action in allowance.actions),
        may_not=tuple(words for action, words in SENTENCE.items() if action not in allowance.actions),
        places=_places(allowance.places),
        until=None if allowance.not_after is None else allowance.not_after.astimezone(UTC),
        opens_files=opens_files,
    )


def _places(places: Sequence[SharePrefix] | None) -> tuple[str, ...]:
    if places is None:
        return ("in every bucket of your project",)
    return tuple(f"only {_place(place)}" for place in places) or ("nowhere",)


def _place(place: SharePrefix) -> str:
    bucket, prefix = _readable(place.bucket), _readable(place.prefix)
    return f"under {prefix}/ in the bucket {bucket}" if prefix else f"in the bucket {bucket}"


def _readable(name: bytes) -> str:
    """Names are any bytes: what is not printable is escaped."""
    text = name.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
