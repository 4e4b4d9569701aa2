"""The way of one request: read, admitted, counted, signed in, parsed, handled, answered; whatever happens, as the contract says."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from grantway import json_text
from grantway.accounts.account import Kind
from grantway.accounts.session import Session
from grantway.oauth_error import (
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    UNAUTHORIZED,
    OAuthError,
    RefusedError,
    UnavailableError,
)
from grantway.web import afterwards, form, wrong_method
from grantway.web.admission import CrowdedError
from grantway.web.answer import Answer, refusal, respond
from grantway.web.call import COOKIE, METHODS, Call, Endpoint, check_origin, check_single
from grantway.web.house import House
from grantway.web.one_cookie import one_cookie
from grantway.web.rate_limits import Limited
from grantway.web.side import Side

MAX_BODY = 64 * 1024
TOO_LONG = INVALID_REQUEST.saying(f"The body is larger than {MAX_BODY} bytes.")

_NO_CONTENT = 204
_PAGE_OF = {"GET": wrong_method.opened, "HEAD": wrong_method.opened, "POST": wrong_method.sent}
"""What a person may send with a browser, and the page of it where it is not taken."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CORS = [
    (b"access-control-allow-origin", b"*"),  # for all, but without credentials: no cookie ever counts there
    (b"access-control-expose-headers", b"grantway-trace-id, retry-after"),
]
_PREFLIGHT = [(b"access-control-allow-headers", b"content-type"), (b"access-control-max-age", b"7200")]


