"""May this client collect this code? RFC 6749 section 4.1.3 and the contract's section 1, decided without I/O."""

from dataclasses import dataclass
from datetime import datetime

from grantway.authorization import pkce
from grantway.authorization.code import AuthorizationCode
from grantway.authorization.consent import Consent
from grantway.clients.authentication import Authenticated
from grantway.oauth_error import (
    CODE_ALREADY_USED,
    CODE_EXPIRED,
    INVALID_CODE,
    INVALID_REDIRECT_URI,
    INVALID_SCOPE,
    NO_PROJECT,
    OAuthError,
)
from grantway.scopes.meaning import meaning_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeExchange:
    """What an authenticated client presents."""

    client: Authenticated
    redirect_uri: str | None
    """None where the standard flow leaves it out, which it may where PKCE binds the code (OAuth 2.1 section 10.2)."""
    code_verifier: str | None
    is_public: bool = False
    """The client said its name and proved nothing: then only PKCE proves that the code is its own (RFC 9700 section 2.1.1)."""


@dataclass(frozen=True, slots=True)
class Issue:
    """The code may be claimed, and a grant issued on this consent."""

    code: AuthorizationCode
    consent: Consent
    project_id: str
    caveat: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is issued, nothing is used up. `leaked` means that the code was collected before with another JWT, or, of a public client,
    comes with its verifier once more: somebody else has it, so what it yielded must be revoked."""

    error: OAuthError
    leaked: bool = False


ANSWER = {
    "code_known": INVALID_CODE,
    "code_unused": CODE_ALREADY_USED,
    "consent_alive": INVALID_CODE,
    "code_fresh": CODE_EXPIRED,
    "redirect_uri_equal": INVALID_REDIRECT_URI.saying("redirect_uri is not the one that the code was issued for."),
    "pkce_proved": INVALID_CODE,
    "project_there": NO_PROJECT,
    "permission_given": INVALID_SCOPE.saying("The user approved nothing that gives a permission."),
}


def judge(exchange: CodeExchange, code: AuthorizationCode | None, now: datetime) -> Issue | Refusal:
    """Decide on an exchange. `code` is None when no code has that digest; the trail of `exchange.client` is continued."""
    # in the contract's order of faults (section 1): the first that is found is answered
    trail = exchange.client.trail
    # 1. it is a code of this client, not used before
    # another client's code is answered as one that there is not: its holder learns nothing of it
    known = code is not None and code.consent.client_row_id == exchange.client.client.row_id
    if not trail.check("code_known", known) or code is None:
        trail.not_reached(*(name for name in ANSWER if name != "code_known"))
        return Refusal(INVALID_CODE)
    trail.check("code_unused", code.used_at is None, used_at=code.used_at)
    # 2. what the person allowed still stands, and the code is in time
    trail.check("consent_alive", code.consent.is_alive(now))
    trail.check("code_fresh", code.is_fresh(now), age=(now - code.issued_at).total_seconds())
    # 3. it comes back the way it went out
    is_left_out = exchange.redirect_uri is None and code.code_challenge is not None
    trail.check("redirect_uri_equal", is_left_out or exchange.redirect_uri == code.redirect_uri)
    is_bound = code.code_challenge is not None or not exchange.is_public
    trail.check("pkce_proved", is_bound and pkce.proves(exchange.code_verifier, code.code_challenge))
    # 4. there is something to give
    trail.check("project_there", code.has_project and code.consent.project_id is not None)
    trail.check("permission_given", meaning_of(code.consent.scopes).gives_a_permission)
    return _decision(code, exchange, trail.first_failed)


def _decision(code: AuthorizationCode, exchange: CodeExchange, first_failed: str | None) -> Issue | Refusal:
    consent = code.consent
    if first_failed is not None:
        return Refusal(ANSWER[first_failed], first_failed == "code_unused" and _is_in_two_hands(code, exchange))
    if consent.project_id is None or consent.caveat is None:
        return Refusal(NO_PROJECT)
    return Issue(code, consent, consent.project_id, consent.caveat)


def _is_in_two_hands(code: AuthorizationCode, exchange: CodeExchange) -> bool:
    """Whether a used code, which comes again, shows that somebody else has it and what it takes to collect it."""
    # a code stands in histories, and a public client's id is public: without the verifier whoever shows both has collected nothing
    if exchange.is_public and not pkce.proves(exchange.code_verifier, code.code_challenge):
        return False
    # the same JWT again is a retry; only another one shows it
    return code.used_by != exchange.client.assertion_digest
