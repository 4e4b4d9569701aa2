"""May this app ask this person for that? Decided without I/O (contract, section 2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from urllib.parse import quote

from grantway.authorization import pkce
from grantway.clients import redirect_uri
from grantway.clients.client import Client
from grantway.clients.draft import MAX_SCOPES
from grantway.oauth_error import (
    CLIENT_INACTIVE,
    FORBIDDEN,
    INVALID_CLIENT_ID,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    INVALID_SCOPE,
    OAuthError,
)
from grantway.scopes.meaning import Meaning, meaning_of
from grantway.scopes.scope import ScopeError
from grantway.trail import Trail

LIFETIME = timedelta(seconds=60)
PAGE_LIFETIME = timedelta(minutes=10)
"""Of a request that one of our own pages made; it is bound to the browser's session."""
MAX_STATE = 4096
MAX_PLACES_WRITTEN = 24_000
"""Characters of all places together, each as a form has it, encoded once more: the form of the consent page, which has them all, must
leave room for what the person types, and be no longer than a body may be."""


class Status(StrEnum):
    """What has become of a request."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class AnswerOutcome(Enum):
    """What became of an answer to a request, told apart inside its transaction."""

    RECORDED = auto()
    NOT_PENDING = auto()
    """It was answered before: deleting the person's account, or the client, answers it too."""
    CLIENT_INACTIVE = auto()
    """The client was disabled between judging and storing."""
    REDIRECT_URI_GONE = auto()
    """The client's redirect URI was taken off between judging and storing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an app asks for, as it came."""

    client_id: str
    redirect_uri: str
    scopes: Sequence[str]
    state: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    project_id: str | None = None
    is_from_integration: bool = False
    """The app sent the person to StorX's integration page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A request that may be put to the person: what was asked, of whom, and until when it can be answered."""

    id: str
    client: Client
    user_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    code_challenge: str | None
    project_id: str | None
    created_at: datetime
    expires_at: datetime
    status: Status
    session_digest: bytes | None = field(default=None, repr=False)
    """The session whose page asked; None: any of the person's."""
    is_from_integration: bool = False


@dataclass(frozen=True, slots=True)
class Askable:
    """The request may be put to the person."""

    client: Client
    meaning: Meaning
    trail: Trail


@dataclass(frozen=True, slots=True)
class NotAskable:
    """It may not; the app hears `error`, without a redirect."""

    error: OAuthError
    trail: Trail


# the first check stands first: of an unknown client all others are not reached
ANSWER = {
    "client_known": INVALID_CLIENT_ID,
    "client_active": CLIENT_INACTIVE,
    "redirect_uri_registered": INVALID_REDIRECT_URI.saying("redirect_uri is not one that this client has registered."),
    "scopes_understood": INVALID_SCOPE,
    "scopes_give_a_permission": INVALID_SCOPE.saying(
        "Bucket scopes alone give no permission; ask for read, write, list, delete or lock too."
    ),
    "scopes_registered": INVALID_SCOPE.saying("The scopes go beyond those that this client has registered."),
    "scopes_short": INVALID_SCOPE.saying("The scopes are too long together; name fewer places, or a bucket in the place of its prefixes."),
    "pkce_usable": INVALID_REQUEST.saying("code_challenge must be the 43 characters of an S256 challenge, code_challenge_method S256."),
    "state_short": INVALID_REQUEST.saying(f"state must have at most {MAX_STATE} characters."),
    "project_owned": FORBIDDEN.saying("This project is not yours."),
}
_NO_SCOPE = INVALID_SCOPE.saying("scope is missing or empty; ask for read, write, list, delete or lock.")


def judge(asked: Asked, client: Client | None, owned_projects: Collection[str]) -> Askable | NotAskable:
    """Decide on a request. `client` is None when no client has that id; `owned_projects` are the ids of the person's projects."""
    trail = Trail()
    # 1. who asks
    if not trail.check("client_known", client is not None) or client is None:
        trail.not_reached(*list(ANSWER)[1:])
        return NotAskable(INVALID_CLIENT_ID, trail)
    trail.check("client_active", client.is_active)
    trail.check("redirect_uri_registered", redirect_uri.is_registered(asked.redirect_uri, client.redirect_uris))
    # 2. for what
    meaning, fault = understood(asked.scopes)
    if trail.check("scopes_understood", meaning is not None, why=fault) and meaning is not None:
        trail.check("scopes_give_a_permission", meaning.gives_a_permission)
        trail.check("scopes_registered", is_registered(meaning, client))
        written = sum(len(quote(str(place), safe="")) for place in meaning.places)
        trail.check("scopes_short", written <= MAX_PLACES_WRITTEN, characters=written)
    # 3. and how
    trail.check("pkce_usable", _pkce_usable(asked))
    trail.check("state_short", asked.state is None or len(asked.state) <= MAX_STATE)
    trail.check("project_owned", asked.project_id is None or asked.project_id in owned_projects)
    first = trail.first_failed
    if meaning is None or first is not None:
        return NotAskable(_error(first or "scopes_understood", asked, fault), trail)
    return Askable(client, meaning, trail)


def _error(failed: str, asked: Asked, fault: str | None) -> OAuthError:
    """How a failed check is answered; `fault` is why the scopes mean nothing."""
    if failed == "scopes_give_a_permission" and not asked.scopes:
        return _NO_SCOPE
    return ANSWER[failed].saying(fault) if failed == "scopes_understood" and fault else ANSWER[failed]


def understood(scopes: Sequence[str]) -> tuple[Meaning | None, str | None]:
    """What the scopes mean, or None and why they mean nothing."""
    if len(scopes) > MAX_SCOPES:
        return None, f"A request has at most {MAX_SCOPES} scopes."
    try:
        return meaning_of(scopes), None
    except ScopeError as error:
        return None, str(error)


def is_registered(meaning: Meaning, client: Client) -> bool:
    """Whether the client may ask for this: with no scopes registered, for anything."""
    # by meaning, never as text: `bucket:a` lies within what `bucket:a` and `bucket:b` allow (contract, section 4)
    return not client.scopes or meaning.within(meaning_of(client.scopes))


def required_of(scopes: Sequence[str], client: Client) -> tuple[str, ...]:
    """Those of the scopes that the client cannot do without, by meaning."""
    required = meaning_of(client.required_scopes)
    return tuple(text for text in scopes if _is_among(meaning_of([text]), required))


def _is_among(one: Meaning, required: Meaning) -> bool:
    return bool(one.actions and one.actions <= required.actions) or bool(one.places and set(one.places) <= set(required.places))


def _pkce_usable(asked: Asked) -> bool:
    if asked.code_challenge is None:
        return asked.code_challenge_method is None
    # no method means S256 here; the standard flow refuses that, where it means plain (RFC 7636 section 4.3)
    return pkce.is_challenge(asked.code_challenge) and asked.code_challenge_method in {None, pkce.METHOD}
