"""Did the app itself send this, or may it have been anybody who knows its client_id? And whose share of the quota it takes."""

import hashlib
import hmac
from collections.abc import Sequence

from grantway.diagnosis.attempt import Attempt, Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_assertion import SIGNED_WITH
from grantway.diagnosis.sent import Sent, Way
from grantway.trail import Outcome

_KNOW_A_SECRET = {*SIGNED_WITH, Cause.BASIC_NOT_FORM_ENCODED} - {Cause.CLIENT_ID_AS_KEY}
"""What nobody does who has no secret of the developer's. The client_id is public."""
_SENDS_THE_SECRET = frozenset({Way.BASIC, Way.POST})


def proved_by(attempt: Attempt, sent: Sent, known: Known, faults: Sequence[Fault]) -> str | None:
    """What proves that a secret of the client's was at hand, a live one, an older, or one that is spoilt in a way that we know.

    Whoever sends a secret itself has it: each such request is a source of its own. A JWT that somebody has seen can be sent again by them,
    and is one source however often it comes. None: nothing proves it.
    """
    passed = {check.name for check in attempt.trail.checks if check.outcome is Outcome.PASSED} if attempt.trail else set()
    knows_one = any(one.cause in _KNOW_A_SECRET for one in faults)
    # without a secret there is none that could be wrong, and that check has passed
    is_sent = sent.way in _SENDS_THE_SECRET and (knows_one or "secret_right" in passed)
    if is_sent or _is_a_secret(sent.text("client_secret"), known):
        return attempt.trace_id
    if knows_one or "signature_valid" in passed:
        return hashlib.sha256(sent.text("client_secret").strip().encode()).hexdigest()[:16]
    return None


def _is_a_secret(text: str, known: Known) -> bool:
    bare = text.strip().strip("\"'").encode()
    equal = [hmac.compare_digest(bare, one.key) for one in known.secrets]
    return any(equal)
