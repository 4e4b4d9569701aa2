"""What an app has in the end: the credential, and what it allows."""

from dataclasses import dataclass, field
from datetime import datetime

from grantway.connect.allows import Allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the person allowed, to be kept like a password.

    `access_grant` is what Storj's tools read; None when nobody gave a passphrase, and then there is only the `api_key`, which reaches
    files but opens none. `scopes` are the server's words; `allows` is read from the credential itself. `expires_at` is by this machine's
    clock, so that it can be compared with it; `allows.not_after` is the moment that the satellite goes by.
    """

    access_grant: str | None = field(repr=False)
    api_key: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime
    allows: Allows
