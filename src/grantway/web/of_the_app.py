"""What of a refusal on a person's way is the app's affair, and told to its developer. What is the person's alone is told to nobody."""

from collections import Counter
from urllib.parse import parse_qsl

import msgspec

from grantway.authorization import consent
from grantway.authorization.request import Asked
from grantway.oauth_error import (
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    RATE_LIMITED,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    OAuthError,
    RefusedError,
)
from grantway.web.call import Call

_UNJUDGED = frozenset({one.code for one in (INVALID_REQUEST, METHOD_NOT_ALLOWED, RATE_LIMITED, SERVER_ERROR, TEMPORARILY_UNAVAILABLE)})
"""What an app's request is refused with before there is anything to judge; all else is the person's there: signed out, a form too old."""
_TOLD = frozenset({"client_id", "redirect_uri", "scope", "state", "response_type", "code_challenge", "code_challenge_method"})
"""What a finding is made of; a secret in the URL is none of it."""


def tell(call: Call, error: OAuthError, asked: Asked, **more: str | None) -> None:
    """Have a finding made of a request that was judged. `more` is what a page is asked with besides."""
    fields = {
        **more,
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect_uri,
        "scope": asked.scopes,
        "state": asked.state,
        "code_challenge": asked.code_challenge,
        "code_challenge_method": asked.code_challenge_method,
    }
    call.said, call.translated = error, msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def tell_unjudged(call: Call, error: OAuthError) -> None:
    """Have a finding made of a URL that was refused before there was anything to judge, unless it is the person's alone."""
    if call.said is None and error.code in _UNJUDGED:
        pairs = parse_qsl(call.query_string, keep_blank_values=True, errors="replace")
        times = Counter(name for name, _ in pairs)  # counted once: a URL has room for twenty thousand names
        call.repeated = call.repeated or next((name for name, number in times.items() if number > 1), "")
        kept = {name: value for name, value in pairs if name in _TOLD and value}
        call.said, call.translated = error, msgspec.json.encode({**kept, "scope": kept.get("scope", "").split()})


async def refused_decision(call: Call, request_id: str, refused: RefusedError) -> RefusedError:
    """The refusal of a person's decision, to be raised; told to the developer of the app that asked, where it is the app's affair.

    Nothing of what the person chose is in the finding: neither scopes nor project; nor whether it was a yes, but where the app's scopes
    were taken off, for which no denial is refused.
    """
    trail = consent.seen_by_app(refused.trail) if refused.trail else None
    client = await call.house.authorization.asker(request_id) if trail else None
    if client is None:
        return refused
    call.said, call.translated = refused.error, msgspec.json.encode({"client_id": client.client_id, "request_id": request_id})
    return RefusedError(refused.error, trail)
