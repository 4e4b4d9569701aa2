"""`/oauth2/authorize`: an app sends a person here, and is refused or put before them (RFC 6749 section 4.1, 7636, 9207, 9700)."""

from urllib.parse import urlencode

from grantway.authorization.request import Askable, Asked, NotAskable
from grantway.clients import redirect_uri
from grantway.clients.client import Client
from grantway.oauth_error import (
    CLIENT_INACTIVE,
    INVALID_CLIENT_ID,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    OAuthError,
    RefusedError,
)
from grantway.web import consent_page, of_the_app, page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited

AUTHORIZE = "/oauth2/authorize"

NEVER_BACK = frozenset({INVALID_CLIENT_ID.code, CLIENT_INACTIVE.code, INVALID_REDIRECT_URI.code})
"""What is told on a page of ours: nobody knows yet that the redirect URI is the app's."""
_UNSUPPORTED = OAuthError(400, "unsupported_response_type", "response_type must be code.")
_NO_CHALLENGE = INVALID_REQUEST.saying("code_challenge is missing: PKCE with S256 is required (RFC 7636).")


async def authorize(call: Call) -> Answer:
    """Examine what the app asks; then ask the person, who signs in first. What may not go back to the app ends in a page here."""
    asked = await _asked(call)
    decision = await call.house.authorization.examine(asked)
    call.trail = decision.trail
    if isinstance(decision, NotAskable):
        of_the_app.tell(call, decision.error, asked, response_type=call.query.get("response_type"))
    if isinstance(decision, NotAskable) and decision.error.code in NEVER_BACK:
        raise RefusedError(decision.error, decision.trail)
    # from here on the redirect URI is one that the client has registered
    fault = _fault(call, asked, decision)
    if fault is not None:
        of_the_app.tell(call, fault, asked, response_type=call.query.get("response_type"))
        return back(call, asked, fault)
    return await consent_page.ask(call, asked, AUTHORIZE)


async def asking(call: Call) -> Client | None:
    """The app whose request this URL is; None when it would be refused."""
    asked = await _asked(call)
    decision = await call.house.authorization.examine(asked)
    return decision.client if isinstance(decision, Askable) and _fault(call, asked, decision) is None else None


async def _asked(call: Call) -> Asked:
    """The app's parameters; a client with one registered redirect URI may leave it out (RFC 6749 section 3.1.2.3)."""
    # RFC 6749 section 3.1: without a value it counts as not sent
    query = {name: value for name, value in call.query.items() if value}
    client_id, uri = query.get("client_id", ""), query.get("redirect_uri", "")
    if not uri and (client := await call.house.authorization.client(client_id)) and len(client.redirect_uris) == 1:
        uri = client.redirect_uris[0]
    return Asked(
        client_id=client_id,
        redirect_uri=uri,
        scopes=query.get("scope", "").split(),
        state=query.get("state"),
        code_challenge=query.get("code_challenge"),
        code_challenge_method=query.get("code_challenge_method"),
    )


def refused(call: Call, error: OAuthError) -> Answer:
    """A refusal as a page; the app's developer finds it under its trace id."""
    of_the_app.tell_unjudged(call, error)
    return page.refused(call, error)


def _fault(call: Call, asked: Asked, decision: Askable | NotAskable) -> OAuthError | None:
    if call.query.get("response_type") != "code":
        return _UNSUPPORTED
    if isinstance(decision, NotAskable):
        return decision.error
    if asked.code_challenge is None:
        return _NO_CHALLENGE if decision.client.require_pkce else None
    if asked.code_challenge_method is None:
        # without a method RFC 7636 means `plain`, which we do not do
        return INVALID_REQUEST.saying("code_challenge_method must be S256.")
    return None


def back(call: Call, asked: Asked, error: OAuthError) -> Answer:
    """Back to the app with an error (RFC 6749 section 4.1.2.1); only to a redirect URI that it has registered."""
    state = {} if asked.state is None else {"state": asked.state}
    said = {"error": error.code, "error_description": error.description, **state, "iss": call.house.issuer, "trace_id": call.trace_id}
    return page.go(redirect_uri.with_parameters(asked.redirect_uri, urlencode(said)))


PAGES = (
    Endpoint(
        method="GET",
        path=AUTHORIZE,
        handler=authorize,
        summary="Ask a person for access",
        limited=Limited.TOKEN_REQUEST,
        diagnosed="request",
        refused=refused,
    ),
)
