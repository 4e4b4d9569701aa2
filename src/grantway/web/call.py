"""One HTTP request as a handler sees it, and what a URL is: its method, what it takes, who may call it, what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers

from grantway.accounts.account import Account, Kind
from grantway.accounts.session import Session
from grantway.clients.client import Client
from grantway.oauth_error import (
    FORBIDDEN,
    INVALID_REQUEST,
    UNAUTHORIZED,
    OAuthError,
    RefusedError,
)
from grantway.trail import Trail
from grantway.web.answer import Answer
from grantway.web.house import House
from grantway.web.rate_limits import Limited

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"})
"""What may be repeated of a method."""
COOKIE = "_tokenKey"  # of the contract (section 2), so it can have no `__Host-` (decision 0011)


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
    path: str = "/"
    """Of the URL, without its percent signs."""
    method: str = ""
    """One of `METHODS`, or `other`."""
    route: str = ""
    """The path as the table of URLs has it."""
    body: Any = None
    session: Session | None = None
    text: bytes = b""
    """The body as it came."""
    trail: Trail | None = None
    """The checks that a judge made, for the diagnosis."""
    client: Client | None = None
    """The client that was authenticated."""
    repeated: str = ""
    """The header field, in lower case, or the parameter that came twice where one is right."""
    fault: str | None = None
    """What of ours failed, in safe words."""
    is_turned_away: bool = False
    """There was no room for it: nothing of it was looked at, so there is nothing to explain."""
    is_from_elsewhere: bool = False
    """It is a form of a page that was not opened under the issuer."""
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
    def query(self) -> dict[str, str]:
        """The query's parameters; `invalid_request` for one that is there twice or for more than forty."""
        try:
            pairs = parse_qsl(self.query_string, keep_blank_values=True, max_num_fields=40, errors="strict")
        except ValueError:
            raise RefusedError(INVALID_REQUEST.saying("The query cannot be read.")) from None
        # RFC 6749 section 3.1: a parameter may be there once
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
    """What each call of it is counted as. A page counts a change itself, once it knows who is signed in."""
    errors: tuple[OAuthError, ...] = ()
    cors: bool = False
    form: bool = False
    """The body is a form, not JSON."""
    refused: "Callable[[Call, OAuthError], Answer] | None" = None
    """How refusals are shown; None: in the contract's form."""
    is_always_admitted: bool = False
    """It is answered whatever else is under way: it costs nothing, and tells how the server is. It takes no body and no session."""
    diagnosed: str | None = None
    """The name under which each refusal and each exchange leaves a finding; None: none does."""


def check_origin(call: Call) -> None:
    """Refuse a request that a browser sends from another site's page. SameSite is no help here: another port is the same site."""
    if call.headers.get("origin") != call.house.origin:
        raise RefusedError(FORBIDDEN.saying("A browser may send this from this server's own pages only (Origin)."))


def check_single(call: Call) -> None:
    """Refuse a header field that stands there twice, of which one reader takes the first and another the last (RFC 9110 section 5.3)."""
    names = [name for name, _ in call.headers.raw]
    for name, shown in _SINGLE.items():
        if names.count(name) > 1:
            call.repeated = shown.lower()
            raise RefusedError(INVALID_REQUEST.saying(f"The header field {shown} is there more than once."))


_SINGLE = {b"authorization": "Authorization", b"content-type": "Content-Type"}
