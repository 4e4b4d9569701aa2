"""A token request as it came, what is known of who sent it, and what it is answered with."""

from dataclasses import dataclass, field

from grantway.access_grant import ApiKey
from grantway.clients.client import AuthMethod, Client
from grantway.clients.secret import ClientSecret
from grantway.oauth_error import OAuthError
from grantway.trail import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A token request as it came (contract, section 1). `client_secret` is a JWT."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str | None
    code: str = field(repr=False)
    passphrase: str | None = field(default="", repr=False)
    """None (standard flow only): the encryption key is not known, unless the person gave the passphrase at consent."""
    code_verifier: str | None = field(default=None, repr=False)
    trace_id: str = ""
    method: AuthMethod = AuthMethod.JWT
    """Another than the JWT: `client_secret` is the secret itself, or empty for a public client."""
    is_rfc7523: bool = False
    is_in_url: bool = False
    """The JWT came in the URL of the integration page; it identifies the client there, and is good for nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClient:
    """What is known under a claimed client_id; `client` is None and `secrets` empty when nothing is."""

    client: Client | None
    secrets: tuple[ClientSecret, ...]
    consumed_by: bytes | None
    """The digest of the code that the presented assertion was used for before; its own digest when it stood in a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The access grant, what it is for, how many seconds it lives, and what the app should be warned of."""

    api_key: ApiKey = field(repr=False)
    access_grant: str | None = field(repr=False)
    """None when the encryption key is not known; never in an answer of v0."""
    scopes: tuple[str, ...]
    expires_in: int
    warnings: tuple[str, ...]
    client: Client
    trail: Trail


@dataclass(frozen=True, slots=True)
class Checked:
    """A dry run that would have been granted."""

    client: Client
    trail: Trail


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer, and the trail of checks that led to it."""

    error: OAuthError
    trail: Trail
