"""What a finding shows beside its faults: the checks, and facts."""

from collections.abc import Mapping
from datetime import datetime

from grantway.clients import authentication
from grantway.diagnosis import loose_jwt, shown
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.finding import Evidence
from grantway.diagnosis.sent import Sent
from grantway.trail import Check


def checks(attempt: Attempt) -> tuple[Check, ...]:
    """The checks that a judge made, with evidence that JSON can hold."""
    return tuple(Check(one.name, one.outcome, _safe(one.evidence)) for one in (attempt.trail.checks if attempt.trail else ()))


def _safe(evidence: Mapping[str, object]) -> dict[str, Evidence]:
    """Evidence as JSON can hold it."""
    safe: dict[str, Evidence] = {}
    for name, value in evidence.items():
        if isinstance(value, float):
            safe[name] = round(value, 1)
        elif isinstance(value, datetime):
            safe[name] = value.isoformat(timespec="seconds")
        elif isinstance(value, bool | int):
            safe[name] = value
        elif value is not None:
            safe[name] = shown.text(value, 200)
    return safe


def of(attempt: Attempt, sent: Sent) -> dict[str, Evidence]:
    """What else is worth knowing: what the judges noted, and by how much the clock of whoever signed is off."""
    known: dict[str, Evidence] = dict(attempt.trail.facts) if attempt.trail else {}
    jwt = loose_jwt.read(sent.text("client_secret"))
    issued = authentication.numeric_date((jwt.claims or {}).get("iat"))
    if issued is not None:
        known["clock_skew_seconds"] = round(min(max((issued - attempt.at).total_seconds(), -1e9), 1e9), 1)
    return known
