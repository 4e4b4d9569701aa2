"""`POST /api/v0/oauth2/token`: a code and a JWT in, an access grant out (contract, section 1)."""

from typing import Annotated

import msgspec

from grantway.oauth_error import (
    CLIENT_SECRET_EXPIRED,
    CODE_ALREADY_USED,
    CODE_EXPIRED,
    INVALID_CLIENT,
    INVALID_CODE,
    INVALID_REDIRECT_URI,
    INVALID_SCOPE,
    NO_PROJECT,
)
from grantway.tokens.token_request import Granted, Refused, TokenRequest
from grantway.web.answer import Answer, refusal
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited

PATH = "/api/v0/oauth2/token"

TRACE_HEADER = b"grantway-trace-id"
"""Under which trace id an exchange left its finding: a refusal says so in its body, and this answer's body is the contract's."""

Filled = Annotated[str, msgspec.Meta(min_length=1)]


class TokenBody(msgspec.Struct):
    """What an app sends. `client_secret` is a JWT signed with the secret, never the secret."""

    client_id: Filled
    client_secret: Filled
    redirect_uri: Filled
    code: Filled
    passphrase: str | None = None
    code_verifier: str | None = None


class TokenAnswer(msgspec.Struct, omit_defaults=True):
    """What an app gets. `expires_in` is in seconds."""

    access_grant: str
    scopes: tuple[str, ...]
    expires_in: int
    warnings: tuple[str, ...] = ()


async def exchange(call: Call) -> Answer:
    """Exchange a code for an access grant."""
    outcome = await call.house.tokens.exchange(token_request(call), call.now)
    call.trail = outcome.trail
    if isinstance(outcome, Refused):
        return _refused(call, call.body.client_id, outcome)
    call.client = outcome.client
    return Answer(body=_granted(outcome), headers=[(TRACE_HEADER, call.trace_id.encode())])


def token_request(call: Call) -> TokenRequest:
    """The use case's request from the body."""
    body: TokenBody = call.body
    return TokenRequest(
        client_id=body.client_id,
        client_secret=body.client_secret,
        redirect_uri=body.redirect_uri,
        code=body.code,
        passphrase=body.passphrase or "",  # absent or null is the empty one, as with StorX (contract, section 1)
        code_verifier=body.code_verifier,
        trace_id=call.trace_id,
    )


def _granted(outcome: Granted) -> TokenAnswer:
    return TokenAnswer(outcome.access_grant or "", outcome.scopes, outcome.expires_in, outcome.warnings)


def _refused(call: Call, claimed: str, outcome: Refused) -> Answer:
    """Failures are counted after the fact, so that a valid signature is never refused for those of others."""
    if outcome.error.status == 401:
        call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, claimed)
    return refusal(outcome.error, call.trace_id)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        handler=exchange,
        summary="Exchange a code for an access grant",
        body=TokenBody,
        answer=TokenAnswer,
        limited=Limited.TOKEN_REQUEST,
        diagnosed="token",
        errors=(
            INVALID_CLIENT,
            CLIENT_SECRET_EXPIRED,
            INVALID_CODE,
            CODE_EXPIRED,
            CODE_ALREADY_USED,
            INVALID_REDIRECT_URI,
            INVALID_SCOPE,
            NO_PROJECT,
        ),
        cors=True,
    ),
)
