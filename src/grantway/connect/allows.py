"""What a credential allows, in the words and the texts that an app asks with; read from the credential itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from grantway.access_grant import Action, Allowance, SharePrefix

_WORDS = {Action.READ: "read", Action.WRITE: "write", Action.LIST: "list", Action.DELETE: "delete", Action.LOCK: "lock"}
"""What an app can ask for. What else a satellite judges (about the project, for one) comes with every key, and says nothing."""


class Place(NamedTuple):
    """A bucket, and the prefix under which the files lie, with a slash at its end; empty: all of the bucket. `bucket(*place)` is its scope.

    Names that are not UTF-8 have surrogates (`surrogateescape`), as file names have in Python.
    """

    bucket: str
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allows:
    """What the holder may do: `actions` among read, write, list, delete and lock. `places`: None for every bucket of the project, empty
    for nowhere. Moments are aware; None: no limit."""

    actions: tuple[str, ...]
    places: tuple[Place, ...] | None
    not_before: datetime | None
    not_after: datetime | None

    @classmethod
    def of(cls, allowance: Allowance) -> Self:
        """The same in words."""
        return cls(
            actions=tuple(word for action, word in _WORDS.items() if action in allowance.actions),
            places=None if allowance.places is None else tuple(map(_place, allowance.places)),
            not_before=allowance.not_before,
            not_after=allowance.not_after,
        )


def _place(place: SharePrefix) -> Place:
    bucket, prefix = (name.decode("utf-8", "surrogateescape") for name in (place.bucket, place.prefix))
    return Place(bucket, f"{prefix}/" if prefix else "")
