"""The server's own finding of the first attempt, for a developer's session."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from grantway.cli.examination import answer
from grantway.cli.examination.failure import Failure
from grantway.cli.examination.probe import Probe, Reply
from grantway.cli.examination.sheet import Question, Sheet
from grantway.diagnosis.cause import Cause

FINDINGS_PATH = "/api/v0/developer/auth/oauth2/findings/"
FINDING_SECONDS = 2.0  # it is made after the answer, within some tenths of a second (decision 0009)
FINDING_PAUSE = 0.2
FINDING = "The server's own finding"


class OwnFinding:
    """Fetches the finding, once the sheet has the trace_id. `is_missing`: the server was asked, and has none for this session."""

    def __init__(self, question: Question, sheet: Sheet, probe: Probe) -> None:
        self._question, self._sheet, self._probe = question, sheet, probe
        self.is_missing = False

    def fetch(self) -> dict[str, Any] | None:
        """The server's finding of the first attempt, for the developer's session; it may take a moment to appear."""
        trace, target = self._sheet.trace_id, self._probe.target
        if self._question.session is None:
            return None
        if trace is None:
            self._sheet.not_reached(FINDING, "the server gives no trace_id")
            return None
        if not (target.is_tls or target.is_loopback):
            self._sheet.not_reached(FINDING, "not asked for: over plain http the session would be open to everybody on the way")
            return None
        reply = self._asked(f"{FINDINGS_PATH}{quote(trace)}")
        if isinstance(reply, Failure) or reply.status != 200 or reply.fields is None:
            self.is_missing = isinstance(reply, Reply) and reply.status == 404
            self._sheet.not_reached(FINDING, _why_no_finding(reply))
            return None
        found = without_our_code(reply.fields)
        self._sheet.finding = self._sheet.masked_deeply(found)
        self._sheet.passed(FINDING, _told_by(found))
        return self._sheet.finding

    def _asked(self, path: str) -> Reply | Failure:
        until = time.monotonic() + FINDING_SECONDS
        while True:
            reply = self._probe.send("GET", path, token=self._question.session)
            if isinstance(reply, Failure) or reply.status != 404 or time.monotonic() > until:
                return reply
            time.sleep(FINDING_PAUSE)


def _why_no_finding(reply: Reply | Failure) -> str:
    if isinstance(reply, Failure):
        return reply.evidence
    if reply.status == 404:
        return "none for this session: the client_id belongs to no client of this developer, or the server keeps no findings"
    return "the session is unknown or has ended" if reply.status == 401 else answer.in_words(reply)


def _told_by(finding: Mapping[str, object]) -> str:
    """A finding in one line: its cause, and the evidence of its first fault."""
    faults = finding.get("faults")
    first = faults[0] if isinstance(faults, list) and faults and isinstance(faults[0], dict) else {}
    evidence = first.get("evidence")
    shown = [f"{name}={value}" for name, value in evidence.items()] if isinstance(evidence, dict) else []
    return ", ".join([str(finding.get("cause") or "nothing but the code, made up here, is wrong"), *shown])[:300]


def without_our_code(finding: Mapping[str, Any]) -> dict[str, Any]:
    """The finding without the fault of the code: that was made up here, and is none of the developer's.

    Where it is the only fault, `cause`, `verdict` and `remedy` are None, as in the finding of a request that was granted.
    """
    faults = finding.get("faults")
    if not isinstance(faults, list):
        return dict(finding)
    theirs = [fault for fault in faults if not (isinstance(fault, dict) and fault.get("cause") == Cause.CODE_UNKNOWN)]
    first = dict.fromkeys(("cause", "verdict", "remedy")) if finding.get("cause") == Cause.CODE_UNKNOWN else {}
    return {**finding, **first, "faults": theirs}


def text_in(fields: dict[str, Any], name: str) -> str:
    """A text of a finding, cut; empty when it is none."""
    value = fields.get(name)
    return value[:500] if isinstance(value, str) else ""
