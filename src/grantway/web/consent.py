"""`request` and `consent`: an app's wish before the person, and the person's decision (contract, section 2)."""

from datetime import timedelta
from typing import Annotated

import msgspec

from grantway.accounts.account import Kind
from grantway.authorization import consent as limits
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.oauth_error import (
    CLIENT_INACTIVE,
    FORBIDDEN,
    INVALID_CLIENT_ID,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST_ID,
    INVALID_SCOPE,
    REQUEST_EXPIRED,
    REQUEST_NOT_PENDING,
    RefusedError,
)
from grantway.web import of_the_app
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited
from grantway.web.token import Filled

_SECONDS = msgspec.Meta(ge=int(limits.SHORTEST.total_seconds()), le=int(limits.LONGEST.total_seconds()))


class RequestBody(msgspec.Struct):
    """What an app asks a person for."""

    client_id: Filled
    redirect_uri: Filled
    scope: Annotated[list[str], msgspec.Meta(min_length=1)]
    state: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    project_id: str | None = None


class RequestAnswer(msgspec.Struct):
    """Who asks, what it holds already, what is new, and what it cannot do without."""

    request_id: str
    client_name: str
    current_access: tuple[str, ...]
    needed_access: tuple[str, ...]
    required_scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]


class ConsentBody(msgspec.Struct):
    """What the person decided. `expires_in`: seconds that the consent and its grants shall live; left out: 30 days."""

    request_id: Filled
    approved_scopes: list[str] | None = None
    rejected_scopes: list[str] | None = None
    approve: bool | None = None
    project_id: str | None = None
    expires_in: Annotated[int, _SECONDS] | None = None


class ConsentAnswer(msgspec.Struct, omit_defaults=True):
    """Where to send the person; the code when there is one."""

    redirect_uri: str
    code: str | None = None


async def ask(call: Call) -> Answer:
    """Put an app's request before the person who is signed in."""
    body: RequestBody = call.body
    asked = Asked(
        client_id=body.client_id,
        redirect_uri=body.redirect_uri,
        scopes=body.scope,
        state=body.state,
        code_challenge=body.code_challenge,
        code_challenge_method=body.code_challenge_method,
        project_id=body.project_id,
    )
    made = await call.house.authorization.ask(call.account, asked, call.now)
    return Answer(
        body=RequestAnswer(
            request_id=made.request.id,
            client_name=made.request.client.name,
            current_access=made.current_access,
            needed_access=made.needed_access,
            required_scopes=made.required_scopes,
            optional_scopes=made.optional_scopes,
        )
    )


async def decide(call: Call) -> Answer:
    """Take the person's decision."""
    body: ConsentBody = call.body
    decision = Decision(
        request_id=body.request_id,
        approved=body.approved_scopes or (),
        rejected=body.rejected_scopes or (),
        approve=body.approve is not False,  # StorX sends it; left out, the scopes decide (contract, section 2)
        project_id=body.project_id,
        lifetime=limits.DEFAULT_LIFETIME if body.expires_in is None else timedelta(seconds=body.expires_in),
    )
    try:
        decided = await call.house.authorization.decide(call.account, decision, call.now)
    except RefusedError as refused:
        raise await of_the_app.refused_decision(call, body.request_id, refused) from None
    return Answer(body=ConsentAnswer(decided.redirect_uri, decided.code))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/v0/oauth2/request",
        handler=ask,
        summary="Put an app's request before the user",
        body=RequestBody,
        answer=RequestAnswer,
        signed_in=Kind.USER,
        limited=Limited.CHANGE,
        diagnosed="request",
        errors=(INVALID_CLIENT_ID, CLIENT_INACTIVE, INVALID_REDIRECT_URI, INVALID_SCOPE, FORBIDDEN),
    ),
    Endpoint(
        method="POST",
        path="/api/v0/oauth2/consent",
        handler=decide,
        summary="Take the user's decision",
        body=ConsentBody,
        answer=ConsentAnswer,
        signed_in=Kind.USER,
        limited=Limited.CHANGE,
        diagnosed="consent",
        errors=(INVALID_REQUEST_ID, REQUEST_NOT_PENDING, REQUEST_EXPIRED, CLIENT_INACTIVE, INVALID_REDIRECT_URI, INVALID_SCOPE, FORBIDDEN),
    ),
)
