"""From consent to access grant: arithmetic, no I/O (design of the key chain: docs/architecture.md)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grantway.access_grant import AccessGrant, AllowedPath, ApiKey, Caveat, EncryptionAccess, Timestamp
from grantway.authorization.consent import buckets
from grantway.scopes.meaning import Meaning

NONCE_BYTES = 16
STARTED_AGO = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentKey:
    """What a project's grants descend from: its API key, the salt of its encryption, and where its satellite is."""

    api_key: ApiKey
    salt: bytes = field(repr=False)
    satellite_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedGrant:
    """An access grant as text, and what is recorded of it: its own caveat and the tail that this makes (32 bytes)."""

    access_grant: str = field(repr=False)
    caveat: bytes = field(repr=False)
    tail: bytes = field(repr=False)
    not_after: datetime


def issue(
    parent: ParentKey, consent_caveat: bytes, meaning: Meaning, root_key: bytes, nonce: bytes, now: datetime, not_after: datetime
) -> IssuedGrant:
    """Issue a grant below a consent. `root_key` is the project's for one passphrase (32 bytes), `nonce` 16 random bytes.

    The grant caveat carries the encrypted prefixes, because they differ from passphrase to passphrase; actions, buckets and the
    consent's end stand in the consent's caveat above it. The encryption access is narrowed to what both allow.
    """
    whole = EncryptionAccess.from_root_key(root_key)
    caveat = Caveat(
        allowed_paths=_paths(meaning, whole),
        not_before=Timestamp.of(now.replace(microsecond=0) - STARTED_AGO),
        not_after=Timestamp.of(not_after),
        nonce=nonce,
    )
    written = caveat.serialise()
    api_key = parent.api_key.restrict(consent_caveat).restrict(written)
    # the places of both caveats are at hand: reading them again from the bytes would cost more than all the rest
    narrowed = whole.limit_to([Caveat(allowed_paths=buckets(meaning)), caveat])
    grant = AccessGrant(parent.satellite_address, api_key, narrowed)
    return IssuedGrant(access_grant=grant.serialise(), caveat=written, tail=api_key.tail, not_after=not_after)


def _paths(meaning: Meaning, whole: EncryptionAccess) -> tuple[AllowedPath, ...]:
    """The places with their prefixes encrypted; none when no prefix was approved, for the consent's caveat names the buckets already."""
    if not any(place.prefix for place in meaning.places):
        return ()
    return tuple(AllowedPath(place.bucket, whole.encrypt_prefix(place.bucket, place.prefix + b"/")) for place in meaning.places)
