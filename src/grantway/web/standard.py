"""The standard token endpoint and the metadata that lead any OAuth client to it (RFC 6749 section 4.1.3, 7523, 8414, 9207)."""

import msgspec

from grantway.clients import assertion
from grantway.clients.client import AuthMethod
from grantway.oauth_error import (
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    UNSUPPORTED_GRANT_TYPE,
    OAuthError,
    RefusedError,
)
from grantway.scopes.scope import ActionScope
from grantway.tokens.token_request import Granted, Refused, TokenRequest
from grantway.web import client_credentials, introspect
from grantway.web.answer import Answer
from grantway.web.authorize import AUTHORIZE
from grantway.web.call import Call, Endpoint
from grantway.web.client_credentials import ClientForm
from grantway.web.rate_limits import Limited
from grantway.web.token import TRACE_HEADER

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, not a secret
REVOCATION_PATH = "/oauth2/revoke"
METADATA_PATH = "/.well-known/oauth-authorization-server"

_STANDARD = {
    "client_secret_expired": INVALID_CLIENT,
    "invalid_code": INVALID_GRANT,
    "code_expired": INVALID_GRANT.saying("The code has expired; ask the user again."),
    "code_already_used": INVALID_GRANT.saying("The code has been used before; a code is good for one exchange."),
    "invalid_redirect_uri": INVALID_GRANT.saying("redirect_uri is not the one that the code was issued for."),
    "no_project": INVALID_GRANT.saying("The user has no project to give access to."),
}
"""What the errors of v0 are called here (RFC 6749 section 5.2)."""


class TokenForm(ClientForm, kw_only=True):
    """What a client sends (RFC 6749 section 4.1.3); `passphrase` is ours."""

    grant_type: str
    code: str = ""
    redirect_uri: str | None = None
    code_verifier: str | None = None
    passphrase: str | None = None


class RevocationForm(ClientForm, kw_only=True):
    """What a client sends to revoke (RFC 7009 section 2.1): an API key or an access grant."""

    token: str
    token_type_hint: str | None = None


class BearerAnswer(msgspec.Struct, omit_defaults=True):
    """The API key as a bearer token, and the access grant around it when the encryption key is known."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    access_grant: str | None = None


class Metadata(msgspec.Struct):
    """What a client needs to know of this server (RFC 8414 section 2)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    scopes_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    response_modes_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    introspection_endpoint_auth_methods_supported: tuple[str, ...]
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    revocation_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    introspection_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    code_challenge_methods_supported: tuple[str, ...]
    authorization_response_iss_parameter_supported: bool


async def token(call: Call) -> Answer:
    """Exchange a code for a bearer token."""
    request = token_request(call)
    outcome = await call.house.tokens.exchange(request, call.now)
    call.trail = outcome.trail
    if isinstance(outcome, Refused):
        # failed authentications alone: what else a client may do wrong is not counted against it
        if outcome.error.status == 401:
            call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, request.client_id)
        return refused(call, outcome.error)
    call.client = outcome.client
    # RFC 6749 section 5.1 wants Pragma besides Cache-Control
    return Answer(body=_granted(outcome), headers=[(b"pragma", b"no-cache"), (TRACE_HEADER, call.trace_id.encode())])


def token_request(call: Call) -> TokenRequest:
    """The use case's request from the form; RefusedError for one that no client is asked about."""
    form: TokenForm = call.body
    if form.grant_type != "authorization_code":
        raise RefusedError(UNSUPPORTED_GRANT_TYPE)
    if not form.code:
        raise RefusedError(INVALID_REQUEST.saying("code is missing."))
    # unlike in the JSON API none is not the empty one: then there is an access grant only if the person typed theirs
    return client_credentials.token_request(
        call, form, form.code, redirect_uri=form.redirect_uri, passphrase=form.passphrase, code_verifier=form.code_verifier
    )


async def revoke(call: Call) -> Answer:
    """Revoke one API key and all that was made from it; 200 too for what was dead already (RFC 7009 section 2.2)."""
    form: RevocationForm = call.body
    request = client_credentials.token_request(call, form, form.token)
    outcome = await call.house.tokens.revoke(request, call.now)
    if outcome is None:
        return Answer()
    call.trail = outcome.trail
    if outcome.error.status == 401:
        call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, request.client_id)
    return refused(call, outcome.error)


async def metadata(call: Call) -> Answer:
    """What this server can do and where."""
    issuer = call.house.issuer
    methods, signed = tuple(one.value for one in AuthMethod), (assertion.ALGORITHM,)
    # RFC 8414 section 2: a bearer token stands there under its type
    of_resource_servers = ("Bearer",) if call.house.introspection_token else ()
    return Answer(
        body=Metadata(
            issuer=issuer,
            authorization_endpoint=issuer + AUTHORIZE,
            token_endpoint=issuer + TOKEN_PATH,
            revocation_endpoint=issuer + REVOCATION_PATH,
            introspection_endpoint=issuer + introspect.PATH,
            scopes_supported=tuple(one.value for one in ActionScope),
            response_types_supported=("code",),
            response_modes_supported=("query",),
            grant_types_supported=("authorization_code",),
            token_endpoint_auth_methods_supported=methods,
            revocation_endpoint_auth_methods_supported=methods,
            # a public client may not ask
            introspection_endpoint_auth_methods_supported=(*(one for one in methods if one != AuthMethod.NONE), *of_resource_servers),
            token_endpoint_auth_signing_alg_values_supported=signed,
            revocation_endpoint_auth_signing_alg_values_supported=signed,
            introspection_endpoint_auth_signing_alg_values_supported=signed,
            code_challenge_methods_supported=("S256",),
            authorization_response_iss_parameter_supported=True,
        )
    )


def refused(call: Call, error: OAuthError) -> Answer:
    """A refusal in the words of RFC 6749 section 5.2, with our trace_id."""
    return client_credentials.refused(call, _STANDARD.get(error.code, error))


def _granted(outcome: Granted) -> BearerAnswer:
    scope = " ".join(outcome.scopes)
    return BearerAnswer(outcome.api_key.serialise(), "Bearer", outcome.expires_in, scope, outcome.access_grant)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=TOKEN_PATH,
        handler=token,
        summary="Exchange a code for a bearer token (RFC 6749)",
        body=TokenForm,
        form=True,
        answer=BearerAnswer,
        limited=Limited.TOKEN_REQUEST,
        diagnosed="token",
        refused=refused,
        errors=(INVALID_CLIENT, INVALID_GRANT, INVALID_SCOPE, UNSUPPORTED_GRANT_TYPE),
        cors=True,
    ),
    Endpoint(
        method="POST",
        path=REVOCATION_PATH,
        handler=revoke,
        summary="Revoke an API key and all that was made from it (RFC 7009)",
        body=RevocationForm,
        form=True,
        limited=Limited.TOKEN_REQUEST,
        diagnosed="revoke",
        refused=refused,
        errors=(INVALID_CLIENT,),
        cors=True,
    ),
    Endpoint(method="GET", path=METADATA_PATH, handler=metadata, summary="This server's metadata (RFC 8414)", answer=Metadata, cors=True),
)
