"""`/oauth2-integration`: where apps that were written for StorX send a person, with a JWT in the URL that says who they are.

A URL stands in histories and logs. So the JWT is checked first, and remembered as good for nothing else; then the browser goes on to the
same page without it, with a mark in its place that holds in this browser only.
"""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from grantway.authorization.request import PAGE_LIFETIME, Askable, Asked, NotAskable
from grantway.clients.client import Client
from grantway.oauth_error import INVALID_CLIENT, INVALID_REQUEST, OAuthError, RefusedError
from grantway.tokens.token_request import Refused
from grantway.web import authorize, consent_page, of_the_app, page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited

PATH = "/oauth2-integration"

_SEPARATORS = re.compile(r"[,\s]+")
_UNTIL = re.compile(r"[0-9]{1,12}")  # `int` would take other digits, signs and white space, too
_NOT_THE_APP = replace(INVALID_CLIENT, status=400, description="The link that brought you here does not prove which app it comes from.")
_TOO_OLD = INVALID_REQUEST.saying("This page was open for too long, or in another browser. Go back to the app and begin again.")
_NO_REFERRER = (b"referrer-policy", b"no-referrer")


async def integrate(call: Call) -> Answer:
    """Check which app it is, then ask the person, who signs in first. A JWT in a URL that is refused is used up too."""
    try:
        return await _integrate(call)
    except RefusedError:
        # read anew: what is refused may be the query itself, such as one with `client_secret` in it twice
        sent = parse_qs(call.query_string, errors="replace")
        await call.house.integration.expose(sent.get("client_secret", []), call.now)
        raise


async def _integrate(call: Call) -> Answer:
    asked = _asked(call.query)
    if "client_secret" in call.query or "mark" not in call.query:
        return await _identified(call, asked)
    if not _is_marked(call, asked):
        raise RefusedError(_TOO_OLD)
    decision = await call.house.authorization.examine(asked)
    call.trail = decision.trail
    if isinstance(decision, NotAskable):
        of_the_app.tell(call, decision.error, asked)
        if decision.error.code in authorize.NEVER_BACK:
            raise RefusedError(decision.error, decision.trail)
        return authorize.back(call, asked, decision.error)
    return await consent_page.ask(call, asked, PATH)


async def asking(call: Call) -> Client | None:
    """The app whose request this URL is, without its JWT; None when it would be refused."""
    asked = _asked(call.query)
    if "client_secret" in call.query or "mark" not in call.query or not _is_marked(call, asked):
        return None
    decision = await call.house.authorization.examine(asked)
    return decision.client if isinstance(decision, Askable) else None


def refused(call: Call, error: OAuthError) -> Answer:
    """A refusal as a page, from which nothing leads on with the JWT in the Referer header."""
    is_too_old = error == _TOO_OLD
    if not is_too_old:
        of_the_app.tell_unjudged(call, error)
    answer = page.refused(call, error, move="Nothing was allowed." if is_too_old else "")
    # this page's address may still have the JWT: not even our own pages may get that as their Referer
    kept = [header for header in answer.headers if header[0] != _NO_REFERRER[0]]
    return Answer(answer.status, answer.body, [*kept, _NO_REFERRER])


async def _identified(call: Call, asked: Asked) -> Answer:
    """On to the page without the JWT; whatever is wrong with it, the page says the same."""
    secret = call.query.get("client_secret", "")
    client = await call.house.integration.identify(asked.client_id, secret, call.now)
    if isinstance(client, Refused):
        call.house.rate_limits.count(Limited.FAILED_AUTHENTICATION, call.address, asked.client_id)
        of_the_app.tell(call, _NOT_THE_APP, asked, client_secret=secret)
        raise RefusedError(_NOT_THE_APP, client.trail)
    # `until` is in the mark, so that nobody gives the page a longer life
    until = str(int((call.now + PAGE_LIFETIME).timestamp()))
    mark, cookies = page.mark(call, _marked(asked, until))
    state = {} if asked.state is None else {"state": asked.state}
    parameters = {"client_id": asked.client_id, "redirect_uri": asked.redirect_uri, "scope": " ".join(asked.scopes), **state}
    return page.go(f"{PATH}?{urlencode({**parameters, 'until': until, 'mark': mark})}", *cookies)


def _asked(query: dict[str, str]) -> Asked:
    """The app's parameters. Scopes have commas between them, or spaces; PKCE there is none."""
    return Asked(
        client_id=query.get("client_id", ""),
        redirect_uri=query.get("redirect_uri", ""),
        scopes=[one for one in _SEPARATORS.split(query.get("scope", "")) if one],
        state=query.get("state"),
        is_from_integration=True,
    )


def _is_marked(call: Call, asked: Asked) -> bool:
    until = call.query.get("until", "")
    if not _UNTIL.fullmatch(until) or not page.is_marked(call, _marked(asked, until), call.query["mark"]):
        return False
    return call.now.timestamp() < int(until)


def _marked(asked: Asked, until: str) -> str:
    """All that the mark stands for: which app asks for what, and until when the page may be opened (Unix seconds)."""
    # as JSON, so that no two requests can be written alike
    return json.dumps([asked.client_id, asked.redirect_uri, asked.scopes, asked.state, until])


PAGES = (
    Endpoint(
        method="GET",
        path=PATH,
        handler=integrate,
        summary="Ask a person for access, as apps of StorX do",
        limited=Limited.TOKEN_REQUEST,
        diagnosed="integration",
        refused=refused,
    ),
)
