"""What did the person allow? The judge of a decision, and the consent with its caveat (contract, sections 2 and 4)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grantway.access_grant import AllowedPath
from grantway.authorization.request import AccessRequest, AnswerOutcome, Status, is_registered, required_of, understood
from grantway.clients import redirect_uri
from grantway.oauth_error import (
    CLIENT_INACTIVE,
    FORBIDDEN,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    INVALID_REQUEST_ID,
    INVALID_SCOPE,
    REQUEST_EXPIRED,
    REQUEST_NOT_PENDING,
    OAuthError,
    RefusedError,
)
from grantway.scopes.meaning import Meaning, meaning_of, permission, unique
from grantway.trail import Trail

# limits of the contract, which a test compares with these three
DEFAULT_LIFETIME = timedelta(days=30)
SHORTEST = timedelta(seconds=60)
LONGEST = timedelta(days=365)
NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided, as it came."""

    request_id: str
    approved: Sequence[str]
    rejected: Sequence[str]
    approve: bool = True
    project_id: str | None = None
    lifetime: timedelta = DEFAULT_LIFETIME
    session_digest: bytes | None = field(default=None, repr=False)
    """The session of the page that it comes from; None: it came from no page of ours."""
    passphrase: str | None = field(default=None, repr=False)
    """None: the app may bring it to the exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person allowed an app: a caveat on the project's root key, and until when.

    `caveat` and `tail_digest` (SHA-256 of the tail that the caveat makes) are None when nothing can descend from the consent: the
    person has no project, or approved no action.
    """

    id: str
    request_id: str
    user_id: str
    client_row_id: str
    project_id: str | None
    scopes: tuple[str, ...]
    rejected_scopes: tuple[str, ...]
    caveat: bytes | None = field(repr=False)
    tail_digest: bytes | None = field(repr=False)
    created_at: datetime
    not_after: datetime
    withdrawn_at: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Whether it still allows anything."""
        return self.withdrawn_at is None and now < self.not_after


@dataclass(frozen=True, slots=True)
class Approved:
    """The person allows these scopes on this project, until then."""

    request: AccessRequest
    scopes: tuple[str, ...]
    rejected: tuple[str, ...]
    meaning: Meaning
    project_id: str | None
    not_after: datetime
    trail: Trail


@dataclass(frozen=True, slots=True)
class Rejected:
    """The person refuses, or refuses what the app cannot do without."""

    request: AccessRequest
    rejected: tuple[str, ...]
    trail: Trail


@dataclass(frozen=True, slots=True)
class NotDecidable:
    """The decision cannot be taken; whoever sent it hears `error`."""

    error: OAuthError
    trail: Trail


# the first check stands first: of an unknown request all others are not reached
ANSWER = {
    "request_known": INVALID_REQUEST_ID,
    "request_yours": FORBIDDEN.saying("This request was made by somebody else."),
    "request_in_session": FORBIDDEN.saying("This request was made in another session; go back to the app and begin again."),
    "request_pending": REQUEST_NOT_PENDING,
    "request_fresh": REQUEST_EXPIRED,
    "client_active": CLIENT_INACTIVE,
    "redirect_uri_registered": INVALID_REDIRECT_URI.saying(
        "The redirect_uri of this request is no longer one that the client has registered."
    ),
    "project_owned": FORBIDDEN.saying("This project is not yours."),
    "scopes_understood": INVALID_SCOPE,
    "not_contradictory": INVALID_REQUEST.saying("A scope is both approved and rejected, or a rejected place lies in what is approved."),
    "within_the_request": INVALID_SCOPE.saying("The approved scopes go beyond what was requested; a requested place must stay."),
    "scopes_registered": INVALID_SCOPE.saying("The client may no longer ask for these scopes."),
}
_OF_THE_APP = frozenset({"request_pending", "request_fresh", "client_active", "redirect_uri_registered", "scopes_registered"})
"""The checks that a decision fails because of the app, or of its request. All others are the person's."""
_OF_THE_REQUEST = (
    "request_known", "request_yours", "request_in_session", "request_pending", "request_fresh", "client_active",
    "redirect_uri_registered",
)  # fmt: skip
"""The checks that are made whatever was chosen."""
_NOT_RECORDED_AS = {
    AnswerOutcome.NOT_PENDING: "request_pending",
    AnswerOutcome.CLIENT_INACTIVE: "client_active",
    AnswerOutcome.REDIRECT_URI_GONE: "redirect_uri_registered",
}


