"""From consent to access grant: arithmetic, no I/O (design of the key chain: docs/architecture.md)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grantway.access_grant import AccessGrant, ApiKey, Caveat, Timestamp
from grantway.authorization.opening import Opening

NONCE_BYTES = 16  # libuplink takes 4; here a tail is a handle, and must be unlike any other
STARTED_AGO = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentKey:
    """What a project's grants descend from: its API key, the salt of its encryption, and where its satellite is."""

    api_key: ApiKey
    salt: bytes = field(repr=False)
    satellite_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedGrant:
    """An API key, the access grant around it when the encryption key is known, and what is recorded of both: the grant's own caveat
    and the tail that this makes (32 bytes)."""

    api_key: ApiKey = field(repr=False)
    access_grant: str | None = field(repr=False)
    caveat: bytes = field(repr=False)
    tail: bytes = field(repr=False)
    not_after: datetime


def issue(
    parent: ParentKey, consent_caveat: bytes, opened: Opening | None, nonce: bytes, now: datetime, not_after: datetime
) -> IssuedGrant:
    """Issue a grant below a consent. `opened` is None when the encryption key is not known; `nonce` is 16 random bytes.

    The grant caveat carries the encrypted prefixes, because they differ from passphrase to passphrase; actions, buckets and the
    consent's end stand in the consent's caveat above it. Where a prefix was approved, `opened` must not be None.
    """
    caveat = Caveat(
        allowed_paths=opened.paths if opened else (),
        not_before=Timestamp.of(now.replace(microsecond=0) - STARTED_AGO),
        not_after=Timestamp.of(not_after),
        nonce=nonce,
    )
    written = caveat.serialise()
    # two caveats, so that revoking the consent's tail kills all grants, and revoking this one's only this one
    api_key = parent.api_key.restrict(consent_caveat).restrict(written)
    return IssuedGrant(
        api_key=api_key,
        access_grant=AccessGrant(parent.satellite_address, api_key, opened.access).serialise() if opened else None,
        caveat=written,
        tail=api_key.tail,
        not_after=not_after,
    )
