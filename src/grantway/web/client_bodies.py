"""What the endpoints for a developer's clients take and answer (contract, section 3)."""

from typing import Annotated, Literal

import msgspec

from grantway.clients import secret
from grantway.clients.client import AuthMethod


class ClientBody(msgspec.Struct):
    """A new client. `scopes` left out: any permission and any bucket may be asked for."""

    name: str
    redirect_uris: str | list[str]  # the contract has both
    description: str | None = None
    scopes: list[str] | None = None
    required_scopes: list[str] | None = None
    token_endpoint_auth_method: AuthMethod = AuthMethod.JWT
    require_pkce: bool = True


class ClientChangeBody(msgspec.Struct):
    """What changes; what is left out stays."""

    name: str | None = None
    redirect_uris: str | list[str] | None = None
    description: str | None = None
    scopes: list[str] | None = None
    required_scopes: list[str] | None = None
    token_endpoint_auth_method: AuthMethod | None = None
    require_pkce: bool | None = None


class StatusBody(msgspec.Struct):
    """1 = active, 0 = disabled."""

    status: Literal[0, 1]


class RegenerateBody(msgspec.Struct):
    """For how long the old secret stays good."""

    overlap_seconds: Annotated[int, msgspec.Meta(ge=0)] = int(secret.OVERLAP.total_seconds())


class ClientAnswer(msgspec.Struct):
    """A client as its developer sees it; never a secret."""

    id: str
    client_id: str
    name: str
    description: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    required_scopes: tuple[str, ...]
    token_endpoint_auth_method: AuthMethod
    require_pkce: bool
    status: int
    created_at: str
    updated_at: str


class NewClientAnswer(msgspec.Struct):
    """A new client's id and secret. The secret is shown this once."""

    client_id: str
    client_secret: str


class NewSecretAnswer(msgspec.Struct):
    """A new secret, shown this once, and until when the old one is good."""

    client_id: str
    client_secret: str
    old_secret_valid_until: str
