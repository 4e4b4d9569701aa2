"""What is noted of an answer once it has gone out: figures, a log line, and what the diagnosis makes a finding of."""

import functools
import hmac
import logging
import re
import traceback

from starlette.datastructures import Headers

from grantway.diagnosis.attempt import Attempt
from grantway.oauth_error import NOT_FOUND, UNAUTHORIZED, OAuthError
from grantway.web.answer import Answer, ErrorBody
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import network

_NAMES_ITS_APP = "request"
"""Whose body says which app asks, also when nobody is signed in. Elsewhere that is the person's affair, or the developer's own."""
_OF_THE_PERSON = "consent"
"""Whose body names the request that is decided on, and no app: `of_the_app` says whose that is, where it is the app's affair."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_log = logging.getLogger(__name__)


def note(call: Call, endpoint: Endpoint, answer: Answer, seconds: float) -> None:
    """What is noted of an answer once it has gone out."""
    # a page has no such body: what of it concerns the app stands in `said`, and the rest leaves no finding
    body_error = answer.body.error if isinstance(answer.body, ErrorBody) else ""
    error = call.said.code if call.said else body_error
    is_readable = call.translated is not None or endpoint.form or endpoint.refused is None
    call.house.metrics.answered(endpoint.path, answer.status, error, seconds)
    if call.is_turned_away:
        call.house.metrics.turned_away()
    elif endpoint.diagnosed and is_readable and (error != UNAUTHORIZED.code or endpoint.diagnosed == _NAMES_ITS_APP):
        made = functools.partial(attempt, call, endpoint.diagnosed, answer, is_standard=endpoint.form and call.translated is None)
        if error:
            call.house.diagnosis.record(made())
        # a function, not an attempt: of many exchanges at once most are only counted (decision 0016)
        elif call.client:
            call.house.diagnosis.record_granted(call.client.row_id, made)
    if _log.isEnabledFor(logging.INFO):
        fields = {"method": call.method, "path": endpoint.path, "status": answer.status, "error": error, "trace_id": call.trace_id}
        _log.info("answered", extra={"fields": {**fields, "milliseconds": round(seconds * 1000, 1), "link": _linked(call.headers)}})


def note_nothing_here(method: str, path: str, headers: Headers, trace_id: str) -> None:
    """The line of a URL that there is not. `path` is what may be told of it: whoever mistook it may have put a secret into it."""
    fields = {
        "method": method,
        "path": path,
        "status": NOT_FOUND.status,
        "error": NOT_FOUND.code,
        "trace_id": trace_id,
        "link": _linked(headers),
    }
    _log.info("answered", extra={"fields": fields})


def _linked(headers: Headers) -> str:
    """The caller's own trace (W3C Trace Context, `traceparent`): a link in the log, never our trace_id. Empty when there is none."""
    parent = headers.get("traceparent", "")
    return parent.split("-")[1] if _TRACEPARENT.fullmatch(parent) else ""


def attempt(call: Call, endpoint: str, answer: Answer, *, is_standard: bool = False) -> Attempt:
    """What the diagnosis gets to see of a call that is answered like this."""
    body = answer.body if isinstance(answer.body, ErrorBody) else None
    refused = call.said or (OAuthError(answer.status, body.error, body.error_description) if body else None)
    sent = call.translated
    return Attempt(
        trace_id=call.trace_id,
        at=call.now,
        endpoint=endpoint,
        method=call.method,
        path=call.route,
        status=refused.status if refused else answer.status,
        error=refused.code if refused else None,
        description=refused.description if refused else "",
        text=call.text if sent is None else sent,
        content_type=call.headers.get("content-type", "") if sent is None else "application/json",
        query=call.query_string if sent is None else "",
        # where a session was asked for, the header is the session's, and no way of a client to authenticate
        authorization=call.headers.get("authorization", "") if refused and call.session is None and sent is None else "",
        retry_after=next((int(value) for name, value in answer.headers if name == b"retry-after"), None),
        is_standard=is_standard,
        trail=call.trail,
        client=call.client,
        fault=call.fault,
        names_app=endpoint != _OF_THE_PERSON or sent is not None,
        repeated=call.repeated,
        source=_source(call) if refused else "",
    )


def _source(call: Call) -> str:
    """Tells the caller's network from others, and names it to nobody who lacks the master key."""
    return hmac.digest(call.house.browser_keys()[0], f"source\0{network(call.address)}".encode(), "sha256").hex()[:16]


def note_failure(error: Exception, trace_id: str) -> None:
    """Where it happened, without the exception's words: they may hold what was sent."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("failed: %s\n%s", type(error).__name__, frames, extra={"fields": {"trace_id": trace_id}})
