"""Is the right thing there? The URL, the way to it, what answers, and how far apart the clocks are."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.request import getproxies, proxy_bypass

from grantway.cli.examination import answer, url
from grantway.cli.examination.answer import Standing
from grantway.cli.examination.failure import Failure, Stage
from grantway.cli.examination.probe import Probe, Reply
from grantway.cli.examination.sheet import Check, End, Exit, Question, Sheet
from grantway.cli.examination.url import TOKEN_PATH, BadUrl, Target

SKEW_NOTED = 30.0
SKEW_FAULT = 60.0
_OF_DATE = 1.0
"""`Date` has whole seconds, and many servers write it anew once a second: it is a second old, give or take one."""


class PlaceExamination:
    """Everything before the client's turn. `skew` is how many seconds the server's clock is ahead of this machine's (None: unknown)."""

    def __init__(self, question: Question, sheet: Sheet, clock: Callable[[], datetime]) -> None:
        self._question, self._sheet, self._clock = question, sheet, clock
        self.probe: Probe
        self.skew: float | None = None
        self.is_grantway = False

    def examine(self) -> End | None:
        """Make the checks in their order; how it ends, or None when the client's turn comes."""
        target = url.read(self._question.url)
        if isinstance(target, BadUrl):
            self._sheet.failed(Check.URL, target.evidence)
            return End(verdict=f"The URL cannot be used: {target.evidence}.", remedy=target.remedy, code=Exit.USAGE)
        self._sheet.passed(Check.URL, f"{target.base}{target.prefix}{TOKEN_PATH}")
        self._note_the_way(target)
        self.probe = Probe(target, self._question.timeout)
        empty = self._reached()
        if isinstance(empty, End):
            return empty
        end = self._not_the_endpoint(empty, target)
        if end is None:
            self._against_the_contract(empty)
            self._compare_clocks(empty)
        return end

    def _note_the_way(self, target: Target) -> None:
        if not target.is_tls:
            self._sheet.leave_out(Check.TLS)
        if not target.is_tls and not target.is_loopback:
            self._sheet.note("Plain http: whoever is on the way reads codes and access grants. Use https but for tests.")
        scheme = "https" if target.is_tls else "http"
        proxies = getproxies()
        if (proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(target.host):
            self._sheet.note(f"A proxy is set in the environment ({scheme}_proxy) and was ignored here: the doctor connects directly.")

    def _reached(self) -> Reply | End:
        """Send the empty request, and write down how far it came."""
        came = self.probe.send("POST", TOKEN_PATH, {})
        checks = {Stage.NAME: Check.NAME, Stage.CONNECTION: Check.CONNECTION, Stage.TLS: Check.TLS}
        for stage, check in checks.items():
            if isinstance(came, Failure) and came.stage is stage:
                self._sheet.failed(check, came.evidence)
                return no_answer(came)
            if stage in self.probe.seen:
                self._sheet.passed(check, self.probe.seen[stage])
        if isinstance(came, Failure):
            self._sheet.failed(Check.ANSWER, came.evidence)
            return no_answer(came)
        self._sheet.passed(Check.ANSWER, f"after {came.took * 1000:.0f} ms")
        return came

    def _not_the_endpoint(self, empty: Reply, target: Target) -> End | None:
        if end := unavailable(empty):
            self._sheet.not_reached(Check.ENDPOINT, answer.in_words(empty))
            return end
        wrong = answer.what_else_listens(empty, target)
        if wrong is None:
            self._sheet.passed(Check.ENDPOINT, self._software())
            return None
        self._sheet.failed(Check.ENDPOINT, wrong.evidence)
        return End(verdict=f"No token endpoint is at this URL: {wrong.evidence}.", remedy=wrong.remedy)

    def _software(self) -> str:
        """What the server says it is, by the title of its OpenAPI document; empty when it says nothing."""
        came = self.probe.send("GET", "/openapi.json")
        found = re.search(r'"title"\s*:\s*"([^"\\]{1,80})"', came.text) if isinstance(came, Reply) and came.status == 200 else None
        if found is None:
            return "of a server that does not say which it is"
        version = re.search(r'"version"\s*:\s*"([^"\\]{1,40})"', came.text) if isinstance(came, Reply) else None
        self.is_grantway = found[1] == "Grantway" and self._lives()
        return f"{found[1]} {version[1]}" if version else found[1]

    def _lives(self) -> bool:
        came = self.probe.send("GET", "/health/live")
        return isinstance(came, Reply) and came.status == 200 and (came.fields or {}).get("status") == "live"

    def _against_the_contract(self, empty: Reply) -> None:
        is_json = empty.header("content-type").partition(";")[0].strip().lower() == "application/json"
        if (empty.status, answer.error_of(empty), is_json) == (400, "invalid_request", True):
            self._sheet.passed(Check.CONTRACT, answer.in_short(empty))
            return
        self._sheet.failed(Check.CONTRACT, answer.in_words(empty) + ("" if is_json else "; Content-Type is not application/json"))
        self._sheet.note("The contract has 400 invalid_request for an empty request. This server's answers are read by their words.")

    def _compare_clocks(self, empty: Reply) -> None:
        date = _date(empty.header("date"))
        if date is None:
            self._sheet.not_reached(Check.CLOCKS, "the server sends no Date")
            return
        # as if `Date` had been written half-way between the request's first byte and the head: what is wrong in that is in `unsure`
        ago = time.monotonic() - empty.headed + empty.took / 2
        skew = date.timestamp() + _OF_DATE - (self._clock().timestamp() - ago)
        unsure = empty.took / 2 + _OF_DATE
        self.skew = skew
        side = "behind" if skew > 0 else "ahead"
        evidence = f"this machine is {abs(skew):.0f} s {side}, give or take {unsure:.1f} s"
        if abs(skew) - unsure > SKEW_FAULT:
            self._sheet.failed(Check.CLOCKS, evidence)
            return
        self._sheet.passed(Check.CLOCKS, evidence if abs(skew) > unsure else f"within {unsure:.1f} s")
        if abs(skew) - unsure > SKEW_NOTED:
            self._sheet.note(f"Set this machine's clock (NTP): it is {abs(skew):.0f} s {side}, and JWTs break from {SKEW_FAULT:.0f} s on.")


def no_answer(failure: Failure) -> End:
    """The end when no answer came."""
    if failure.is_wrong_thing:
        return End(verdict=f"Something else listens there: {failure.evidence}.", remedy=failure.remedy)
    return End(verdict=f"The server could not be reached: {failure.evidence}.", remedy=failure.remedy, code=Exit.UNREACHABLE)


def unavailable(reply: Reply) -> End | None:
    """The end when the server wants fewer requests, or is itself in trouble; None when it does its work."""
    standing = answer.standing(reply)
    if standing is Standing.RATE_LIMITED:
        return End(verdict="The server wants fewer requests (429).", remedy=f"Try again {answer.retry_after(reply)}.")
    if standing is Standing.SERVER_FAULT:
        trace = answer.trace_id_of(reply)
        remedy = f"Try again shortly; if it stays, tell the operator{f' the trace_id {trace}' if trace else ''}."
        return End(verdict=f"Not you: the server is in trouble ({answer.in_words(reply)}).", remedy=remedy, code=Exit.UNREACHABLE)
    return None


def _date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
