"""`POST /oauth2/introspect`: what is this key worth now? For the client that it was issued to, and for resource servers (RFC 7662)."""

import hmac

import msgspec

from grantway.oauth_error import INVALID_CLIENT, OAuthError
from grantway.tokens.token_request import Refused
from grantway.tokens.token_state import Alive
from grantway.web import client_credentials
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.client_credentials import ClientForm
from grantway.web.rate_limits import Limited

PATH = "/oauth2/introspect"


class IntrospectionForm(ClientForm, kw_only=True):
    """The key that is asked about (RFC 7662 section 2.1): an API key or an access grant."""

    token: str
    token_type_hint: str | None = None


class IntrospectionAnswer(msgspec.Struct, omit_defaults=True):
    """What the key is worth (RFC 7662 section 2.2): `active` alone when nothing. Times are Unix seconds; `max_object_ttl`, ours, is the
    longest life in seconds of what is uploaded with it."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    nbf: int | None = None
    sub: str | None = None
    iss: str | None = None
    max_object_ttl: int | None = None


async def introspect(call: Call) -> Answer:
    """Say what a key is worth; a key that is none of the caller's business is answered as one that there never was."""
    form: IntrospectionForm = call.body
    if _is_resource_server(call, form):
        return _answer(call, await call.house.introspection.state(form.token, call.now))
    request = client_credentials.token_request(call, form, form.token)
    outcome = await call.house.introspection.for_client(request, call.now)
    if isinstance(outcome, Refused):
        call.trail = outcome.trail
        call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, request.client_id)
        return refused(call, outcome.error)
    return _answer(call, outcome)


def refused(call: Call, error: OAuthError) -> Answer:
    """A refusal: every failed authentication is `invalid_client` here."""
    return client_credentials.refused(call, INVALID_CLIENT if error.status == 401 else error)


def _is_resource_server(call: Call, form: ClientForm) -> bool:
    """Whether the operator's token for resource servers came, and no client's credentials beside it."""
    token = call.house.introspection_token
    scheme, _, presented = call.headers.get("authorization", "").partition(" ")
    # without a token of the operator's nobody is one: an empty Bearer would equal it
    is_right = bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(presented.strip().encode(), token.encode())
    return is_right and form.client_secret is None and form.client_assertion is None


def _answer(call: Call, alive: Alive | None) -> Answer:
    if alive is None:
        return Answer(body=IntrospectionAnswer(active=False))
    issued = alive.ancestry.issued_at
    return Answer(
        body=IntrospectionAnswer(
            active=True,
            scope=None if alive.scopes is None else " ".join(alive.scopes),
            client_id=alive.ancestry.client.client_id,
            token_type="Bearer",  # noqa: S106 - a type, not a secret
            exp=alive.not_after,
            iat=None if issued is None else int(issued.timestamp()),
            nbf=alive.not_before,
            sub=alive.ancestry.consent.user_id,
            iss=call.house.issuer,
            max_object_ttl=alive.max_object_ttl,
        )
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        handler=introspect,
        summary="What an API key is worth now (RFC 7662)",
        body=IntrospectionForm,
        form=True,
        answer=IntrospectionAnswer,
        limited=Limited.TOKEN_REQUEST,
        diagnosed="introspect",
        refused=refused,
        errors=(INVALID_CLIENT,),
    ),
)