def judge(
    decision: Decision, request: AccessRequest | None, user_id: str, owned_projects: Sequence[str], now: datetime
) -> Approved | Rejected | NotDecidable:
    """Decide on a decision. `request` is None when there is none with that id; `owned_projects` are the person's, the oldest first."""
    trail = Trail()
    # 1. the request is there to be answered, by this person, now
    if not trail.check("request_known", request is not None) or request is None:
        trail.not_reached(*list(ANSWER)[1:])
        return NotDecidable(INVALID_REQUEST_ID, trail)
    trail.check("request_yours", request.user_id == user_id)
    trail.check("request_in_session", request.session_digest in {None, decision.session_digest})
    trail.check("request_pending", request.status is Status.PENDING)
    trail.check("request_fresh", now < request.expires_at)
    trail.check("client_active", request.client.is_active)
    # the client as it is now: neither a code nor a denial goes to a place that its developer took off (RFC 6749 section 3.1.2)
    trail.check("redirect_uri_registered", redirect_uri.is_registered(request.redirect_uri, request.client.redirect_uris))
    # the person's word comes before the app's, and the oldest project takes the place of both (contract, section 2)
    project_id = decision.project_id or request.project_id
    trail.check("project_owned", project_id is None or project_id in owned_projects)
    # 2. what is said makes sense and stays within what was asked
    meaning, rejected = _check_scopes(trail, decision, request)
    first = trail.first_failed
    if meaning is None or first is not None:
        return NotDecidable(ANSWER[first or "scopes_understood"], trail)
    # 3. it is a yes, to all that the app cannot do without
    if not decision.approve or not decision.approved or _lacks_required(meaning, request):
        return Rejected(request, rejected, trail)
    # whole seconds, as answers show it
    not_after = now.replace(microsecond=0) + decision.lifetime
    return Approved(request, unique(decision.approved), rejected, meaning, project_id or next(iter(owned_projects), None), not_after, trail)


def not_recorded(outcome: AnswerOutcome) -> RefusedError:
    """How a decision is refused that was not stored, because something had changed: as if it had been judged at that moment."""
    failed, trail = _NOT_RECORDED_AS[outcome], Trail()
    trail.check(failed, False)
    return RefusedError(ANSWER[failed], trail)


def seen_by_app(trail: Trail) -> Trail | None:
    """What the app's developer may see of a refused decision: nothing that tells what the person chose.

    None when it was refused for what is the person's alone.
    """
    if trail.first_failed is None or trail.first_failed not in _OF_THE_APP:
        return None
    return trail.only({*_OF_THE_REQUEST, trail.first_failed})


def caveat(meaning: Meaning, not_after: datetime, nonce: bytes) -> bytes | None:
    """The consent as a caveat: actions, buckets without prefixes, the end, a nonce of 16 random bytes. None when it gives no permission."""
    if not meaning.gives_a_permission:
        return None
    return permission(meaning, not_after=not_after).caveat(buckets(meaning), nonce).serialise()


def buckets(meaning: Meaning) -> tuple[AllowedPath, ...]:
    """The places of a consent's caveat: whole buckets, each once, because a prefix is encrypted with a key that we don't have yet."""
    return tuple(AllowedPath(bucket, b"") for bucket in dict.fromkeys(place.bucket for place in meaning.places))


def _check_scopes(trail: Trail, decision: Decision, request: AccessRequest) -> tuple[Meaning | None, tuple[str, ...]]:
    approved, fault = understood(decision.approved)
    rejected, other_fault = understood(decision.rejected)
    requested = meaning_of(request.scopes)
    if not trail.check("scopes_understood", approved is not None and rejected is not None, why=fault or other_fault):
        return None, ()
    # with `approve` false all is rejected, whatever the lists say
    trail.check("not_contradictory", not decision.approve or not _contradicts(approved, decision.rejected, requested))
    if decision.approve and decision.approved and approved is not None:
        trail.check("within_the_request", approved.within(requested))
        # again, for the client may have lost scopes since it asked
        trail.check("scopes_registered", is_registered(requested, request.client))
    # what nobody approved is rejected, whether it was named or not
    return approved, tuple(text for text in request.scopes if not decision.approve or approved is None or not _was_approved(text, approved))


def _contradicts(approved: Meaning | None, rejected: Collection[str], requested: Meaning) -> bool:
    """Whether something is rejected that is allowed all the same: an action, or a place that lies in an approved one, or in the whole
    project where that was asked for and is approved."""
    if approved is None:
        return False
    is_whole = approved.gives_a_permission and not approved.places and not requested.places
    each = [meaning_of([text]) for text in rejected]
    return any(_allows_all(approved, one) or (is_whole and bool(one.places)) for one in each)


def _lacks_required(approved: Meaning, request: AccessRequest) -> bool:
    return any(not _was_approved(text, approved) for text in required_of(request.scopes, request.client))


def _was_approved(text: str, approved: Meaning) -> bool:
    """Whether a requested scope was approved, a place at least in part."""
    one = meaning_of([text])
    return _allows_all(approved, one) or (bool(one.places) and any(place.within(one.places[0]) for place in approved.places))


def _allows_all(approved: Meaning, one: Meaning) -> bool:
    """Whether all of one scope is approved, by itself or because it lies in an approved place."""
    return one.actions <= approved.actions if one.actions else any(one.places[0].within(place) for place in approved.places)
