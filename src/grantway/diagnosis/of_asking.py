"""What is wrong with a request for consent, or with the decision on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from grantway.authorization.request import MAX_STATE, is_registered
from grantway.clients.client import AuthMethod, Client
from grantway.clients.draft import MAX_SCOPES
from grantway.clients.redirect_uri import is_registered as is_registered_uri
from grantway.diagnosis import shown
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.of_code import redirect_uri
from grantway.diagnosis.sent import Sent
from grantway.diagnosis.veil import Veil
from grantway.scopes import scope
from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import Place, ScopeError
from grantway.trail import Outcome

_HEX_DIGITS = 64
_CHALLENGE_TOO = "Send a code_challenge, the SHA-256 of the verifier in base64url without padding, and code_challenge_method S256."
_METHOD_TOO = "Send code_challenge_method S256 beside the code_challenge."
_OR_WITHOUT_PKCE = "A client with a secret whose library cannot do PKCE may be registered without (require_pkce: false)."
_SCOPES_APART = "Send each scope apart: in JSON as one of a list, at the standard flow with a space between them."
_NAME_A_BUCKET = "Name one of the registered buckets in scope, or register the client without any bucket."
_LOOKED_AT = 20  # of a list that may fill 64 KiB

_OF_CHECK: Mapping[str, tuple[Cause, str]] = {
    "project_owned": (Cause.PROJECT_NOT_OWNED, "The project is not one of the user's who is signed in."),
    "request_known": (Cause.REQUEST_UNKNOWN, "There is no request with this request_id."),
    "request_yours": (Cause.REQUEST_NOT_YOURS, "The request was put to another user."),
    "request_pending": (Cause.REQUEST_NOT_PENDING, "The request has been answered before."),
    "request_fresh": (Cause.REQUEST_EXPIRED, "The request was not answered in time."),
    "client_active": (Cause.CLIENT_DISABLED, "This client is disabled."),
    "redirect_uri_registered": (
        Cause.REDIRECT_URI_MISMATCH,
        "The redirect_uri of the request was taken off the client before the user decided.",
    ),
    "scopes_short": (Cause.SCOPES_TOO_LONG, "The places that are asked for are too long together."),
    "not_contradictory": (
        Cause.SCOPE_CONTRADICTION,
        "A scope is both approved and rejected, or a rejected place lies in what is approved.",
    ),
    "within_the_request": (
        Cause.SCOPE_NOT_REQUESTED,
        "What was approved goes beyond what was requested, or leaves every requested place out.",
    ),
    "scopes_registered": (Cause.SCOPE_NOT_REGISTERED, "The client may not ask for these scopes."),
}


def of_request(sent: Sent, client: Client) -> Iterator[Fault]:
    """What is wrong with what this client asks."""
    uri = sent.text("redirect_uri")
    if uri and not is_registered_uri(uri, client.redirect_uris):
        yield redirect_uri(sent.veil, uri, client.redirect_uris, "this client has registered")
    yield from scopes(sent.veil, sent.fields.get("scope"), client)
    yield from _challenge(sent)
    if len(sent.text("state")) > MAX_STATE:
        yield fault(Cause.STATE_TOO_LONG, f"state has more than {MAX_STATE} characters.", characters=len(sent.text("state")))


def by_trail(attempt: Attempt, *checks: str) -> Iterator[Fault]:
    """What the judge's checks say that need no closer look; of those named, or of all."""
    for check in attempt.trail.checks if attempt.trail else ():
        if check.outcome is Outcome.FAILED and check.name in (checks or _OF_CHECK):
            cause, verdict = _OF_CHECK[check.name]
            yield fault(cause, verdict)


def scopes(veil: Veil, asked: object, client: Client | None) -> Iterator[Fault]:
    """What is wrong with a list of scopes: each that cannot be read, and then what they mean together."""
    texts = [one for one in asked[:_LOOKED_AT] if isinstance(one, str)] if isinstance(asked, list) else []
    if isinstance(asked, list) and len(asked) > MAX_SCOPES:
        yield fault(Cause.SCOPES_TOO_LONG, f"There are {len(asked)} scopes; a request has at most {MAX_SCOPES}.", scopes=len(asked))
    faulty = False
    for text in texts:
        try:
            scope.parse(text)
        except ScopeError as error:
            faulty = True
            yield _not_understood(veil.value(text), text, error)
    if faulty or not texts:
        return
    together = meaning_of(texts)
    if not together.gives_a_permission:
        yield fault(Cause.SCOPE_NO_PERMISSION, "The scopes name places, but no action.")
    elif client is not None and not is_registered(together, client):
        yield _not_registered(veil, [text for text in texts if not _is_within(text, client)], client)


