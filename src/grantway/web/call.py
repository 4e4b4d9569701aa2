"""One HTTP request on its way through: parsed, limited, signed in, handled, answered; every refusal in the contract's form."""

import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Receive, Scope, Send

from grantway import json_text
from grantway.accounts.account import Account, Kind
from grantway.accounts.session import Session
from grantway.clients.client import Client
from grantway.diagnosis.attempt import Attempt
from grantway.oauth_error import (
    FORBIDDEN,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    UNAUTHORIZED,
    OAuthError,
    RefusedError,
    UnavailableError,
)
from grantway.trail import Trail
from grantway.web import form
from grantway.web.house import House
from grantway.web.rate_limits import Limited

COOKIE = "_tokenKey"
MAX_BODY = 64 * 1024

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON = (b"content-type", b"application/json")
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_CORS = [(b"access-control-allow-origin", b"*")]
_PREFLIGHT = [*_CORS, (b"access-control-allow-headers", b"content-type"), (b"access-control-max-age", b"7200")]

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()


class ErrorBody(msgspec.Struct):
    """What every refusal says."""

    error: str
    error_description: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class PlainText:
    """A body that is no JSON, with its content type."""

    text: bytes
    content_type: bytes


@dataclass(slots=True)
class Answer:
    """What to send back: a status, a value that msgspec can encode or plain text (None: no body), further headers."""

    status: int = 200
    body: object = None
    headers: Sequence[tuple[bytes, bytes]] = ()


@dataclass(slots=True)
class Call:
    """One request, as a handler sees it. `body` has the endpoint's type."""

    house: House
    headers: Headers
    parameters: dict[str, str]
    address: str
    now: datetime
    trace_id: str
    query_string: str = ""
    body: Any = None
    session: Session | None = None
    text: bytes = b""
    """The body as it came."""
    trail: Trail | None = None
    """The checks that a judge made, for the diagnosis."""
    client: Client | None = None
    """The client that was authenticated."""
    fault: str | None = None
    """What of ours failed, in safe words."""
    said: OAuthError | None = None
    """The refusal in the words of the JSON API, where the answer has other words or is a page."""
    translated: bytes | None = None
    """Form or query as the JSON API would have it, for the diagnosis. None: the body is JSON already, or nothing explains it."""

    @property
    def account(self) -> Account:
        """Who is signed in; only on endpoints that ask for it."""
        if self.session is None:
            raise RefusedError(UNAUTHORIZED)
        return self.session.account

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser sent."""
        return cookie_parser(self.headers.get("cookie", ""))

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; `invalid_request` for one that is there twice or for more than forty."""
        try:
            pairs = parse_qsl(self.query_string, keep_blank_values=True, max_num_fields=40, errors="strict")
        except ValueError:
            raise RefusedError(INVALID_REQUEST.saying("The query cannot be read.")) from None
        if len({name for name, _ in pairs}) != len(pairs):
            raise RefusedError(INVALID_REQUEST.saying("A query parameter is there twice."))
        return dict(pairs)


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one URL: what it takes, who may call it, what it answers. The OpenAPI document is written from these."""

    method: str
    path: str
    handler: Handler
    summary: str
    body: type[msgspec.Struct] | None = None
    body_optional: bool = False
    answer: Any = None
    status: int = 200
    signed_in: Kind | None = None
    limited: Limited | None = None
    errors: tuple[OAuthError, ...] = ()
    cors: bool = False
    form: bool = False
    """The body is a form, not JSON."""
    refused: "Callable[[Call, OAuthError], Answer] | None" = None
    """How refusals are shown; None: in the contract's form."""
    diagnosed: str | None = None
    """The name under which each refusal and each exchange leaves a finding; None: none does."""


class PathApp:
    """The ASGI app of one URL: its endpoints by method."""

    def __init__(self, house: House, endpoints: Sequence[Endpoint]) -> None:
        self._house = house
        self._by_method = {endpoint.method: endpoint for endpoint in endpoints}
        if get := self._by_method.get("GET"):
            self._by_method.setdefault("HEAD", get)
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
        call = Call(house, headers, scope.get("path_params", {}), address, house.clock(), house.new_trace_id(), query)
        try:
            answer = await self._answer(scope, receive, call)
        except _GoneError:
            return
        except RefusedError as refused:
            call.trail = refused.trail or call.trail
            answer = self._refusal(call, scope, refused.error)
        except UnavailableError as away:
            call.fault = str(away)
            answer = self._refusal(call, scope, TEMPORARILY_UNAVAILABLE.after(away.retry_after))
        except Exception as error:  # noqa: BLE001 - the last line: the caller gets the contract's 500, the operator where it happened
            _log_failure(error, call.trace_id)
            call.fault = type(error).__name__
            answer = self._refusal(call, scope, SERVER_ERROR)
        await _send(send, answer, _CORS if self._cors else [])
        endpoint = self._by_method.get(scope["method"])
        if endpoint is not None:
            _afterwards(call, endpoint, answer, time.perf_counter() - began)

    def _refusal(self, call: Call, scope: Scope, error: OAuthError) -> Answer:
        endpoint = self._by_method.get(scope["method"])
        if endpoint is None or endpoint.refused is None:
            return refusal(error, call.trace_id)
        return endpoint.refused(call, error)

    async def _answer(self, scope: Scope, receive: Receive, call: Call) -> Answer:
        method = scope["method"]
        endpoint = self._by_method.get(method)
        if endpoint is None:
            return self._without_endpoint(method, call)
        if endpoint.limited is not None:
            call.house.rate_limits.count(endpoint.limited, call.address)
        call.text = await _read(receive, call.headers) if endpoint.body else b""
        if endpoint.signed_in is not None:
            call.session = await _session(call, endpoint.signed_in, method)
        if endpoint.body is not None:
            call.body = _parsed(call, endpoint)
        return await endpoint.handler(call)

    def _without_endpoint(self, method: str, call: Call) -> Answer:
        if method == "OPTIONS":
            cors = [*_PREFLIGHT[1:], (b"access-control-allow-methods", self._allow)] if self._cors else []
            return Answer(204, headers=[(b"allow", self._allow), *cors])
        answer = refusal(METHOD_NOT_ALLOWED, call.trace_id)
        return Answer(answer.status, answer.body, [(b"allow", self._allow)])


