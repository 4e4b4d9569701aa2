"""What a person sees of the apps that have, or had, access: one line an app, each access grant of it, and what it asked when."""

from dataclasses import dataclass
from datetime import datetime

from grantway.clients.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAccess:
    """What one client holds of one person, over all consents that are alive; of the latest one when none is."""

    client: Client
    developer_name: str
    developer_email: str
    approved_scopes: tuple[str, ...]
    allowed: tuple[tuple[str, ...], ...]
    """The scopes of those consents one by one, each list once, the latest first: together they may mean less than their union does."""
    rejected_scopes: tuple[str, ...]
    granted_at: datetime
    last_access_at: datetime | None
    ends_at: datetime
    """When the last of it ends by itself."""
    first_ends_at: datetime
    """When the first of it does: what was allowed once more, for the same project, ends with the later one."""
    is_active: bool
    grants: int
    """How many access grants were issued, but for those that ended long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedGrant:
    """One access grant that an app collected. `id` is the trace id of the exchange: it opens nothing, and the app's developer knows it."""

    id: str
    scopes: tuple[str, ...]
    project_name: str
    """Empty when the project is gone, and every grant for it with it."""
    issued_at: datetime
    ends_at: datetime
    revoked_at: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Whether it opens anything still."""
        return self.revoked_at is None and now < self.ends_at and bool(self.project_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One thing that an app asked of a person. `status` is `pending`, `expired`, `approved`, `rejected` or `revoked`."""

    request_id: str
    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    status: str
    created_at: datetime
    approved_scopes: tuple[str, ...] = ()
    answered_at: datetime | None = None
    """None: never, or before it was kept."""
    ends_at: datetime | None = None
    """Of what was approved: when it ends by itself."""
    revoked_at: datetime | None = None
    is_uncollected: bool = False
    """It was allowed, and for sure the app never had anything of it: its code ended unused."""
