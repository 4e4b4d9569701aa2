"""A client's secret: sealed, not hashed, because an HMAC can only be verified with the secret itself."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from grantway.sealing import Sealing

WHAT = "client secret"
OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=30)
KEPT_FOR_DIAGNOSIS = timedelta(days=30)  # so that who still signs with an old one is told so
MOST_KEPT = 10
"""Of a client's secrets, the newest: each token request that names the client reads all of them."""
MIN_LENGTH = 16  # findings show what is shorter, because it can be no secret (`diagnosis.veil`)
MAX_LENGTH = 1024


class Renewal(Enum):
    """What became of a new secret, told apart inside its transaction."""

    ADDED = auto()
    OVERTAKEN = auto()
    """Another one was made meanwhile."""
    PROMISED = auto()
    """One from before the current one is still good, as its developer was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """One version of a client's secret. `live_until` is None for the current one."""

    version: int
    sealed: bytes = field(repr=False)
    live_until: datetime | None
    handed_out_digest: bytes | None = field(default=None, repr=False)
    """SHA-256 of the secret as it was handed out or taken over; None where that was not recorded or not asked for."""

    def is_live(self, now: datetime) -> bool:
        """Whether it still authenticates."""
        return self.live_until is None or now < self.live_until


def sealed(sealing: Sealing, client_row_id: str, version: int, text: str, nonce: bytes) -> ClientSecret:
    """The secret `text` as it is stored for a client, as its current version."""
    key = text.encode()
    wrapped = sealing.seal(key, WHAT, whose(client_row_id, version), nonce)
    return ClientSecret(version=version, sealed=wrapped, live_until=None, handed_out_digest=digest(key))


def digest(key: bytes) -> bytes:
    """What tells a secret from another without holding it: SHA-256, 32 bytes."""
    return hashlib.sha256(key).digest()


def whose(client_row_id: str, version: int) -> str:
    """Whom a sealed secret belongs to: this version of this client's, so that swapped rows do not open."""
    return f"{client_row_id}/{version}"


def is_acceptable(text: str) -> bool:
    """Whether a secret from elsewhere can be taken over: 16 to 1,024 characters, printable ASCII, no white space."""
    return MIN_LENGTH <= len(text) <= MAX_LENGTH and text.isascii() and text.isprintable() and " " not in text