class PathApp:
    """The ASGI app of one URL: its endpoints by method. `side`: whose pages it is among; None: it is no page's."""

    def __init__(self, house: House, endpoints: Sequence[Endpoint], side: Side | None = None) -> None:
        self._house = house
        self._side = side
        self._by_method = {endpoint.method: endpoint for endpoint in endpoints}
        # uvicorn leaves the body of a HEAD's answer out
        if get := self._by_method.get("GET"):
            self._by_method.setdefault("HEAD", get)
        # all methods that there are not, told as of what an app calls here
        diagnosed = next((endpoint for endpoint in endpoints if endpoint.diagnosed), endpoints[0])
        self._other = replace(diagnosed, method="other", refused=None)
        self._allow = ", ".join(sorted({*self._by_method, "OPTIONS"})).encode()
        self._cors = any(endpoint.cors for endpoint in endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Whatever happens, the answer is one of the contract's."""
        house = self._house
        began = time.perf_counter()
        headers = Headers(scope=scope)
        client = scope.get("client")
        address = client[0] if client else ""
        query = scope["query_string"].decode("latin-1")
        now = house.clock()
        call = Call(house, headers, scope.get("path_params", {}), address, now, house.new_trace_id(now), query, scope["path"])
        call.method = scope["method"] if scope["method"] in METHODS else "other"
        call.route = self._other.path
        try:
            answer = await self._answer(scope, receive, call)
        except _GoneError:
            return  # nobody is there to be answered
        except RefusedError as refused:
            call.trail = refused.trail or call.trail
            answer = self._refusal(call, scope, refused.error)
        except UnavailableError as away:
            call.fault = str(away)
            call.is_turned_away = isinstance(away, CrowdedError)
            answer = self._refusal(call, scope, TEMPORARILY_UNAVAILABLE.after(away.retry_after))
        except Exception as error:  # noqa: BLE001 - the last line: the caller gets the contract's 500, the operator where it happened
            afterwards.note_failure(error, call.trace_id)
            call.fault = type(error).__name__
            answer = self._refusal(call, scope, SERVER_ERROR)
        # refusals get the headers of CORS, too: else a page elsewhere could not read why it was refused;
        # and noted is only what has gone out, so that the time to it tells nothing of the reason (decision 0009)
        await respond(send, answer, _CORS if self._cors else [])
        endpoint = self._by_method.get(scope["method"], self._other)
        if endpoint is not self._other or answer.status != _NO_CONTENT:
            afterwards.note(call, endpoint, answer, time.perf_counter() - began)

    def _refusal(self, call: Call, scope: Scope, error: OAuthError) -> Answer:
        endpoint = self._by_method.get(scope["method"])
        if endpoint is None or endpoint.refused is None:
            return refusal(error, call.trace_id)
        return endpoint.refused(call, error)

    async def _answer(self, scope: Scope, receive: Receive, call: Call) -> Answer:
        method = scope["method"]
        endpoint = self._by_method.get(method)
        if endpoint is None:
            return await self._without_endpoint(method, call, receive)
        call.text = await _read(receive, call.headers) if endpoint.body else b""
        # 1. all of it is here: whoever sends slowly has taken no place
        check_single(call)
        if endpoint.is_always_admitted:
            return await endpoint.handler(call)
        # 2. admitted, or turned away while nothing has been done for it
        with call.house.admission:
            # 3. counted by address before any look-up; a change is somebody's, and counted once it is known whose
            if endpoint.limited is not None and endpoint.limited is not Limited.CHANGE:
                call.house.rate_limits.count(endpoint.limited, call.address)
            if endpoint.signed_in is not None:
                call.session = await _session(call, endpoint.signed_in, method)
                if endpoint.limited is Limited.CHANGE:
                    call.house.rate_limits.count_change(call.account.id)
            # 4. and only then is what was sent looked into
            if endpoint.body is not None:
                call.body = _parsed(call, endpoint)
            return await endpoint.handler(call)

    async def _without_endpoint(self, method: str, call: Call, receive: Receive) -> Answer:
        if method == "OPTIONS":
            cors = [*_PREFLIGHT, (b"access-control-allow-methods", self._allow)] if self._cors else []
            return Answer(_NO_CONTENT, headers=[(b"allow", self._allow), *cors])
        if self._other.diagnosed:
            with contextlib.suppress(RefusedError):  # longer than may be: then it says nothing
                call.text = await _read(receive, call.headers)
        taken = " or ".join(sorted(self._by_method.keys() - {"HEAD"}))
        came = method if method in METHODS else "another method"
        error = METHOD_NOT_ALLOWED.saying(f"This URL takes {taken}, not {came}.")
        told = _PAGE_OF.get(method) if "text/html" in call.headers.get("accept", "") else None
        answer = told(call, error, self._other, self._side) if told and self._side else refusal(error, call.trace_id)
        return Answer(answer.status, answer.body, [*answer.headers, (b"allow", self._allow)])


class _GoneError(Exception):
    """The caller hung up before its request was whole."""


_SIGNED_OUT = {
    kind: UNAUTHORIZED.saying(f"Sign in first: the {kind}'s session that this endpoint wants is missing, unknown or has ended.")
    for kind in Kind
}
"""The same for whatever came: also one of the other kind is told by nothing from one that never was."""


async def _session(call: Call, kind: Kind, method: str) -> Session:
    scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else ""
    if not token and kind is Kind.USER:
        token = one_cookie(call, COOKIE)
        # a Bearer token is exempt: browsers do not add it by themselves
        if token and method not in _SAFE_METHODS:
            check_origin(call)
    found = await call.house.accounts.session(kind, token, call.now) if token else None
    if found is None:
        raise RefusedError(_SIGNED_OUT[kind])
    return found


def _parsed(call: Call, endpoint: Endpoint) -> msgspec.Struct:
    text = call.text
    if endpoint.form and endpoint.body is not None:
        return form.read(text, call.headers.get("content-type", ""), endpoint.body)
    if endpoint.body is None or (endpoint.body_optional and not text.strip()):
        text = b"{}"
    try:
        # JSON whatever Content-Type says (contract)
        return json_text.read(text, endpoint.body or msgspec.Struct)
    except json_text.JsonTextError as error:
        raise RefusedError(INVALID_REQUEST.saying(str(error))) from None


async def _read(receive: Receive, headers: Headers) -> bytes:
    """The whole body, up to 64 KiB; a longer one is refused before it is read."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > MAX_BODY:  # Python refuses numbers of thousands of digits
        raise RefusedError(TOO_LONG)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            raise RefusedError(TOO_LONG)
        if not message.get("more_body", False):
            return body
