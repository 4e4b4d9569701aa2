"""From what came and what is known to a finding: every independent fault, the one that was answered first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from grantway.clients.client import Client
from grantway.diagnosis import answered, facts, of_asking, of_assertion, of_body, of_client, of_code, of_form, of_secret, proof, shown
from grantway.diagnosis import sent as sending
from grantway.diagnosis.attempt import Attempt, Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Evidence, Fault, Finding
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.sent import Sent, Shape, Way
from grantway.diagnosis.veil import Veil
from grantway.trail import Outcome

MOST_FAULTS = 12


def diagnose(attempt: Attempt, known: Known, audiences: frozenset[str]) -> Finding:
    """Explain one answer. `audiences` are the values that a JWT's `aud` may name. Never fails on what was sent."""
    sent = sending.veiled(sending.read(attempt), attempt, known)
    faults: Sequence[Fault] = ()
    if attempt.error is not None:
        since = answered.ruled_out(attempt)
        found = [one for one in _faults(attempt, sent, known, audiences) if one.cause not in since]
        faults = _ordered(found, attempt)[:MOST_FAULTS]
    bare = replace(_bare(attempt, sent, known), faults=tuple(faults), checks=facts.checks(attempt))
    proof_of = proof.proved_by(attempt, sent, known, faults) if known.client is not None else None
    return replace(bare, proved=proof_of is not None, source=proof_of or attempt.source)


def granted(attempt: Attempt) -> Finding:
    """The short finding of an exchange that succeeded: which secret, how long the JWT lived, the clock. Without any look-up."""
    client = attempt.client
    seen = dict(attempt.trail.facts) if attempt.trail else {}
    return _outline(attempt, client, client.client_id if client else "", seen, proved=client is not None)


def unexplained(attempt: Attempt) -> Finding:
    """The finding of a refusal whose diagnosis failed."""
    told = fault(Cause.UNKNOWN, "The diagnosis itself failed.", error=attempt.error)
    return replace(granted(attempt), faults=(told,), source=attempt.source)


def _bare(attempt: Attempt, sent: Sent, known: Known) -> Finding:
    claimed = sent.claimed
    client = known.client
    if client is None and (found := of_client.meant(claimed, known)):
        client = found[0]
    # a client_id is public; what is none may be a secret that was put in its place
    shown_as = sent.veil.value(claimed) if client is None or claimed != client.client_id else claimed
    return _outline(attempt, client, shown_as, facts.of(attempt, sent))


def _outline(attempt: Attempt, client: Client | None, claimed: str, seen: Mapping[str, Evidence], *, proved: bool = False) -> Finding:
    """Which answer it is, and whose: of what was wrong nothing yet."""
    return Finding(
        trace_id=attempt.trace_id,
        at=attempt.at,
        endpoint=attempt.endpoint,
        method=attempt.method,
        path=attempt.path,
        status=attempt.status,
        error=attempt.error,
        claimed=claimed,
        client_id=client.client_id if client else None,
        client_name=client.name if client else None,
        client_row_id=client.row_id if client else None,
        developer_id=client.developer_id if client else None,
        facts=seen,
        proved=proved,
    )


