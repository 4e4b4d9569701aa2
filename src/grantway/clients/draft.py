"""What a developer says about a client, and whether it can stand (contract, sections 3 and 4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grantway.clients import redirect_uri
from grantway.clients.client import AuthMethod, Client
from grantway.oauth_error import INVALID_REDIRECT_URI, INVALID_REQUEST, INVALID_SCOPE, OAuthError, RefusedError
from grantway.scopes.meaning import meaning_of, unique
from grantway.scopes.scope import ScopeError

MOST_OF_A_DEVELOPER = 500
# limits of the contract, which has one figure for the scopes of a client and of a request
MAX_NAME = 100
MAX_DESCRIPTION = 1000
MAX_REDIRECT_URIS = 20
MAX_SCOPES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFault:
    """One thing that cannot stand: in which field, and what is said of it. `value` is the one of several that is meant."""

    field: str
    error: OAuthError
    value: str = ""


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
        draft = self._trimmed()
        for first in _faults(draft):
            raise RefusedError(first.error)
        return draft

    def faults(self) -> list["DraftFault"]:
        """All that `checked` would refuse, so that it can be mended at once."""
        return list(_faults(self._trimmed()))

    def _trimmed(self) -> "ClientDraft":
        return replace(
            self,
            name=self.name.strip(),
            description=self.description.strip(),
            redirect_uris=unique(self.redirect_uris),
            scopes=unique(self.scopes),
            required_scopes=unique(self.required_scopes),
        )

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


def _faults(draft: ClientDraft) -> Iterator[DraftFault]:
    yield from _of_texts(draft)
    yield from _of_redirect_uris(draft)
    yield from _of_scopes(draft)
    if draft.auth_method is AuthMethod.NONE and not draft.require_pkce:
        sentence = "A public client (token_endpoint_auth_method none) cannot do without PKCE."
        yield DraftFault(field="require_pkce", error=INVALID_REQUEST.saying(sentence))


def _of_texts(draft: ClientDraft) -> Iterator[DraftFault]:
    if not 0 < len(draft.name) <= MAX_NAME or not draft.name.isprintable():
        yield DraftFault(field="name", error=INVALID_REQUEST.saying(f"name must be 1 to {MAX_NAME} printable characters."))
    printable = draft.description.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
    if len(draft.description) > MAX_DESCRIPTION or not printable:
        sentence = f"description must be at most {MAX_DESCRIPTION} printable characters."
        yield DraftFault(field="description", error=INVALID_REQUEST.saying(sentence))


def _of_redirect_uris(draft: ClientDraft) -> Iterator[DraftFault]:
    if not 0 < len(draft.redirect_uris) <= MAX_REDIRECT_URIS:
        sentence = f"A client has 1 to {MAX_REDIRECT_URIS} redirect URIs."
        yield DraftFault(field="redirect_uris", error=INVALID_REDIRECT_URI.saying(sentence))
        return
    for uri in draft.redirect_uris:
        fault = redirect_uri.fault(uri)
        if fault is not None:
            yield DraftFault(field="redirect_uris", error=INVALID_REDIRECT_URI.saying(fault), value=uri)


def _of_scopes(draft: ClientDraft) -> Iterator[DraftFault]:
    """Whether the required ones lie within the others can only be said once all are understood."""
    each = {"scopes": draft.scopes, "required_scopes": draft.required_scopes}
    unclear = [fault for field, scopes in each.items() if (fault := _unclear(field, scopes))]
    yield from unclear
    if unclear or not draft.scopes:
        return
    registered, required = meaning_of(draft.scopes), meaning_of(draft.required_scopes)
    if not registered.gives_a_permission:
        sentence = "Bucket scopes alone give no permission; add read, write, list, delete or lock."
        yield DraftFault(field="scopes", error=INVALID_SCOPE.saying(sentence))
    # no required place means that none is required; `lies_within` would take it for the whole project
    if not (required.actions <= registered.actions and (not required.places or required.lies_within(registered.places))):
        yield DraftFault(field="required_scopes", error=INVALID_SCOPE.saying("required_scopes must lie within scopes."))


def _unclear(field: str, scopes: Sequence[str]) -> DraftFault | None:
    if len(scopes) > MAX_SCOPES:
        return DraftFault(field=field, error=INVALID_SCOPE.saying(f"A client has at most {MAX_SCOPES} scopes."))
    for text in scopes:
        try:
            meaning_of([text])
        except ScopeError as error:
            return DraftFault(field=field, error=INVALID_SCOPE.saying(str(error)), value=text)
    return None