def _not_understood(told: str, text: str, error: ScopeError) -> Fault:
    cause = Cause[error.cause.upper()]
    if "," in text and all(map(_is_scope, text.split(","))):
        verdict = f"{told} is taken for one scope: there are commas between several."
        return replace(fault(cause, verdict, scope=told), remedy=_SCOPES_APART)
    verdict = f"There is no scope {told}." if cause is Cause.SCOPE_UNKNOWN else f"The scope {told} is not understood: {error}"
    return fault(cause, verdict, scope=told)


def _is_scope(text: str) -> bool:
    try:
        scope.parse(text)
    except ScopeError:
        return False
    return True


def _not_registered(veil: Veil, beyond: Sequence[str], client: Client) -> Fault:
    registered = shown.text(" ".join(client.scopes), 200)
    which = ", ".join(veil.value(text) for text in beyond[:5])
    if which:
        verdict = f"The client has not registered all that it asks for: {which}."
        return fault(Cause.SCOPE_NOT_REGISTERED, verdict, beyond=which, registered=registered)
    verdict = "The request names no bucket, which asks for the whole project; the client has registered some buckets only."
    told = fault(Cause.SCOPE_NOT_REGISTERED, verdict, beyond="the whole project", registered=registered)
    return replace(told, remedy=_NAME_A_BUCKET)


def _is_within(text: str, client: Client) -> bool:
    registered, one = meaning_of(client.scopes), scope.parse(text)
    if isinstance(one, Place):
        return not registered.places or any(one.within(place) for place in registered.places)
    return one in registered.actions


def of_page(attempt: Attempt, sent: Sent, client: Client) -> Iterator[Fault]:
    """What only the page of the standard flow asks for, on top of the judge: response_type and, of most clients, PKCE."""
    response_type = sent.fields.get("response_type")
    if attempt.error == "unsupported_response_type":
        yield fault(Cause.RESPONSE_TYPE_UNSUPPORTED, f"response_type is {sent.veil.value(response_type or 'missing', 20)}.")
    # the page asks for these once the judge finds nothing, and they are told besides other faults; in JSON nothing asks for them
    if attempt.trail is None or response_type != "code" or not (attempt.trail.passed or attempt.method == "GET"):
        return
    if client.require_pkce and not sent.fields.get("code_challenge"):
        remedy = _CHALLENGE_TOO if client.auth_method is AuthMethod.NONE else f"{_CHALLENGE_TOO} {_OR_WITHOUT_PKCE}"
        yield replace(fault(Cause.PKCE_CHALLENGE_MALFORMED, "code_challenge is missing; this client must use PKCE."), remedy=remedy)
    elif sent.fields.get("code_challenge") and not sent.fields.get("code_challenge_method"):
        verdict = "code_challenge_method is missing, which means plain (RFC 7636); it must be S256."
        yield replace(fault(Cause.PKCE_CHALLENGE_MALFORMED, verdict), remedy=_METHOD_TOO)


def _challenge(sent: Sent) -> Iterator[Fault]:
    challenge, method = sent.fields.get("code_challenge"), sent.fields.get("code_challenge_method")
    if isinstance(method, str) and method.lower() == "plain":
        yield fault(Cause.PKCE_METHOD_PLAIN, "code_challenge_method is plain.")
    elif method not in (None, "S256"):
        verdict = f"code_challenge_method is {sent.veil.value(method, 20)}; it must be S256."
        yield replace(fault(Cause.PKCE_CHALLENGE_MALFORMED, verdict), remedy=_METHOD_TOO)
    elif method is not None and challenge is None:
        yield fault(Cause.PKCE_CHALLENGE_MALFORMED, "There is a code_challenge_method but no code_challenge.")
    if not isinstance(challenge, str) or (isinstance(method, str) and method.lower() == "plain"):
        return
    if len(challenge) == _HEX_DIGITS and all(char in "0123456789abcdefABCDEF" for char in challenge):
        yield fault(Cause.PKCE_HEX_DIGEST, "code_challenge is the SHA-256 in hex, not in base64url.")
    elif len(challenge) != 43 or not challenge.replace("-", "").replace("_", "").isalnum():
        yield fault(
            Cause.PKCE_CHALLENGE_MALFORMED, f"code_challenge has {len(challenge)} characters or others than base64url's; it needs 43."
        )
