"""What a developer says about a client, and whether it can stand (contract, sections 3 and 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grantway.clients import redirect_uri
from grantway.clients.client import AuthMethod, Client
from grantway.oauth_error import INVALID_REDIRECT_URI, INVALID_REQUEST, INVALID_SCOPE, RefusedError
from grantway.scopes.meaning import Meaning, meaning_of, unique
from grantway.scopes.scope import ScopeError

MAX_NAME = 100
MAX_DESCRIPTION = 1000
MAX_REDIRECT_URIS = 20
MAX_SCOPES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDraft:
    """Name, description, redirect URIs, scopes, and how it authenticates, as they were said."""

    name: str
    description: str = ""
    redirect_uris: Sequence[str]
    scopes: Sequence[str] = ()
    required_scopes: Sequence[str] = ()
    auth_method: AuthMethod = AuthMethod.JWT
    require_pkce: bool = True

    def checked(self) -> "ClientDraft":
        """The same, trimmed and each thing once. Refuses with `invalid_request`, `invalid_redirect_uri` or `invalid_scope`."""
        draft = replace(
            self,
            name=self.name.strip(),
            description=self.description.strip(),
            redirect_uris=unique(self.redirect_uris),
            scopes=unique(self.scopes),
            required_scopes=unique(self.required_scopes),
        )
        _check_texts(draft)
        _check_redirect_uris(draft)
        _check_scopes(draft)
        _check_pkce(draft)
        return draft

    def as_client(self, *, row_id: str, client_id: str, developer_id: str, now: datetime) -> Client:
        """The active client that a checked draft describes."""
        return Client(
            row_id=row_id,
            client_id=client_id,
            developer_id=developer_id,
            name=self.name,
            description=self.description,
            redirect_uris=tuple(self.redirect_uris),
            scopes=tuple(self.scopes),
            required_scopes=tuple(self.required_scopes),
            is_active=True,
            created_at=now,
            updated_at=now,
            auth_method=self.auth_method,
            require_pkce=self.require_pkce,
        )


def _check_texts(draft: ClientDraft) -> None:
    if not 0 < len(draft.name) <= MAX_NAME or not draft.name.isprintable():
        raise RefusedError(INVALID_REQUEST.saying(f"name must be 1 to {MAX_NAME} printable characters."))
    printable = draft.description.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
    if len(draft.description) > MAX_DESCRIPTION or not printable:
        raise RefusedError(INVALID_REQUEST.saying(f"description must be at most {MAX_DESCRIPTION} printable characters."))


def _check_redirect_uris(draft: ClientDraft) -> None:
    if not 0 < len(draft.redirect_uris) <= MAX_REDIRECT_URIS:
        raise RefusedError(INVALID_REDIRECT_URI.saying(f"A client has 1 to {MAX_REDIRECT_URIS} redirect URIs."))
    for uri in draft.redirect_uris:
        fault = redirect_uri.fault(uri)
        if fault is not None:
            raise RefusedError(INVALID_REDIRECT_URI.saying(fault))


def _check_scopes(draft: ClientDraft) -> None:
    if max(len(draft.scopes), len(draft.required_scopes)) > MAX_SCOPES:
        raise RefusedError(INVALID_SCOPE.saying(f"A client has at most {MAX_SCOPES} scopes."))
    registered, required = _meaning(draft.scopes), _meaning(draft.required_scopes)
    if draft.scopes and not registered.gives_a_permission:
        raise RefusedError(INVALID_SCOPE.saying("Bucket scopes alone give no permission; add read, write, list, delete or lock."))
    if draft.scopes and not (required.actions <= registered.actions and (not required.places or required.lies_within(registered.places))):
        raise RefusedError(INVALID_SCOPE.saying("required_scopes must lie within scopes."))


def _check_pkce(draft: ClientDraft) -> None:
    if draft.auth_method is AuthMethod.NONE and not draft.require_pkce:
        raise RefusedError(INVALID_REQUEST.saying("A public client (token_endpoint_auth_method none) cannot do without PKCE."))


def _meaning(scopes: Sequence[str]) -> Meaning:
    try:
        return meaning_of(scopes)
    except ScopeError as error:
        raise RefusedError(INVALID_SCOPE.saying(str(error))) from None
