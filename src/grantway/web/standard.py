"""The standard token endpoint and the metadata that lead any OAuth client to it (RFC 6749 section 4.1.3, 7523, 8414, 9207)."""

import base64
import binascii
import contextlib
from urllib.parse import unquote_plus

import msgspec

from grantway.clients import assertion
from grantway.clients.assertion import UnreadableAssertionError
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
from grantway.tokens.use_cases import Granted, Refused, TokenRequest
from grantway.web.authorize import AUTHORIZE
from grantway.web.call import Answer, Call, Endpoint, refusal
from grantway.web.rate_limits import Limited

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, not a secret
REVOCATION_PATH = "/oauth2/revoke"
METADATA_PATH = "/.well-known/oauth-authorization-server"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_LEFT_OUT = "left-out"
"""Where PKCE makes `redirect_uri` dispensable: the JSON API asks for one."""

_STANDARD = {
    "client_secret_expired": INVALID_CLIENT,
    "invalid_code": INVALID_GRANT,
    "code_expired": INVALID_GRANT.saying("The code has expired; ask the user again."),
    "code_already_used": INVALID_GRANT.saying("The code has been used before; a code is good for one exchange."),
    "invalid_redirect_uri": INVALID_GRANT.saying("redirect_uri is not the one that the code was issued for."),
    "no_project": INVALID_GRANT.saying("The user has no project to give access to."),
}
"""What the errors of v0 are called here (RFC 6749 section 5.2)."""


class TokenForm(msgspec.Struct):
    """What a client sends (RFC 6749 section 4.1.3); `passphrase` is ours."""

    grant_type: str
    code: str = ""
    redirect_uri: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None
    code_verifier: str | None = None
    passphrase: str | None = None


class RevocationForm(msgspec.Struct):
    """What a client sends to revoke (RFC 7009 section 2.1): an API key or an access grant."""

    token: str
    token_type_hint: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None


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
    scopes_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    response_modes_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    code_challenge_methods_supported: tuple[str, ...]
    authorization_response_iss_parameter_supported: bool


async def token(call: Call) -> Answer:
    """Exchange a code for a bearer token."""
    form: TokenForm = call.body
    if form.grant_type != "authorization_code":
        raise RefusedError(UNSUPPORTED_GRANT_TYPE)
    if not form.code:
        raise RefusedError(INVALID_REQUEST.saying("code is missing."))
    request = _request(call, form)
    outcome = await call.house.tokens.exchange(request, call.now)
    call.trail = outcome.trail
    if form.client_assertion is None and request.method is AuthMethod.JWT:
        call.translated = msgspec.json.encode(_as_v0(request))
    if isinstance(outcome, Refused):
        if outcome.error.status == 401:
            call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, request.client_id)
        return refused(call, outcome.error)
    call.client = outcome.client
    return Answer(body=_granted(outcome), headers=[(b"pragma", b"no-cache")])


async def revoke(call: Call) -> Answer:
    """Revoke one API key and all that was made from it; 200 too for what was dead already (RFC 7009 section 2.2)."""
    form: RevocationForm = call.body
    credentials = TokenForm(
        grant_type="",
        code=form.token,
        client_id=form.client_id,
        client_secret=form.client_secret,
        client_assertion_type=form.client_assertion_type,
        client_assertion=form.client_assertion,
    )
    request = _request(call, credentials)
    outcome = await call.house.tokens.revoke(request, call.now)
    if outcome is None:
        return Answer()
    if outcome.error.status == 401:
        call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, request.client_id)
    return refused(call, outcome.error)


