"""What is wrong with a body: not JSON, fields missing, misnamed, in the URL, or credentials in another place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from grantway.diagnosis import shown
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.sent import Sent, Shape

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "token": ("client_id", "client_secret", "redirect_uri", "code"),
    "check": ("client_id", "client_secret", "redirect_uri", "code"),
    "request": ("client_id", "redirect_uri", "scope"),
    "consent": ("request_id",),
    "integration": ("client_id", "redirect_uri", "scope"),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "token": ("passphrase", "code_verifier"),
    "check": ("passphrase", "code_verifier"),
    "request": ("state", "code_challenge", "code_challenge_method", "project_id", "response_type"),
    "integration": ("client_secret", "state"),
    "consent": ("approved_scopes", "rejected_scopes", "approve", "project_id", "expires_in"),
}
_ALIASES = {
    "client_assertion": "client_secret",
    "assertion": "client_secret",
    "jwt": "client_secret",
    "secret": "client_secret",
    "authorization_code": "code",
    "callback": "redirect_uri",
    "callback_url": "redirect_uri",
    "redirect_url": "redirect_uri",
    "verifier": "code_verifier",
    "app_id": "client_id",
    "application_id": "client_id",
    "scopes": "scope",
    "permissions": "scope",
    "approved": "approved_scopes",
    "rejected": "rejected_scopes",
    "id": "request_id",
}
_AS_JSON = "Send the body as JSON (Content-Type: application/json)."
_SCOPE_AS_LIST = 'Send scope as a list of strings, such as ["read", "list"].'
_FOLDED = re.compile(r"[^a-z]")
_CONTENT_TYPE = (Shape.FORM, Shape.MULTIPART, Shape.XML)


def faults(attempt: Attempt, sent: Sent) -> Iterator[Fault]:
    """What is wrong with the body, of a request that was refused."""
    if attempt.error == "invalid_request" and not attempt.text and "larger" in attempt.description:
        yield fault(Cause.BODY_TOO_LARGE, "The body is larger than 64 KiB.")
        return
    if sent.shape in _CONTENT_TYPE:
        # the media type alone: in its parameters may stand whatever the sender likes
        kind = sent.veil.text(attempt.content_type.partition(";")[0])
        found = fault(Cause.BODY_CONTENT_TYPE, f"The body is {sent.shape.value}, not JSON.", content_type=kind)
        # forms are what OAuth libraries send, to exchange a code; nothing else here has a place that takes them
        is_from_a_library = sent.shape is Shape.FORM and attempt.endpoint == "token"
        yield found if is_from_a_library else replace(found, remedy=_AS_JSON)
    # beside a query an empty body may mean that the fields stand in the URL: `_fields` looks
    elif sent.shape not in {Shape.OBJECT, Shape.EMPTY} or (sent.shape is Shape.EMPTY and not sent.query):
        yield fault(Cause.BODY_MALFORMED, f"The body is {sent.shape.value}, not one JSON object.", bytes=len(attempt.text))
    if sent.shape in {Shape.OBJECT, Shape.EMPTY, Shape.FORM, Shape.TWICE}:
        yield from _fields(attempt, sent)


def fault(cause: Cause, verdict: str, **evidence: str | float | bool | None) -> Fault:
    """A fault with the cause's own remedy."""
    return Fault(cause=cause, verdict=verdict, remedy=cause.remedy, evidence=evidence)


def _fields(attempt: Attempt, sent: Sent) -> Iterator[Fault]:
    required, optional = REQUIRED.get(attempt.endpoint, ()), OPTIONAL.get(attempt.endpoint, ())
    known = {*required, *optional}
    misnamed = _misnamed(sent.fields, known)
    if sent.shape is Shape.EMPTY and not known & sent.query.keys():
        yield fault(Cause.BODY_MALFORMED, "The body is empty, not one JSON object.", bytes=0)
        return
    for name in required:
        if _is_left_out(sent.fields, name) and name not in misnamed:
            yield _missing(name, sent)
    for name, other in misnamed.items():
        # without a passphrase nothing is refused: that it may be meant explains no refusal
        if name != "passphrase":
            told = sent.veil.text(other)
            yield fault(Cause.FIELD_MISNAMED, f"{name} is missing; {told} is there instead.", expected=name, sent=told)
    # where a judge was reached the types were right
    if attempt.error == "invalid_request" and attempt.trail is None:
        yield from _types(attempt, sent, required)


def _is_left_out(fields: Mapping[str, object], name: str) -> bool:
    """Missing or empty; a list is empty as text is, where a list is what the field takes."""
    return fields.get(name) in (None, "") or (name == "scope" and fields[name] == [])


def _missing(name: str, sent: Sent) -> Fault:
    if name in sent.query:
        return fault(Cause.FIELD_IN_QUERY_STRING, f"{name} is in the URL's query, not in the body.", field=name)
    wrapper = next((key for key, value in sent.fields.items() if isinstance(value, dict) and name in value), None)
    if wrapper is not None:
        return fault(Cause.FIELD_MISNAMED, f"{name} stands inside of {sent.veil.text(wrapper)}, not at the top.", expected=name)
    if name == "client_secret":
        if sent.header_jwt:
            verdict = "The JWT stands in the Authorization header, not in client_secret."
            return fault(Cause.AUTH_METHOD_MISMATCH, verdict, came=sent.scheme.title())
        if sent.scheme in {"basic", "bearer"}:
            came = sent.scheme.title()
            return fault(Cause.AUTH_METHOD_MISMATCH, f"The client came with an Authorization header ({came}), not with a JWT.", came=came)
        return fault(Cause.NO_CREDENTIALS, "client_secret is missing or empty: nothing tells that it is this client.")
    return fault(Cause.FIELD_MISSING, f"{name} is missing or empty.", field=name)


def _misnamed(fields: Mapping[str, object], known: set[str]) -> dict[str, str]:
    """Known names that are missing, each with the unknown one that seems to stand for it."""
    there = {name for name in fields if not _is_left_out(fields, name)}
    folded = {_FOLDED.sub("", name): name for name in known - there}
    found: dict[str, str] = {}
    # both bounds because near names are searched for by comparing, and a body may be 64 KiB of them
    for other in list(fields)[:50]:
        if other in known:
            continue
        plain = _FOLDED.sub("", other.lower())
        alias = next((right for wrong, right in _ALIASES.items() if _FOLDED.sub("", wrong) == plain), None)
        close = get_close_matches(plain[:40], folded, 1, 0.85)
        meant = alias if alias in folded.values() else folded[close[0]] if close else None
        if meant is not None:
            found.setdefault(meant, other)
    return found


def _types(attempt: Attempt, sent: Sent, required: tuple[str, ...]) -> Iterator[Fault]:
    """What the reader says of a field that has another type: it names the field and repeats no value."""
    there = all(sent.fields.get(name) not in (None, "") for name in required)
    if sent.shape is Shape.OBJECT and there and " must be " in attempt.description:
        found = fault(Cause.FIELD_WRONG_TYPE, shown.text(attempt.description, 200))
        yield replace(found, remedy=_SCOPE_AS_LIST) if attempt.description.startswith("scope must") else found
