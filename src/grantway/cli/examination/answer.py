"""What an answer says: is this a token endpoint at all, and was the client accepted? By the contract's names, else by the words.

StorX's own server answers a client's faults with 500 and sentences, so that a status alone says little there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from grantway.cli.examination.probe import Reply
from grantway.cli.examination.url import Target

LONGEST = 160


class Standing(StrEnum):
    """What an answer to a fresh JWT with a made-up code says of the client."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN_CLIENT = "unknown client"
    INACTIVE_CLIENT = "inactive client"
    EXPIRED = "expired"
    TOO_EARLY = "too early"
    RATE_LIMITED = "rate limited"
    SERVER_FAULT = "server fault"
    WANTS_SESSION = "wants a session"
    MALFORMED = "malformed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongThing:
    """Something else than a token endpoint answers: what it is, and what to do."""

    evidence: str
    remedy: str


_BY_NAME = {
    **dict.fromkeys(
        ("invalid_code", "code_expired", "code_already_used", "invalid_grant", "invalid_redirect_uri", "no_project"), Standing.ACCEPTED
    ),
    "invalid_client": Standing.REFUSED,
    "client_inactive": Standing.INACTIVE_CLIENT,
    "invalid_client_id": Standing.UNKNOWN_CLIENT,
    "client_secret_expired": Standing.EXPIRED,
    "rate_limited": Standing.RATE_LIMITED,
    "server_error": Standing.SERVER_FAULT,
    "temporarily_unavailable": Standing.SERVER_FAULT,
    "unauthorized": Standing.WANTS_SESSION,
    "invalid_request": Standing.MALFORMED,
}

_BAD = r"(?:invalid|unknown|wrong|bad|expired|used|no such|not found|not exist|no|missing)"
_CODE = r"(?<!status )(?<!error )\b(?:authorization |auth |oauth2? )?code\b(?! verifier)"
# the first that fits counts: what is said of a code comes before words that any refusal may have
_WORDS = [
    (r"used before issued|not valid yet|before nbf|issued in the future", Standing.TOO_EARLY),
    (r"\b(?:jwt|token|secret|assertion)\b.{0,20}\bexpired", Standing.EXPIRED),
    (r"expired (?:client )?(?:jwt|token|secret|assertion)", Standing.EXPIRED),
    (r"\bclient\b.{0,20}\b(?:inactive|disabled|not active|suspended)|inactive client", Standing.INACTIVE_CLIENT),
    (r"\bclient\b(?! secret).{0,20}\b(?:not found|unknown|not exist|not registered)|(?:unknown|no such) client\b", Standing.UNKNOWN_CLIENT),
    (rf"{_BAD} {_CODE}|{_CODE} .{{0,20}}\b{_BAD}", Standing.ACCEPTED),
    (r"invalid (?:redirect|grant)|redirect u\w+ .{0,20}\b(?:mismatch|match|invalid)", Standing.ACCEPTED),
    (r"invalid client|client secret|\bsignature\b|\bjwt\b|client authentication", Standing.REFUSED),
    (r"\bcookie\b|\bsession\b|unauthori[sz]ed|unauthenticated|not logged in|log ?in", Standing.WANTS_SESSION),
]


def standing(reply: Reply) -> Standing:
    """What the answer says of the client: by the status where that is clear, the contract's names, then the words."""
    if reply.status == 429:
        return Standing.RATE_LIMITED
    if reply.status in {502, 503, 504}:
        return Standing.SERVER_FAULT
    if reply.status < 400:
        return Standing.UNCLEAR
    found = _BY_NAME.get(error_of(reply)) or _by_words(reply)
    if found is Standing.UNCLEAR and reply.status == 401:
        return Standing.REFUSED
    return found


def _by_words(reply: Reply) -> Standing:
    words = re.sub(r"[\s_\-:.,]+", " ", " ".join(_said(reply.fields or {}))).lower()
    return next((meant for pattern, meant in _WORDS if re.search(pattern, words)), Standing.UNCLEAR)


