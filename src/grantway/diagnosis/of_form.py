"""What is wrong with a form of the standard flow: its type, its parameters, and credentials that came several ways or broken."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from grantway.clients import assertion
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.sent import OTHER_SCHEME, Sent, Shape
from grantway.diagnosis.veil import Veil

MEDIA_TYPE = "application/x-www-form-urlencoded"
REQUIRED: Mapping[str, tuple[str, ...]] = {"token": ("grant_type", "code"), "revoke": ("token",), "introspect": ("token",)}

_AS_FORM = f"Send the parameters as a form in the body (Content-Type: {MEDIA_TYPE})."
_OR_AS_JSON = f"{_AS_FORM} The JSON API is at /api/v0/oauth2/token."
_NO_REFRESHING = "There are no refresh tokens here: ask for consent again before the access ends, with grant_type=authorization_code."
_IN_FORM = "Authenticate by Basic in the Authorization header, or in the form, as the client is registered to."
_JWT_IN_FORM = "Send the JWT in the form, as client_assertion beside its client_assertion_type; the Authorization header takes Basic alone."
_AS_RESOURCE_SERVER = "Authenticate as a client, or, to introspect as a resource server, send the token that the operator has set."


def faults(attempt: Attempt, sent: Sent) -> Iterator[Fault]:
    """What is wrong with the form, of a request that was refused."""
    if not attempt.text and "larger" in attempt.description:
        yield fault(Cause.BODY_TOO_LARGE, "The body is larger than 64 KiB.")
        return
    kind = attempt.content_type.partition(";")[0].strip().lower()
    if sent.shape is Shape.EMPTY:
        yield replace(fault(Cause.BODY_MALFORMED, "The body is empty, not a form.", bytes=0), remedy=_AS_FORM)
    elif sent.shape is not Shape.FORM or kind != MEDIA_TYPE:
        verdict = f"The body is {sent.shape.value}, sent as {sent.veil.text(kind) or 'nothing'}; it must be a form, sent as one."
        is_json = sent.shape is Shape.OBJECT and attempt.endpoint == "token"
        remedy = _OR_AS_JSON if is_json else _AS_FORM
        yield replace(fault(Cause.BODY_CONTENT_TYPE, verdict, content_type=sent.veil.text(kind)), remedy=remedy)
    elif twice := _twice(attempt.text, sent.veil):
        verdict = f"A parameter is there twice: {twice}."
        yield replace(fault(Cause.BODY_MALFORMED, verdict, parameter=twice), remedy="Send each parameter once.")
    yield from _parameters(attempt, sent)
    yield from _credentials(attempt, sent)


def _twice(text: bytes, veil: Veil) -> str:
    names = [name for name, _ in parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True)]
    # each is counted among all, so not among thousands
    return veil.text(next((name for name in names if names.count(name) > 1), "")) if len(names) <= 200 else ""


def _parameters(attempt: Attempt, sent: Sent) -> Iterator[Fault]:
    grant_type = sent.text("grant_type") if attempt.endpoint == "token" else ""
    if grant_type not in {"", "authorization_code"}:
        told = sent.veil.value(grant_type)
        found = fault(Cause.GRANT_TYPE_UNSUPPORTED, f"grant_type is {told}.", sent=told)
        yield replace(found, remedy=_NO_REFRESHING) if grant_type == "refresh_token" else found
        return  # which parameters belong to it is not known here
    for name in REQUIRED.get(attempt.endpoint, ()):
        if sent.fields.get(name) not in (None, ""):
            continue
        if name in sent.query:
            where = f"{name} is in the URL's query, not in the body."
            yield replace(fault(Cause.FIELD_IN_QUERY_STRING, where, field=name), remedy=_AS_FORM)
        else:
            yield fault(Cause.FIELD_MISSING, f"{name} is missing or empty.", field=name)


def _credentials(attempt: Attempt, sent: Sent) -> Iterator[Fault]:
    came = [name for name in ("client_secret", "client_assertion") if sent.form.get(name)]
    came += ["the Authorization header"] if sent.scheme else []
    if len(came) > 1:
        remedy = "Authenticate in one way only: the one that the client is registered for, or a JWT."
        yield replace(fault(Cause.MULTIPLE_AUTH_METHODS, f"The client authenticates by {' and by '.join(came)}."), remedy=remedy)
    if sent.scheme == "basic" and sent.basic is None:
        yield fault(Cause.BASIC_MALFORMED, "The Authorization header is no Basic pair that can be read.")
    elif sent.scheme not in {"", "basic"}:
        what = "has no scheme that is known" if sent.scheme == OTHER_SCHEME else f"is {sent.scheme.title()}"
        verdict = f"The Authorization header {what}, which is no way for a client to authenticate here."
        remedy = _JWT_IN_FORM if sent.header_jwt else _IN_FORM
        remedy = _AS_RESOURCE_SERVER if attempt.endpoint == "introspect" else remedy
        yield replace(fault(Cause.AUTH_METHOD_MISMATCH, verdict, came=sent.scheme), remedy=remedy)
    named = sent.form.get("client_id")
    if sent.basic is not None and named and named != sent.text("client_id"):
        verdict = "The form names another client_id than the Authorization header."
        remedy = "Leave client_id out of the form, or send the one of the header."
        evidence = {"in_form": sent.veil.value(named), "in_header": sent.veil.value(sent.text("client_id"))}
        yield replace(fault(Cause.CLAIM_CLIENT_ID_MISMATCH, verdict, **evidence), remedy=remedy)
    if sent.form.get("client_assertion") and sent.form.get("client_assertion_type") != assertion.TYPE:
        kind = sent.veil.value(sent.form.get("client_assertion_type") or "", 200)
        yield fault(Cause.ASSERTION_TYPE_WRONG, f"client_assertion_type is {kind or 'missing'}.", sent=kind, expected=assertion.TYPE)
    if not sent.text("client_id") and attempt.status == 401 and not sent.scheme:
        yield fault(Cause.FIELD_MISSING, "client_id is missing: nothing says which client this is.", field="client_id")
