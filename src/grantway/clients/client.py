"""A client: an app that a developer registered, with where it may be sent back to and what it may ask for."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto

MAX_CLIENT_ID = 100


class AuthMethod(StrEnum):
    """How a client authenticates at the standard token endpoint (RFC 7591 section 2). A JWT signed with the secret is always good."""

    JWT = "client_secret_jwt"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"


class Registration(Enum):
    """What became of a new client, told apart inside its transaction."""

    ADDED = auto()
    TAKEN = auto()
    """The client_id is or was another's."""
    TOO_MANY = auto()
    DEVELOPER_GONE = auto()
    """The developer's account was deleted between reading and storing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One registered app. Without `scopes` it may ask for any permission and any bucket."""

    row_id: str
    client_id: str
    developer_id: str
    name: str
    description: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    required_scopes: tuple[str, ...]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    auth_method: AuthMethod = AuthMethod.JWT
    require_pkce: bool = True
    """Whether a request at the standard flow must bring a PKCE challenge; always so for a public client."""


def is_client_id(text: str) -> bool:
    """Whether this can be a client_id: 1 to 100 printable ASCII characters, no white space."""
    return 0 < len(text) <= MAX_CLIENT_ID and text.isascii() and text.isprintable() and " " not in text
