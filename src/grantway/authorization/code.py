"""The authorization code: 256 random bits in the app's hands, their digest in ours, good once and for 30 seconds."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grantway.authorization.consent import Consent

LIFETIME = timedelta(seconds=30)
REMEMBERED = timedelta(days=1)
"""How long after its end an unused code is still told from one that never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code as we keep it, with the consent that it stands for. `used_by` is the digest of the JWT that claimed it."""

    digest: bytes
    consent: Consent
    redirect_uri: str
    code_challenge: str | None
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_by: bytes | None = None
    has_project: bool = True
    """Whether the consent's project is still there."""
    sealed_opening: bytes | None = field(default=None, repr=False)
    """What the person's passphrase opens, sealed under the code itself; None when none was given."""

    def is_fresh(self, now: datetime) -> bool:
        """Whether it is in time. One that was made long after now is not: where a clock was set back it would live as long as that took."""
        return self.issued_at - LIFETIME <= now < self.expires_at