def error_of(reply: Reply) -> str:
    """The `error` of the answer; empty when there is none."""
    error = (reply.fields or {}).get("error")
    return error if isinstance(error, str) else ""


def in_words(reply: Reply) -> str:
    """The status and what the server says beside it, cut to a line or two."""
    said = ": ".join(dict.fromkeys(_said(reply.fields or {}))) or reply.header("content-type") or "no body"
    return f"{reply.status} {said[:LONGEST].rstrip('.')}"


def in_short(reply: Reply) -> str:
    """The status and the first thing that the server says beside it."""
    return f"{reply.status} {next(iter(_said(reply.fields or {})), 'without words')[:LONGEST]}"


def trace_id_of(reply: Reply) -> str | None:
    """The trace_id of the answer, if it can be one that a URL and a command line may carry."""
    value = (reply.fields or {}).get("trace_id")
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) else None


def retry_after(reply: Reply) -> str:
    """When to come back, in words."""
    value = reply.header("retry-after")
    return f"after {value} s" if value.isdigit() and len(value) < 10 else "in a few minutes"


def _said(fields: Mapping[str, object]) -> list[str]:
    """What an error body says, its values cut: the contract's fields and what others call them."""
    inner = fields.get("error")
    found = [fields.get(name) for name in ("error", "message", "error_description", "detail", "code")]
    if isinstance(inner, dict):
        found = [inner.get(name) for name in ("code", "message")] + found
    return [text[:1000] for text in found if isinstance(text, str) and text]


def what_else_listens(reply: Reply, target: Target) -> WrongThing | None:
    """What answered an empty request to the token endpoint, if it is no token endpoint; None when it may be one."""
    server = f", {reply.header('server')[:40]}" if reply.header("server") else ""
    if 300 <= reply.status < 400:
        return _redirect(reply, target)
    if _is_s3(reply):
        remedy = "Give the URL of the authorization server; an S3 gateway takes the keys that come after the access grant."
        return WrongThing(evidence=f"an S3 gateway answers ({reply.status}{server})", remedy=remedy)
    if _is_html(reply):
        return _page(reply, server)
    if reply.status in {404, 405}:
        remedy = "Check host, port and the path before /api/v0: this server has no token endpoint there."
        return WrongThing(evidence=f"{in_words(reply)}{server}: there is no token endpoint at this URL", remedy=remedy)
    if reply.fields is None:
        remedy = "Check the port: something else than an authorization server answers there."
        return WrongThing(evidence=f"{reply.status}{server}: what comes is no JSON object", remedy=remedy)
    return None


def _redirect(reply: Reply, target: Target) -> WrongThing:
    location = reply.header("location")
    bare = location.split("?", 1)[0]
    if not target.is_tls and location.startswith("https://"):
        return WrongThing(evidence=f"{reply.status}, to {bare}", remedy="Write https:// instead of http://: a redirect loses the body.")
    return WrongThing(evidence=f"{reply.status}, to {bare or 'nowhere'}", remedy="Give the URL that answers itself instead of redirecting.")


def _is_s3(reply: Reply) -> bool:
    beginning = reply.text[:2000]
    return "<Error>" in beginning and "<Code>" in beginning


def _is_html(reply: Reply) -> bool:
    return "text/html" in reply.header("content-type").lower() or bool(
        re.match(r"\s*<(!doctype html|html)", reply.text[:200], re.IGNORECASE)
    )


def _page(reply: Reply, server: str) -> WrongThing:
    title = re.search(r"<title>([^<]{1,80})", reply.text[:20_000], re.IGNORECASE)
    named = f' "{title[1].strip()}"' if title else ""
    if re.search(r"satellite|storj|storx|console", named, re.IGNORECASE):
        remedy = "Give the address of the API: this one serves the console's pages. Ask the operator for host and port."
        return WrongThing(evidence=f"a console's page{named} ({reply.status}{server})", remedy=remedy)
    remedy = "Check host, port and path: a web server answers there, and does not pass this path on to an authorization server."
    return WrongThing(evidence=f"a web page{named} ({reply.status}{server})", remedy=remedy)
