"""Did the app itself send this, or may it have been anybody who knows its client_id? And whose share of the quota it takes."""

import hashlib
from collections.abc import Sequence

from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_assertion import SIGNED_WITH
from grantway.diagnosis.sent import Sent, Way
from grantway.trail import Outcome

_KNOW_A_SECRET = {*SIGNED_WITH, Cause.BASIC_NOT_FORM_ENCODED} - {Cause.CLIENT_ID_AS_KEY}
"""What nobody does who has no secret of the developer's. The client_id is public."""
_SENDS_THE_SECRET = frozenset({Way.BASIC, Way.POST})


def is_given(attempt: Attempt, sent: Sent, faults: Sequence[Fault]) -> bool:
    """Whether what came was made with a secret of the client's: a live one, or one that is spoilt in a way that we know."""
    passed = {check.name for check in attempt.trail.checks if check.outcome is Outcome.PASSED} if attempt.trail else set()
    # without a secret there is none that could be wrong, and that check has passed
    is_right = "signature_valid" in passed or ("secret_right" in passed and sent.way in _SENDS_THE_SECRET)
    return is_right or any(one.cause in _KNOW_A_SECRET for one in faults)


def source(attempt: Attempt, sent: Sent) -> str:
    """What proved it: a JWT that somebody has seen can be sent again by them, and is one source however often it comes."""
    if sent.way in _SENDS_THE_SECRET:
        return attempt.trace_id
    return hashlib.sha256(sent.text("client_secret").strip().encode()).hexdigest()[:16]
