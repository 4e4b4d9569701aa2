"""What storage finds for a diagnosis: clients with their secrets, still sealed."""

from dataclasses import dataclass

from grantway.clients.client import Client
from grantway.clients.secret import ClientSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedClient:
    """The client under a claimed client_id, a deleted one too, with all its secrets that are kept, the newest first."""

    client: Client
    is_deleted: bool
    secrets: tuple[ClientSecret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """The current secret of a client, sealed."""

    client: Client
    secret: ClientSecret
