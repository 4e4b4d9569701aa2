"""What scopes mean: actions times places. The only bridge from scopes to a Storj permission."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from grantway.access_grant import Permission
from grantway.scopes import scope
from grantway.scopes.scope import ActionScope, Place


@dataclass(frozen=True, slots=True)
class Meaning:
    """Actions, and the places where they may be done. No place at all means the whole project."""

    actions: frozenset[ActionScope]
    places: tuple[Place, ...]

    def within(self, other: "Meaning") -> bool:
        """Whether everything that this allows the other allows too."""
        return self.actions <= other.actions and self.lies_within(other.places)

    def lies_within(self, places: tuple[Place, ...]) -> bool:
        """Whether all places of this lie in those: naming none, when those name some, means more than they do."""
        if not places:
            return True
        return bool(self.places) and all(any(place.within(wider) for wider in places) for place in self.places)

    def widest(self) -> Sequence[Place]:
        """The places but those that lie in another of them: they mean the same without these."""
        if len(self.places) < 2:
            return self.places
        return [one for one in self.places if not any(one.within(other) for other in self.places if other != one)]

    @property
    def gives_a_permission(self) -> bool:
        """Whether it allows anything: places alone do not."""
        return bool(self.actions)


def meaning_of(scopes: Iterable[str]) -> Meaning:
    """What a list of scopes means together; ScopeError for one that is not understood."""
    listed = tuple(scopes)
    return (_meaning_of if len(listed) <= _MOST_REMEMBERED else _meaning_of.__wrapped__)(listed)


_MOST_REMEMBERED = 20
"""Scopes in a list: of longer ones, which anybody may send, a thousand would be a great deal."""


@functools.lru_cache(1024)
def _meaning_of(scopes: tuple[str, ...]) -> Meaning:
    parsed = [scope.parse(text) for text in scopes]
    places = dict.fromkeys(item for item in parsed if isinstance(item, Place))
    return Meaning(frozenset(item for item in parsed if isinstance(item, ActionScope)), tuple(places))


def covers(granted: Meaning, wanted: str, among: Meaning) -> bool:
    """Whether `wanted`, one scope of a request that means `among`, is already allowed by `granted`."""
    item = scope.parse(wanted)
    if isinstance(item, Place):
        return granted.gives_a_permission and Meaning(frozenset(), (item,)).lies_within(granted.places)
    # what may be read in one bucket is not held by a request that names another, or none
    return item in granted.actions and among.lies_within(granted.places)


def unique(scopes: Sequence[str]) -> tuple[str, ...]:
    """The same scopes in the same order, each once."""
    return tuple(dict.fromkeys(scopes))


def permission(meaning: Meaning, *, not_before: datetime | None = None, not_after: datetime | None = None) -> Permission:
    """The Storj permission that the actions stand for; the places become allowed paths elsewhere.

    `lock` is for what an app does to objects: it opens the general lock flag, retention and legal holds of objects, and reading a
    bucket's lock configuration. It never opens changing that configuration, nor bypassing a governance lock, nor notifications.
    """
    # said here and nowhere else (decision 0007); introspection takes it from here
    locks = ActionScope.LOCK in meaning.actions
    return Permission(
        download=ActionScope.READ in meaning.actions,
        upload=ActionScope.WRITE in meaning.actions,
        list=ActionScope.LIST in meaning.actions,
        delete=ActionScope.DELETE in meaning.actions,
        lock=locks,
        put_retention=locks,
        get_retention=locks,
        put_legal_hold=locks,
        get_legal_hold=locks,
        get_bucket_object_lock_configuration=locks,
        not_before=not_before,
        not_after=not_after,
    )