def _faults(attempt: Attempt, sent: Sent, known: Known, audiences: frozenset[str]) -> Iterator[Fault]:
    """Everything that is wrong, in the order of the judges' checks."""
    # 1. what says nothing of the request itself, which may be right: nothing of it is blamed
    if attempt.status >= 500:
        yield fault(Cause.SERVER_FAULT, f"The server could not answer: {shown.text(attempt.fault or 'it failed', 200)}.")
        return
    if attempt.error == "rate_limited":
        until = f"; try again after {attempt.retry_after} s" if attempt.retry_after else ""
        yield fault(Cause.RATE_LIMITED, f"Too many requests{until}.", retry_after_seconds=attempt.retry_after)
        return
    if attempt.trail is None and (unread := _UNREAD.get(attempt.error or "")):
        yield fault(unread[0], unread[1] or attempt.description)
        return
    if attempt.repeated:
        yield _twice(attempt.repeated, sent.veil)
        return
    # 2. its form
    yield from of_form.faults(attempt, sent) if attempt.is_standard else of_body.faults(attempt, sent)
    # 3. what it says, where there are fields to look at
    if sent.shape not in {Shape.OBJECT, Shape.FORM, Shape.TWICE}:
        return
    if attempt.endpoint == "request":
        yield from _of_request(attempt, sent, known)
    elif attempt.endpoint == "integration":
        yield from _of_integration(attempt, sent, known, audiences)
    elif attempt.endpoint == "consent":
        yield from of_asking.scopes(sent.veil, _both(sent), None)
        yield from of_asking.by_trail(attempt)
    else:
        yield from _of_token(attempt, sent, known, audiences)


_UNREAD = {
    "method_not_allowed": (Cause.METHOD_NOT_ALLOWED, ""),  # the answer names both methods
    "unauthorized": (Cause.SESSION_MISSING, "No user was signed in: the session was missing, unknown or had ended."),
    "forbidden": (Cause.ORIGIN_FOREIGN, "A browser sent this with the user's cookie, from a page that is not of this server."),
}
"""What is refused before anything of the body counts, whatever stands in it."""


def _twice(name: str, veil: Veil) -> Fault:
    if name in _HEADERS:
        cause, remedy = _HEADERS[name]
        return replace(fault(cause, f"The header field {name} came more than once.", header=name), remedy=remedy)
    parameter = veil.text(name, 40)
    told = fault(Cause.BODY_MALFORMED, f"The parameter {parameter} is in the query more than once.", parameter=parameter)
    return replace(told, remedy="Send each parameter of the query once.")


_HEADERS = {
    "authorization": (Cause.MULTIPLE_AUTH_METHODS, "Send one Authorization header at most; look what adds another: a proxy, or a library."),
    "content-type": (Cause.BODY_CONTENT_TYPE, "Send one Content-Type header; look what adds another: a proxy, or a library."),
}


def _of_request(attempt: Attempt, sent: Sent, known: Known) -> Iterator[Fault]:
    claimed = sent.text("client_id")
    if claimed:
        yield from of_client.faults(claimed, known, sent.veil)
    if known.client is not None and _was_there(attempt, known):
        yield from of_asking.of_request(sent, known.client)
        yield from of_asking.of_page(attempt, sent, known.client)
    else:
        # what is registered is not known: all that can be told is whether they can be read
        yield from of_asking.scopes(sent.veil, sent.fields.get("scope"), None)
    yield from of_asking.by_trail(attempt, "project_owned", "client_active", "scopes_short")


def _of_integration(attempt: Attempt, sent: Sent, known: Known, audiences: frozenset[str]) -> Iterator[Fault]:
    """StorX's page: a JWT in the URL, then a request like any other."""
    if _failed(attempt) & _OF_AUTHENTICATION and "client_secret" in sent.fields:
        if not sent.text("client_secret"):
            remedy = "Put a JWT signed with the client's secret into the URL, as client_secret."
            yield replace(fault(Cause.NO_CREDENTIALS, "client_secret is missing in the URL: nothing tells which app it is."), remedy=remedy)
        yield from of_assertion.faults(attempt, sent, known, audiences)
    yield from _of_request(attempt, sent, known)


def _was_there(attempt: Attempt, known: Known) -> bool:
    """Whether the client was not deleted when it was answered: deleted since, all but its secrets is known still."""
    return not known.is_deleted or Cause.CLIENT_DELETED in answered.ruled_out(attempt)


def _both(sent: Sent) -> list[object]:
    lists = (sent.fields.get("approved_scopes"), sent.fields.get("rejected_scopes"))
    actions: list[object] = ["read"]  # a list of places alone is no fault in a decision
    return actions + [one for some in lists if isinstance(some, list) for one in some]


