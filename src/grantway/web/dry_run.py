"""The dry run: a token request is judged as the endpoint that it is sent to would judge it. Nothing is used up, nothing issued."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from grantway import json_text
from grantway.diagnosis import shown
from grantway.diagnosis.finding import Finding
from grantway.oauth_error import INVALID_REQUEST, METHOD_NOT_ALLOWED, OAuthError, RefusedError
from grantway.tokens.token_request import Refused, TokenRequest
from grantway.web import form, standard, token
from grantway.web.afterwards import attempt
from grantway.web.answer import Answer, refusal
from grantway.web.call import METHODS, Call, check_single
from grantway.web.path_app import MAX_BODY, TOO_LONG

_FORM = re.compile(rb"[\w.%+-]+=")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCall:
    """A token request as an app sends it. `url` may be a path alone, or empty where nothing says to which endpoint it goes.

    `notes`: what could not be taken as it stands, one sentence each.
    """

    method: str = "POST"
    url: str = field(default="", repr=False)
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What the request would be answered, and why; and what is to be known of it besides."""

    found: Finding
    notes: tuple[str, ...]


def is_form(body: bytes) -> bool:
    """Whether a body looks like a form, and not like JSON."""
    return _FORM.match(body) is not None


async def judge(call: Call, sent: TokenCall) -> Judged:
    """Judge a request for the developer who is signed in: another developer's client is an unknown one."""
    path, query, notes = _endpoint(sent, call.house.issuer)
    raw = [(name.lower().encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in sent.headers]
    method = sent.method if sent.method in METHODS else "other"
    # as the endpoint would have it: without the session, and with none of what this browser sends
    asked = replace(call, headers=Headers(raw=raw), query_string=query, method=method, route=path, session=None, text=sent.body)
    error = await _refusal(asked, call.account.id)
    is_standard = path == standard.TOKEN_PATH
    answer = Answer() if error is None else standard.refused(asked, error) if is_standard else refusal(error, call.trace_id)
    seen = replace(attempt(asked, "token", answer, is_standard=is_standard), is_dry_run=True)
    return Judged(await call.house.diagnosis.explain(seen, call.account.id), (*notes, *sent.notes))


async def _refusal(asked: Call, developer_id: str) -> OAuthError | None:
    """What the endpoint would refuse it with; None when it would grant."""
    try:
        if asked.method != "POST":
            came = "another method" if asked.method == "other" else asked.method
            raise RefusedError(METHOD_NOT_ALLOWED.saying(f"This URL takes POST, not {came}."))
        if len(asked.text) > MAX_BODY:
            asked.text = b""
            raise RefusedError(TOO_LONG)
        check_single(asked)
        outcome = await asked.house.tokens.check(_READ[asked.route](asked), developer_id, asked.now)
    except RefusedError as refused:
        return refused.error
    asked.trail = outcome.trail
    return outcome.error if isinstance(outcome, Refused) else None


def _of_json(asked: Call) -> TokenRequest:
    try:
        asked.body = json_text.read(asked.text, token.TokenBody)
    except json_text.JsonTextError as error:
        raise RefusedError(INVALID_REQUEST.saying(str(error))) from None
    return token.token_request(asked)


def _of_form(asked: Call) -> TokenRequest:
    asked.body = form.read(asked.text, asked.headers.get("content-type", ""), standard.TokenForm)
    return standard.token_request(asked)


_READ: dict[str, Callable[[Call], TokenRequest]] = {token.PATH: _of_json, standard.TOKEN_PATH: _of_form}


def _endpoint(sent: TokenCall, issuer: str) -> tuple[str, str, list[str]]:
    """The path of the endpoint that judges, the query, and what is to be said of the URL."""
    guessed = standard.TOKEN_PATH if is_form(sent.body) else token.PATH
    if not sent.url:
        return guessed, "", []
    try:
        parts, ours = urlsplit(sent.url), urlsplit(issuer)
        there = (parts.scheme, _host(parts.hostname), parts.port or _PORTS.get(parts.scheme))
        is_ours = not parts.netloc or there == (ours.scheme, _host(ours.hostname), ours.port or _PORTS.get(ours.scheme))
    except ValueError:
        return guessed, "", [f"The URL cannot be read. Judged as if it were sent to {guessed}."]
    notes = [] if is_ours else [f"It is sent to {shown.text(f'{parts.scheme}://{parts.netloc}')}, and this server is {issuer}."]
    if parts.path in _READ:
        return parts.path, parts.query, notes
    elsewhere = f"This server has no token endpoint at {shown.text(parts.path or '/')}, and answers 404 there."
    return guessed, parts.query, [*notes, f"{elsewhere} Judged as if it were sent to {guessed}."]


def _host(name: str | None) -> str | None:
    return "localhost" if name in _LOOPBACK else name
