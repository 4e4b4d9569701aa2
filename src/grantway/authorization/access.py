"""What a person sees of the apps that have, or had, access: one line an app, and what each app asked when."""

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
    rejected_scopes: tuple[str, ...]
    granted_at: datetime
    last_access_at: datetime | None
    ends_at: datetime
    is_active: bool
    grants: int
    """How many access grants were issued, but for those that ended long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One thing that an app asked of a person. `status` is `pending`, `expired`, `approved`, `rejected` or `revoked`."""

    request_id: str
    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    status: str
    created_at: datetime
