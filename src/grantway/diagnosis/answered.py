"""Which causes an answer can stand for: of several faults, the one that was answered is told first. And which it rules out."""

from collections.abc import Mapping

from grantway.diagnosis import of_assertion
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.cause import Cause
from grantway.trail import Outcome


def causes(attempt: Attempt) -> frozenset[Cause]:
    """The causes that the answer can stand for."""
    if attempt.error == "unsupported_response_type":  # the page says so whatever the judge says
        return frozenset({Cause.RESPONSE_TYPE_UNSUPPORTED})
    return _CAUSES_OF_CHECK.get(attempt.trail.first_failed or "", frozenset()) if attempt.trail else frozenset()


def ruled_out(attempt: Attempt) -> frozenset[Cause]:
    """What came about only after the answer: storage is asked later, and what had stood when it was judged was no fault then."""
    checks = attempt.trail.checks if attempt.trail else []
    # a claim looks at all of it once more, and then it is the claim that is answered
    if any(one.name == "code_claimed" for one in checks):
        return frozenset()
    held = {_CHANGES[one.name] for one in checks if one.outcome is Outcome.PASSED and one.name in _CHANGES}
    if any(one.name in _BY_ITS_SECRETS and one.outcome is Outcome.FAILED for one in checks):
        held.discard(Cause.CLIENT_DELETED)
    return frozenset(held - causes(attempt))


_CHANGES: Mapping[str, Cause] = {
    "client_known": Cause.CLIENT_DELETED,
    "client_active": Cause.CLIENT_DISABLED,
    "method_registered": Cause.AUTH_METHOD_MISMATCH,
    "consent_alive": Cause.CONSENT_ENDED,
    "project_there": Cause.PROJECT_MISSING,
    "redirect_uri_registered": Cause.REDIRECT_URI_MISMATCH,
    "scopes_registered": Cause.SCOPE_NOT_REGISTERED,
}
"""What people change at any time, by the check that looks at it."""
_BY_ITS_SECRETS = frozenset({"signature_valid", "secret_right", "method_registered", "client_confidential"})
"""What only a client's secrets explain. They go with it: of what failed then nothing better is known than that it is deleted."""
_UNREADABLE = {Cause.ASSERTION_MALFORMED, Cause.RAW_SECRET_SENT, Cause.BEARER_PREFIX_IN_FIELD, Cause.ALG_NONE}
_OF_CLIENT_ID = {
    Cause.CLIENT_UNKNOWN, Cause.CLIENT_DELETED, Cause.CLIENT_ID_WHITESPACE, Cause.CLIENT_ID_CASE, Cause.CLIENT_ID_IS_ROW_ID,
    Cause.CLIENT_ID_IS_NAME, Cause.CLIENT_ID_MISTYPED,
}  # fmt: skip
_OF_KEY = {*of_assertion.SIGNED_WITH, Cause.UNKNOWN_KEY, Cause.ALG_NONE}
_OF_EXP = {Cause.EXP_MISSING, Cause.EXP_NOT_A_NUMBER, Cause.CLAIM_MISSING}
# of a check that is not here the first fault in the judges' order is told first
_CAUSES_OF_CHECK: Mapping[str, frozenset[Cause]] = {
    "assertion_readable": frozenset({*_UNREADABLE, Cause.NO_CREDENTIALS}),
    "algorithm_expected": frozenset({Cause.ALG_NONE, Cause.ALG_ASYMMETRIC, Cause.ALG_MISMATCH, Cause.CRIT_UNSUPPORTED}),
    "claims_present": frozenset(_OF_EXP),
    "client_known": frozenset(_OF_CLIENT_ID),
    "client_active": frozenset({Cause.CLIENT_DISABLED}),
    "signature_valid": frozenset(_OF_KEY),
    "not_expired": frozenset({Cause.ASSERTION_EXPIRED}),
    "client_ids_equal": frozenset({Cause.CLAIM_CLIENT_ID_MISMATCH, Cause.ISS_MISMATCH, Cause.SUB_MISMATCH, Cause.CLAIM_MISSING}),
    "not_too_long": frozenset({Cause.EXP_TOO_FAR, Cause.EXP_IN_MILLISECONDS, Cause.CLOCK_AHEAD}),
    "iat_not_ahead": frozenset({Cause.CLOCK_AHEAD}),
    "nbf_not_ahead": frozenset({Cause.CLOCK_AHEAD}),
    "audience_ours": frozenset({Cause.AUD_MISMATCH, Cause.AUD_MISSING}),
    "not_replayed": frozenset({Cause.ASSERTION_REPLAYED, Cause.ASSERTION_EXPOSED}),
    "method_registered": frozenset({Cause.AUTH_METHOD_MISMATCH, Cause.RAW_SECRET_SENT, Cause.NO_CREDENTIALS}),
    "secret_right": frozenset({*_OF_KEY, Cause.BASIC_NOT_FORM_ENCODED}),
    "client_confidential": frozenset({Cause.AUTH_METHOD_MISMATCH}),
    "key_known": frozenset({Cause.PASSPHRASE_MISSING}),
    "issued_to_client": frozenset({Cause.TOKEN_OF_ANOTHER_CLIENT}),
    "code_known": frozenset({Cause.CODE_UNKNOWN, Cause.CODE_TRUNCATED, Cause.CODE_NOT_APPROVED, Cause.CODE_OF_ANOTHER_CLIENT}),
    "code_unused": frozenset({Cause.CODE_ALREADY_USED}),
    "consent_alive": frozenset({Cause.CONSENT_ENDED}),
    "code_fresh": frozenset({Cause.CODE_EXPIRED}),
    "redirect_uri_equal": frozenset({Cause.REDIRECT_URI_MISMATCH, Cause.FIELD_MISSING}),
    "scopes_short": frozenset({Cause.SCOPES_TOO_LONG}),
    "redirect_uri_registered": frozenset({Cause.REDIRECT_URI_MISMATCH}),
    "project_there": frozenset({Cause.PROJECT_MISSING}),
    "project_owned": frozenset({Cause.PROJECT_NOT_OWNED}),
}
