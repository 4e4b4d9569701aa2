"""The claim: what is written when a code is collected, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto

from grantway.oauth_error import CODE_ALREADY_USED, INVALID_CLIENT, INVALID_CODE, NO_PROJECT


class ClaimOutcome(StrEnum):
    """What became of a claim, told apart inside its transaction."""

    CLAIMED = auto()
    USED_BY_THIS_ASSERTION = auto()
    USED_BY_ANOTHER = auto()
    """The code was collected with another JWT; in the same transaction, what that yielded was revoked."""
    ASSERTION_USED_ELSEWHERE = auto()
    CLIENT_ENDED = auto()
    """The client was disabled or deleted between reading and claiming."""
    SECRET_ENDED = auto()
    """The secret that the JWT is signed with ended between reading and claiming."""
    CONSENT_ENDED = auto()
    """The consent was withdrawn between reading and claiming."""
    PROJECT_GONE = auto()
    """The project was deleted between reading and claiming."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is written when a code is collected: all of it in one transaction, or nothing."""

    code_digest: bytes
    consent_id: str
    assertion_digest: bytes
    secret_version: int
    """Which of the client's secrets must still be live; 0 where none was needed."""
    caveat: bytes = field(repr=False)
    tail_digest: bytes = field(repr=False)
    not_after: datetime
    trace_id: str
    """Of the request that claims it: a replay is told when and where the first use was."""
    now: datetime


# each as the judges would have answered, had they seen it
REFUSED_AS = {
    ClaimOutcome.USED_BY_THIS_ASSERTION: CODE_ALREADY_USED,
    ClaimOutcome.USED_BY_ANOTHER: CODE_ALREADY_USED,
    ClaimOutcome.ASSERTION_USED_ELSEWHERE: INVALID_CLIENT,
    ClaimOutcome.CLIENT_ENDED: INVALID_CLIENT,
    ClaimOutcome.SECRET_ENDED: INVALID_CLIENT,
    ClaimOutcome.CONSENT_ENDED: INVALID_CODE,
    ClaimOutcome.PROJECT_GONE: NO_PROJECT,
}
"""How a claim is answered that was not made."""