def _of_token(attempt: Attempt, sent: Sent, known: Known, audiences: frozenset[str]) -> Iterator[Fault]:
    claimed = sent.text("client_id")
    if claimed:
        yield from of_client.faults(claimed, known, sent.veil)
    yield from of_asking.by_trail(attempt, "client_active")  # it may be enabled since
    failed = _failed(attempt)
    # else it is that client: nothing is wrong with its JWT or its secret
    if attempt.trail is None or failed & _OF_AUTHENTICATION:
        if sent.way in {Way.FIELD, Way.ASSERTION}:
            yield from of_assertion.faults(attempt, sent, known, audiences)
        else:
            yield from of_secret.faults(sent, known, claimed, failed)
    if "not_replayed" in failed or of_code.claimed_as(attempt) == "assertion_used_elsewhere":
        yield of_assertion.replayed(attempt, known)
    if known.client is not None and _was_there(attempt, known):
        yield from of_code.faults(attempt, sent, known.client, known)
    if "key_known" in failed:
        yield fault(Cause.PASSPHRASE_MISSING, "A prefix was approved, and no passphrase came to encrypt it with.")
    if "issued_to_client" in failed:
        yield fault(Cause.TOKEN_OF_ANOTHER_CLIENT, "The key is genuine, but was issued to another client.")
    yield from _of_the_claim(attempt, known)


def _of_the_claim(attempt: Attempt, known: Known) -> Iterator[Fault]:
    """What the claim met that the judges had not seen: somebody else was quicker."""
    outcome = of_code.claimed_as(attempt)
    if outcome in {"used_by_this_assertion", "used_by_another"}:
        yield of_code.used(attempt, known, "at the same moment")
    elif outcome in _OF_THE_CLAIM:
        yield fault(*_OF_THE_CLAIM[outcome])


_OF_THE_CLAIM = {
    "client_ended": (Cause.CLIENT_DISABLED, "The client was disabled or deleted at this very moment."),
    "secret_ended": (Cause.RETIRED_SECRET, "The secret that signed was replaced at this very moment."),
    "consent_ended": (Cause.CONSENT_ENDED, "The consent was withdrawn at this very moment."),
    "project_gone": (Cause.PROJECT_MISSING, "The user's project was deleted at this very moment."),
}


def _failed(attempt: Attempt) -> set[str]:
    return {check.name for check in attempt.trail.checks if check.outcome is Outcome.FAILED} if attempt.trail else set()


def _ordered(faults: list[Fault], attempt: Attempt) -> list[Fault]:
    """The fault that was answered first, each cause once, unless it is of several fields; `unknown` when there is none."""
    once = list({(one.cause, one.verdict if one.cause in _OF_A_FIELD else ""): one for one in reversed(faults)}.values())[::-1]
    if not once:
        return [fault(Cause.UNKNOWN, "The request was refused, and none of the known causes fits.", error=attempt.error)]
    # `sorted` is stable: behind what was answered the order of the judges' checks stays
    likely = answered.causes(attempt)
    return sorted(once, key=lambda one: one.cause not in likely)


_OF_A_FIELD = frozenset(
    {Cause.FIELD_MISSING, Cause.FIELD_MISNAMED, Cause.FIELD_IN_QUERY_STRING, Cause.CLAIM_MISSING, Cause.SCOPE_UNKNOWN, Cause.SCOPE_SYNTAX}
)


_OF_AUTHENTICATION = frozenset(
    {
        "assertion_readable", "algorithm_expected", "claims_present", "client_known", "client_active", "signature_valid", "not_expired",
        "client_ids_equal", "not_too_long", "iat_not_ahead", "nbf_not_ahead", "audience_ours", "not_replayed",
        "method_registered", "secret_right", "client_confidential",
    }
)  # fmt: skip