async def metadata(call: Call) -> Answer:
    """What this server can do and where."""
    issuer = call.house.issuer
    return Answer(
        body=Metadata(
            issuer=issuer,
            authorization_endpoint=issuer + AUTHORIZE,
            token_endpoint=issuer + TOKEN_PATH,
            revocation_endpoint=issuer + REVOCATION_PATH,
            scopes_supported=tuple(one.value for one in ActionScope),
            response_types_supported=("code",),
            response_modes_supported=("query",),
            grant_types_supported=("authorization_code",),
            token_endpoint_auth_methods_supported=tuple(one.value for one in AuthMethod),
            revocation_endpoint_auth_methods_supported=tuple(one.value for one in AuthMethod),
            token_endpoint_auth_signing_alg_values_supported=(assertion.ALGORITHM,),
            code_challenge_methods_supported=("S256",),
            authorization_response_iss_parameter_supported=True,
        )
    )


def refused(call: Call, error: OAuthError) -> Answer:
    """A refusal in the words of RFC 6749 section 5.2, with our trace_id."""
    call.said = error
    answer = refusal(_STANDARD.get(error.code, error), call.trace_id)
    if error.status == 401 and call.headers.get("authorization"):
        return Answer(answer.status, answer.body, [*answer.headers, (b"www-authenticate", b'Basic realm="grantway"')])
    return answer


def _request(call: Call, form: TokenForm) -> TokenRequest:
    """The use case's request. A client must authenticate in one way only (RFC 6749 section 2.3)."""
    basic = _basic(call.headers.get("authorization", ""))
    if sum(one is not None for one in (basic, form.client_secret, form.client_assertion)) > 1:
        raise RefusedError(INVALID_REQUEST.saying("The client authenticates in more than one way."))
    client_id, secret, method = form.client_id or "", form.client_secret or "", AuthMethod.NONE
    if basic is not None:
        client_id, secret, method = *basic, AuthMethod.BASIC
        if form.client_id not in {None, client_id}:
            raise RefusedError(INVALID_REQUEST.saying("client_id is not the one in the Authorization header."))
    elif form.client_assertion is not None:
        if form.client_assertion_type != ASSERTION_TYPE:
            raise RefusedError(INVALID_REQUEST.saying(f"client_assertion_type must be {ASSERTION_TYPE}."))
        secret, method = form.client_assertion, AuthMethod.JWT
        client_id = client_id or _subject(secret)
    elif form.client_secret is not None:
        method = AuthMethod.JWT if form.client_secret.count(".") == 2 else AuthMethod.POST
    if not client_id:
        raise RefusedError(INVALID_CLIENT)
    return TokenRequest(
        client_id=client_id,
        client_secret=secret,
        redirect_uri=form.redirect_uri,
        code=form.code,
        passphrase=form.passphrase,
        code_verifier=form.code_verifier,
        trace_id=call.trace_id,
        method=method,
        is_rfc7523=form.client_assertion is not None,
    )


def _as_v0(request: TokenRequest) -> dict[str, str]:
    """The request as the JSON API would have it: the JWT in `client_secret` is the same."""
    fields = {
        "client_id": request.client_id,
        "client_secret": request.client_secret,
        "redirect_uri": request.redirect_uri or _LEFT_OUT,
        "code": request.code,
        "passphrase": request.passphrase,
        "code_verifier": request.code_verifier,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _basic(header: str) -> tuple[str, str] | None:
    """client_id and secret of an Authorization header, each form-decoded (RFC 6749 section 2.3.1); None without one."""
    scheme, _, credentials = header.partition(" ")
    if not header:
        return None
    with contextlib.suppress(binascii.Error, ValueError):
        if scheme.lower() == "basic":
            name, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
            if colon:
                return unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    raise RefusedError(INVALID_CLIENT)


def _subject(text: str) -> str:
    """The client that an assertion says it is for; not verified."""
    with contextlib.suppress(UnreadableAssertionError):
        subject = assertion.read(text).claims.get("sub")
        return subject if isinstance(subject, str) else ""
    return ""


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
        refused=refused,
        errors=(INVALID_CLIENT,),
        cors=True,
    ),
    Endpoint(method="GET", path=METADATA_PATH, handler=metadata, summary="This server's metadata (RFC 8414)", answer=Metadata, cors=True),
)