class NotFoundApp:
    """The ASGI app of every URL that there is not."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer 404 in the contract's form."""
        await _send(send, refusal(NOT_FOUND, self._house.new_trace_id()), [])


class _GoneError(Exception):
    """The caller hung up before its request was whole."""


def refusal(error: OAuthError, trace_id: str) -> Answer:
    """A refusal in the contract's form: two refusals with the same error differ in `trace_id` and nothing else."""
    retry = [] if error.retry_after is None else [(b"retry-after", str(error.retry_after).encode())]
    return Answer(error.status, ErrorBody(error.code, error.description, trace_id), retry)


def iso(moment: datetime) -> str:
    """A time as our JSON has it: RFC 3339, UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_iso(moment: datetime | None) -> str | None:
    """A time that may be absent, as our JSON has it."""
    return None if moment is None else iso(moment)


def check_origin(call: Call) -> None:
    """Refuse a request that a browser sends from another site's page. SameSite is no help here: another port is the same site."""
    if call.headers.get("origin") != call.house.origin:
        raise RefusedError(FORBIDDEN.saying("A browser may send this from this server's own pages only (Origin)."))


async def _session(call: Call, kind: Kind, method: str) -> Session:
    scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else ""
    if not token and kind is Kind.USER:
        token = call.cookies.get(COOKIE, "")
        if token and method not in _SAFE_METHODS:
            check_origin(call)
    found = await call.house.accounts.session(kind, token, call.now) if token else None
    if found is None:
        raise RefusedError(UNAUTHORIZED)
    return found


def _parsed(call: Call, endpoint: Endpoint) -> msgspec.Struct:
    text = call.text
    if endpoint.form and endpoint.body is not None:
        return form.read(text, call.headers.get("content-type", ""), endpoint.body)
    if endpoint.body is None or (endpoint.body_optional and not text.strip()):
        text = b"{}"
    try:
        return json_text.read(text, endpoint.body or msgspec.Struct)
    except json_text.JsonTextError as error:
        raise RefusedError(INVALID_REQUEST.saying(str(error))) from None


async def _read(receive: Receive, headers: Headers) -> bytes:
    """The whole body, up to 64 KiB; a longer one is refused before it is read."""
    too_long = RefusedError(INVALID_REQUEST.saying(f"The body is larger than {MAX_BODY} bytes."))
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > MAX_BODY:
        raise too_long
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            raise too_long
        if not message.get("more_body", False):
            return body


async def _send(send: Send, answer: Answer, further: Sequence[tuple[bytes, bytes]]) -> None:
    kind = _JSON
    if isinstance(answer.body, PlainText):
        body, kind = answer.body.text, (b"content-type", answer.body.content_type)
    else:
        body = b"" if answer.body is None else _encoder.encode(answer.body)
    length = (b"content-length", str(len(body)).encode())
    # without content there is no type, and must be no length (RFC 9110 section 8.6)
    of_content = [] if answer.status == 204 else [kind, length]
    headers = [*of_content, *_HEADERS, *further, *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _afterwards(call: Call, endpoint: Endpoint, answer: Answer, seconds: float) -> None:
    """What is noted of an answer once it has gone out."""
    body_error = answer.body.error if isinstance(answer.body, ErrorBody) else ""
    error = call.said.code if call.said else body_error
    is_readable = call.translated is not None or endpoint.form or endpoint.refused is None
    call.house.metrics.answered(endpoint.path, answer.status, error, seconds)
    if endpoint.diagnosed and is_readable and error != UNAUTHORIZED.code and (error or call.client):
        call.house.diagnosis.record(attempt(call, endpoint.diagnosed, answer, is_standard=endpoint.form))
    if _log.isEnabledFor(logging.INFO):
        fields = {"method": endpoint.method, "path": endpoint.path, "status": answer.status, "error": error, "trace_id": call.trace_id}
        _log.info("answered", extra={"fields": {**fields, "milliseconds": round(seconds * 1000, 1), "link": _linked(call.headers)}})


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
    )


def _log_failure(error: Exception, trace_id: str) -> None:
    """Where it happened, without the exception's words: they may hold what was sent."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("failed: %s\n%s", type(error).__name__, frames, extra={"fields": {"trace_id": trace_id}})
