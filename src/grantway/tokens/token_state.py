"""What an API key still is: alive or not, and what its whole chain still allows, said in scopes. Decided without I/O (RFC 7662)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from grantway.access_grant import AllowedPath, ApiKey, Caveat, Malformed, Timestamp
from grantway.authorization.consent import Consent
from grantway.clients.client import Client
from grantway.scopes import scope
from grantway.scopes.meaning import Meaning, meaning_of, permission
from grantway.scopes.scope import ActionScope, Place

MOST_CAVEATS = 1000
"""Of a key that is looked at: each costs some work, and a form has room for 14,000."""
MOST_PATHS = 300
"""Places in all caveats together; with more, as only somebody makes who means harm, no scope is said."""

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """What a key descends from: a consent, the client that it was given to, and, when the code was exchanged, the access grant; and
    whether a tail of its chain is revoked."""

    client: Client
    consent: Consent
    is_revoked: bool
    grant_tail_digest: bytes | None = field(default=None, repr=False)
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A genuine key with SHA-256 of every tail, the root's first and its own last."""

    api_key: ApiKey = field(repr=False)
    tail_digests: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """What may be told of a key that opens something now.

    `scopes` is None when what it allows cannot be said in plain: only the key's holder knows what an encrypted prefix stands for.
    `not_before` and `not_after` are Unix seconds, both inclusive; `max_object_ttl` bounds the life of what is uploaded, in seconds.
    """

    ancestry: Ancestry
    scopes: tuple[str, ...] | None
    not_before: int | None
    not_after: int | None
    max_object_ttl: int | None


def judge(chain: Chain, ancestry: Ancestry | None, now: datetime) -> Alive | None:
    """Decide whether the key is alive; None when not. `ancestry` is None when no consent stands above it, or client or project are gone."""
    # 1. it was issued here, and nothing above it was taken back
    if ancestry is None or ancestry.consent.withdrawn_at is not None or ancestry.is_revoked:
        return None
    # 2. every caveat can be read, as a satellite reads it
    caveats = _parsed(chain.api_key.caveats)
    if caveats is None:
        return None
    # 3. and holds now
    moment = Timestamp.of(now).total_nanos
    starts = [one.not_before.total_nanos for one in caveats if one.not_before is not None]
    ends = [one.not_after.total_nanos for one in caveats if one.not_after is not None]
    if any(moment < start for start in starts) or any(moment > end for end in ends):
        return None
    lives = [one.max_object_ttl.total_nanos // _SECOND for one in caveats if one.max_object_ttl is not None]
    return Alive(
        ancestry=ancestry,
        scopes=_scopes(caveats, chain, ancestry),
        # up, and the end down: what is said never goes beyond what the key is worth
        not_before=-(-max(starts) // _SECOND) if starts else None,
        not_after=min(ends) // _SECOND if ends else None,
        max_object_ttl=min(lives, default=None),
    )


def _parsed(written: Iterable[bytes]) -> list[Caveat] | None:
    try:
        return [Caveat.parse(one) for one in written]
    except Malformed:
        return None


def _scopes(caveats: Sequence[Caveat], chain: Chain, ancestry: Ancestry) -> tuple[str, ...] | None:
    """What is left of the consent's scopes, in its own words where they still stand; never more than the key allows."""
    # they are compared each with each
    if sum(len(one.allowed_paths) for one in caveats) > MOST_PATHS:
        return None
    meaning = meaning_of(ancestry.consent.scopes)
    left = {action for action in meaning.actions if _is_open(action, caveats)}
    paths = _common(caveats)
    if paths is None:
        return tuple(text for text in ancestry.consent.scopes if scope.parse(text) in left)
    if not left or not paths:
        return ()
    named = _names(caveats, chain, ancestry, meaning)
    places = [place for place in dict.fromkeys(_place(path, named) for path in paths) if place is not None]
    # without a place the scopes would mean the whole project
    if not places:
        return None
    said = [text for text in ancestry.consent.scopes if (one := scope.parse(text)) in left or one in places]
    return (*said, *(str(place) for place in places if place not in meaning.places))


def _is_open(action: ActionScope, caveats: Iterable[Caveat]) -> bool:
    """Whether every flag that the action opens is open in the whole chain."""
    closed = _CLOSED[action]
    return not any(getattr(one, flag) for one in caveats for flag in closed)


def _common(caveats: Iterable[Caveat]) -> list[AllowedPath] | None:
    """The places that every caveat allows, each as narrow as the narrowest says; None for the whole project."""
    common: list[AllowedPath] | None = None
    for one in caveats:
        paths = list(dict.fromkeys(one.allowed_paths))
        if paths:
            common = paths if common is None else list(dict.fromkeys(_narrower(common, paths)))
    return common


def _narrower(some: Sequence[AllowedPath], others: Sequence[AllowedPath]) -> Iterable[AllowedPath]:
    for one in some:
        for other in others:
            if other.covers(one.bucket, one.encrypted_prefix):
                yield one
            elif one.covers(other.bucket, other.encrypted_prefix):
                yield other


def _names(caveats: Sequence[Caveat], chain: Chain, ancestry: Ancestry, meaning: Meaning) -> Mapping[AllowedPath, Place]:
    """What encrypted prefixes stand for, as far as the consent tells: the grant's caveat has them in the order of its places."""
    digests = list(chain.tail_digests)
    at = digests.index(ancestry.grant_tail_digest) if ancestry.grant_tail_digest in digests else 0
    # the root's tail comes first and belongs to no caveat
    encrypted = caveats[at - 1].allowed_paths if at else ()
    if len(encrypted) != len(meaning.places):
        return {}
    return dict(zip(encrypted, meaning.places, strict=True))


def _place(path: AllowedPath, named: Mapping[AllowedPath, Place]) -> Place | None:
    """The place as a scope names it; None for a prefix that only its holder can read, and for what can be no bucket's name."""
    nameable = not path.encrypted_prefix and path.bucket and b"/" not in path.bucket
    return named.get(path) or (Place(path.bucket) if nameable else None)


def _closed_without(action: ActionScope) -> tuple[str, ...]:
    alone = permission(Meaning(frozenset({action}), ())).caveat((), b"")
    return tuple(one.name for one in fields(alone) if one.name.startswith("disallow_") and not getattr(alone, one.name))


# from the one place that says which flags an action opens (decision 0007)
_CLOSED = {action: _closed_without(action) for action in ActionScope}
"""For each action the flags that it needs open."""
