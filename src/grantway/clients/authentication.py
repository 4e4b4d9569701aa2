"""Does this request come from that client? The six checks of the contract (section 1) and their kin, decided without I/O.

The same checks are made, and the same number of signatures computed, whether the client is known or not.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from grantway.clients.assertion import ALGORITHM, Assertion
from grantway.clients.client import AuthMethod, Client
from grantway.oauth_error import CLIENT_SECRET_EXPIRED, INVALID_CLIENT, OAuthError
from grantway.trail import Trail

LONGEST = timedelta(minutes=5)
LONGEST_RFC7523 = timedelta(hours=1)
"""Of a `client_assertion`, and of a JWT in a URL: widely used libraries sign for an hour and cannot be told otherwise."""
LEEWAY = timedelta(seconds=60)
TRIED_SECRETS = 2  # as many as are good at a time (contract, section 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSecret:
    """A secret that authenticates now, unsealed; `version` None stands for one that nobody has."""

    version: int | None
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What came: the claimed `client_id` and the JWT, or None when it could not be read and why."""

    client_id: str
    assertion: Assertion | None
    unreadable: str | None = None
    code_digest: bytes
    is_rfc7523: bool = False
    """The JWT came as `client_assertion`: `iss` and `sub` name the client, and `aud` must name us (RFC 7523 section 3)."""
    is_in_url: bool = False
    """The JWT came in the URL of the integration page: it may live longer, and come again when the page is loaded again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """It is that client. The assertion is used up by the claim of a code, and is good for no other."""

    client: Client
    secret_version: int
    assertion_digest: bytes
    trail: Trail


@dataclass(frozen=True, slots=True)
class NotAuthenticated:
    """It is not, or not provably: the answer, which tells nothing, and the trail, which tells all."""

    error: OAuthError
    trail: Trail


def judge(
    presented: Presented,
    client: Client | None,
    secrets: Sequence[LiveSecret],
    consumed_by: bytes | None,
    audiences: frozenset[str],
    now: datetime,
) -> Authenticated | NotAuthenticated:
    """Decide on a presented assertion.

    `client` is None when no client has that id; `secrets` are then `TRIED_SECRETS` dummies. `consumed_by` is the digest of the code that
    this assertion was used for before, or its own when it stood in a URL; None when neither. `audiences` are the values that `aud` may
    name.
    """
    trail = Trail()
    assertion = presented.assertion
    # 1. the JWT can be read
    if not trail.check("assertion_readable", assertion is not None, why=presented.unreadable) or assertion is None:
        trail.not_reached("algorithm_expected", "claims_present")
        _client_checks(trail, client)
        trail.not_reached(*_OF_THE_CLAIMS)
        return NotAuthenticated(INVALID_CLIENT, trail)
    # 2. it has the algorithm and the claims that the contract asks for
    # crit names what must be understood, or the JWT refused (RFC 7515 section 4.1.11); nothing of it is
    trail.check("algorithm_expected", assertion.header.get("alg") == ALGORITHM and "crit" not in assertion.header)
    # RFC 7523 section 3 has the client in `sub` and in `iss`, of which step 6 takes care
    claimed, ends = assertion.claims.get("sub" if presented.is_rfc7523 else "client_id"), numeric_date(assertion.claims.get("exp"))
    trail.check("claims_present", isinstance(claimed, str) and ends is not None)
    # 3. the client is known and active
    _client_checks(trail, client)
    # 4. the signature is made with a live secret of it: every secret is tried, so that the time tells nothing
    matching = [secret.version for secret in secrets if assertion.is_signed_with(secret.key) and secret.version is not None]
    trail.check("signature_valid", bool(matching))
    # 5. it has not expired; without leeway
    trail.check("not_expired", ends is None or now < ends, age=None if ends is None else (now - ends).total_seconds())
    # 6. both client_ids are the same
    names = [claimed, assertion.claims.get("iss")] if presented.is_rfc7523 else [claimed]
    trail.check("client_ids_equal", all(name == presented.client_id for name in names))
    # 7. and what the contract allows besides is as it allows it
    longest = LONGEST_RFC7523 if presented.is_rfc7523 or presented.is_in_url else LONGEST
    trail.check("not_too_long", ends is None or ends <= now + longest + LEEWAY)
    _optional_claims(trail, assertion, audiences, now, presented.is_rfc7523)
    # used for this very code it is a retry; used for itself it stood in a URL, and no code can make that a retry
    is_retry = consumed_by == presented.code_digest and consumed_by != assertion.digest
    trail.check("not_replayed", presented.is_in_url or consumed_by is None or is_retry)
    if client is None or ends is None or not matching or not trail.passed:
        # that it expired hears only who signed it with a live secret of an active client: expiry is then the first fault
        return NotAuthenticated(CLIENT_SECRET_EXPIRED if trail.first_failed == "not_expired" else INVALID_CLIENT, trail)
    lived = (ends - now).total_seconds()
    trail.facts.update(secret_version=max(matching), assertion_ends_in_seconds=round(lived, 1), clock_skew_seconds=_skew(assertion, now))
    return Authenticated(client=client, secret_version=max(matching), assertion_digest=assertion.digest, trail=trail)


def judge_plain(
    method: AuthMethod, presented: bytes, client: Client | None, secrets: Sequence[LiveSecret], nonce_digest: bytes
) -> Authenticated | NotAuthenticated:
    """Decide on a client that sends its secret itself (`presented`, as it came), or none at all.

    Only a client that is registered for the method may use it. `nonce_digest` is 32 bytes that no other request has: it takes the place
    of an assertion's digest, so that each request is told from each other one.
    """
    trail = Trail()
    _client_checks(trail, client)
    trail.check("method_registered", client is not None and client.auth_method is method)
    # all of them, also where nobody has that id: the time tells nothing
    matching = [one.version for one in secrets if hmac.compare_digest(one.key, presented) and one.version is not None]
    trail.check("secret_right", bool(matching) or method is AuthMethod.NONE)
    if client is None or not trail.passed:
        return NotAuthenticated(INVALID_CLIENT, trail)
    return Authenticated(client=client, secret_version=max(matching, default=0), assertion_digest=nonce_digest, trail=trail)


_OF_THE_CLAIMS = (
    "signature_valid", "not_expired", "client_ids_equal", "not_too_long", "iat_not_ahead", "nbf_not_ahead", "audience_ours", "not_replayed",
)  # fmt: skip


def _client_checks(trail: Trail, client: Client | None) -> None:
    if trail.check("client_known", client is not None) and client is not None:
        trail.check("client_active", client.is_active)
    else:
        trail.not_reached("client_active")


def _optional_claims(trail: Trail, assertion: Assertion, audiences: frozenset[str], now: datetime, is_audience_required: bool) -> None:
    latest = now + LEEWAY
    for claim, check in (("iat", "iat_not_ahead"), ("nbf", "nbf_not_ahead")):
        value = assertion.claims.get(claim)
        trail.check(check, value is None or ((moment := numeric_date(value)) is not None and moment <= latest))
    audience = assertion.claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    trail.check(
        "audience_ours",
        (audience is None and not is_audience_required) or any(isinstance(name, str) and name in audiences for name in named),
    )


def _skew(assertion: Assertion, now: datetime) -> float | None:
    """How far the clock of whoever signed runs ahead, in seconds, as `iat` tells; None without it."""
    issued = numeric_date(assertion.claims.get("iat"))
    return None if issued is None else round((issued - now).total_seconds(), 1)


def numeric_date(value: object) -> datetime | None:
    """A NumericDate (RFC 7519 section 2) as a time; None for what is no number. What no calendar holds becomes its end or its start."""
    if type(value) is not int and type(value) is not float:  # True is an int as well
        return None
    # no fault by itself: such a time is compared like any other, and is too far ahead or long over
    if not _FIRST <= value <= _LAST:
        return datetime.max.replace(tzinfo=UTC) if value > 0 else datetime.min.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC)


def within_the_calendar(seconds: float) -> float:
    """Unix seconds, at most those of the years 1 and 9999: JSON has integers that no float holds, and arithmetic fails with them."""
    return min(max(seconds, _FIRST), _LAST)


_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 and 9999, which is what a datetime holds
