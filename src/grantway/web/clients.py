"""A developer's clients (contract, section 3)."""

from collections.abc import Sequence
from datetime import timedelta

from grantway.accounts.account import Kind
from grantway.clients import secret
from grantway.clients.client import Client
from grantway.clients.draft import ClientDraft
from grantway.oauth_error import ALREADY_EXISTS, INVALID_REDIRECT_URI, INVALID_SCOPE, NOT_FOUND, RefusedError
from grantway.web.answer import Answer, iso
from grantway.web.call import Call, Endpoint
from grantway.web.client_bodies import (
    ClientAnswer,
    ClientBody,
    ClientChangeBody,
    NewClientAnswer,
    NewSecretAnswer,
    RegenerateBody,
    StatusBody,
)
from grantway.web.rate_limits import Limited
from grantway.web.sign_in import BASE

PATH = f"{BASE[Kind.DEVELOPER]}/oauth2/clients"
ONE = f"{PATH}/{{either_id}}"
EMPTY_SCOPES = INVALID_SCOPE.saying("scopes must not be an empty list. An app that may ask for anything names all five actions.")


async def create(call: Call) -> Answer:
    """Register a client."""
    body: ClientBody = call.body
    draft = ClientDraft(
        name=body.name,
        description=body.description or "",
        redirect_uris=_listed(body.redirect_uris),
        scopes=_meant(body.scopes, ()),
        required_scopes=body.required_scopes or (),
        auth_method=body.token_endpoint_auth_method,
        require_pkce=body.require_pkce,
    )
    new = await call.house.clients.register(call.account.id, draft, call.now)
    return Answer(201, NewClientAnswer(new.client.client_id, new.client_secret))


def _meant(scopes: list[str] | None, otherwise: Sequence[str]) -> Sequence[str]:
    """What a developer said that the app may ask for. An empty list is no way to open everything: some mean nothing by it."""
    if scopes == []:
        raise RefusedError(EMPTY_SCOPES)
    return otherwise if scopes is None else scopes


async def list_all(call: Call) -> Answer:
    """One's own clients, the oldest first."""
    return Answer(body=[_shown(client) for client in await call.house.clients.of(call.account.id)])


async def read(call: Call) -> Answer:
    """One client of one's own."""
    return Answer(body=_shown(await _mine(call)))


async def change(call: Call) -> Answer:
    """Change what is said about a client."""
    body: ClientChangeBody = call.body
    changed = await call.house.clients.change(await _mine(call), lambda known: _drafted(body, known), call.now)
    return Answer(body=_shown(changed))


def _drafted(body: ClientChangeBody, known: Client) -> ClientDraft:
    """What is said of the client after the change: what the body leaves out stays."""
    return ClientDraft(
        name=known.name if body.name is None else body.name,
        description=known.description if body.description is None else body.description,
        redirect_uris=known.redirect_uris if body.redirect_uris is None else _listed(body.redirect_uris),
        # what was read may be written back: of an app that was registered without scopes that is the empty list
        scopes=known.scopes if body.scopes == list(known.scopes) else _meant(body.scopes, known.scopes),
        required_scopes=known.required_scopes if body.required_scopes is None else body.required_scopes,
        auth_method=body.token_endpoint_auth_method or known.auth_method,
        require_pkce=known.require_pkce if body.require_pkce is None else body.require_pkce,
    )


async def set_status(call: Call) -> Answer:
    """Enable or disable a client."""
    body: StatusBody = call.body
    return Answer(body=_shown(await call.house.clients.set_active(await _mine(call), body.status == 1, call.now)))


async def regenerate_secret(call: Call) -> Answer:
    """Give a new secret; the old one stays good for a while."""
    body: RegenerateBody = call.body
    # one more than may be is refused as such; what is far beyond that no timedelta holds
    overlap = timedelta(seconds=min(body.overlap_seconds, int(secret.MAX_OVERLAP.total_seconds()) + 1))
    new = await call.house.clients.regenerate_secret(await _mine(call), overlap, call.now, is_promise_kept=True)
    return Answer(body=NewSecretAnswer(new.client.client_id, new.client_secret, iso(call.now + overlap)))


async def delete(call: Call) -> Answer:
    """Delete a client; what was issued to it is revoked."""
    await call.house.clients.delete(await _mine(call), call.now)
    return Answer(204)


async def _mine(call: Call) -> Client:
    return await call.house.clients.one(call.account.id, call.parameters["either_id"])


def _listed(uris: str | list[str]) -> list[str]:
    return [uris] if isinstance(uris, str) else uris


def _shown(client: Client) -> ClientAnswer:
    return ClientAnswer(
        id=client.row_id,
        client_id=client.client_id,
        name=client.name,
        description=client.description,
        redirect_uris=client.redirect_uris,
        scopes=client.scopes,
        required_scopes=client.required_scopes,
        token_endpoint_auth_method=client.auth_method,
        require_pkce=client.require_pkce,
        status=int(client.is_active),
        created_at=iso(client.created_at),
        updated_at=iso(client.updated_at),
    )


_SAID = (INVALID_REDIRECT_URI, INVALID_SCOPE)

ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        handler=create,
        summary="Register a client",
        body=ClientBody,
        answer=NewClientAnswer,
        status=201,
        signed_in=Kind.DEVELOPER,
        limited=Limited.CHANGE,
        errors=_SAID,
    ),
    Endpoint(
        method="GET",
        path=PATH,
        handler=list_all,
        summary="One's own clients",
        answer=list[ClientAnswer],
        signed_in=Kind.DEVELOPER,
    ),
    Endpoint(
        method="GET",
        path=ONE,
        handler=read,
        summary="One client, by its row id or client_id",
        answer=ClientAnswer,
        signed_in=Kind.DEVELOPER,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="PUT",
        path=ONE,
        handler=change,
        summary="Change a client",
        body=ClientChangeBody,
        answer=ClientAnswer,
        signed_in=Kind.DEVELOPER,
        limited=Limited.CHANGE,
        errors=(*_SAID, NOT_FOUND),
    ),
    Endpoint(
        method="DELETE",
        path=ONE,
        handler=delete,
        summary="Delete a client; what was issued to it is revoked",
        status=204,
        signed_in=Kind.DEVELOPER,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="PATCH",
        path=f"{ONE}/status",
        handler=set_status,
        summary="Enable or disable a client",
        body=StatusBody,
        answer=ClientAnswer,
        signed_in=Kind.DEVELOPER,
        limited=Limited.CHANGE,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="POST",
        path=f"{ONE}/regenerate-secret",
        handler=regenerate_secret,
        summary="Give a new secret; the old one stays good for a stated overlap",
        body=RegenerateBody,
        body_optional=True,
        answer=NewSecretAnswer,
        signed_in=Kind.DEVELOPER,
        limited=Limited.CHANGE,
        errors=(NOT_FOUND, ALREADY_EXISTS),
    ),
)
