"""Does the server accept the client? A fresh JWT with a code that cannot exist, then the usual mistakes; told by what is answered."""

import secrets
from collections.abc import Callable
from datetime import datetime

from grantway import secret_token
from grantway.cli.examination import answer, standard_flow, trials
from grantway.cli.examination.answer import Standing
from grantway.cli.examination.failure import Failure
from grantway.cli.examination.own_finding import FINDINGS_PATH, OwnFinding, text_in
from grantway.cli.examination.place import PlaceExamination, no_answer, unavailable
from grantway.cli.examination.probe import Reply
from grantway.cli.examination.sheet import Check, End, Exit, Question, Sheet
from grantway.cli.examination.trials import Trial
from grantway.cli.examination.url import TOKEN_PATH
from grantway.diagnosis.cause import Cause

_REFUSED = {Standing.REFUSED, Standing.UNKNOWN_CLIENT, Standing.INACTIVE_CLIENT, Standing.EXPIRED, Standing.TOO_EARLY}
_KNOWS_THE_KEY = {Standing.ACCEPTED, Standing.EXPIRED, Standing.INACTIVE_CLIENT}


class ClientExamination:
    """The client's turn, once the right thing is there."""

    def __init__(
        self,
        question: Question,
        sheet: Sheet,
        place: PlaceExamination,
        clock: Callable[[], datetime],
        announce: Callable[[str], None],
    ) -> None:
        self._question, self._sheet, self._place = question, sheet, place
        self._clock, self._announce = clock, announce
        self._finding = OwnFinding(question, sheet, place.probe)

    def examine(self) -> End:
        """Make the first attempt, and what its answer calls for."""
        reply = self._attempt(trials.first(self._question.secret, self._question.client_id))
        if isinstance(reply, Failure):
            return no_answer(reply)
        self._sheet.trace_id = answer.trace_id_of(reply)
        standing = answer.standing(reply)
        if standing is Standing.ACCEPTED:
            return self._told_apart(reply) or self._accepted(reply)
        if standing is Standing.UNCLEAR:
            return self._unclear(reply)
        self._sheet.failed(Check.JWT, answer.in_words(reply))
        if standing in _REFUSED:
            return self._refused(standing)
        return unavailable(reply) or self._not_the_contract(standing, reply)

    def _attempt(self, trial: Trial) -> Reply | Failure:
        body = {
            "client_id": trial.client_id,
            "client_secret": trial.jwt(self._clock().timestamp(), secrets.token_bytes(16)),
            "redirect_uri": self._question.redirect_uri,
            "code": _made_up_code(),
            "passphrase": "",
        }
        return self._place.probe.send("POST", TOKEN_PATH, body)

    def _control(self) -> Reply | None:
        """What this server answers to a wrong key; None when that may not be tried or fails."""
        if not self._question.with_trials:
            return None
        trial = trials.control(self._question.client_id, secrets.token_bytes(32))
        self._announce(trial.what)
        reply = self._attempt(trial)
        return reply if isinstance(reply, Reply) else None

    def _told_apart(self, reply: Reply) -> End | None:
        """Of a server that is not ours it must be seen that it answers a wrong key differently; None when that is so."""
        if self._place.is_grantway:
            return None
        control = self._control()
        if control is None:
            self._sheet.note("Whether this server looks at the JWT before the code was not tried: only its words say that it accepts.")
        elif answer.standing(control) is Standing.ACCEPTED:
            self._sheet.not_reached(Check.JWT, f"{answer.in_short(reply)}, and the same for a random key")
            return End(
                verdict="It cannot be told from outside: this server answers a right and a wrong key alike while the code is wrong.",
                remedy="Exchange a real code, and read the server's log for that request.",
            )
        return None

    def _unclear(self, reply: Reply) -> End:
        """Unknown words: they mean acceptance if a wrong key is refused in words that are known."""
        control = self._control()
        if control is not None and answer.standing(control) in _REFUSED:
            return self._accepted(reply)
        self._sheet.not_reached(Check.JWT, answer.in_words(reply))
        whose = "Nothing points at you" if reply.status >= 500 else "It cannot be told"
        return End(
            verdict=f"{whose}: the server answers {answer.in_words(reply)}, which is not in the contract.",
            remedy="Ask the operator what the server's log says of this request.",
        )

    def _accepted(self, reply: Reply) -> End:
        self._sheet.passed(Check.JWT, f"{answer.in_short(reply)}: only the code, made up here, is refused")
        self._finding.fetch()
        standard_flow.examine(self._question, self._sheet, self._place.probe, _made_up_code())
        if (oddity := self._sheet.oddity) is not None:
            self._sheet.note(f"Odd, but it is what the server has: {oddity.sentence}.")
        if self._sheet.has_failed(Check.CLOCKS):
            return End(verdict="The client is accepted, but the clocks are too far apart.", remedy="Set this machine's clock (NTP).")
        return End(
            verdict="The client is accepted: client_id and secret are right.",
            remedy="Nothing here. If your app is refused all the same, look into the JWT that it sends: grantway assertion inspect.",
            code=Exit.ACCEPTED,
        )

    def _refused(self, standing: Standing) -> End:
        """Who knows best is asked first: the words of the answer, the finding, the trials; at last the looks."""
        return (
            self._by_the_words(standing)
            or self._by_the_finding()
            or (self._by_trials() if self._question.with_trials else None)
            or self._by_the_looks(standing)
        )

    def _by_the_words(self, standing: Standing) -> End | None:
        skew = self._place.skew or 0.0
        if standing is Standing.INACTIVE_CLIENT:
            return End(verdict="The client is disabled.", remedy="Enable the client in the developer's account.")
        if standing not in {Standing.EXPIRED, Standing.TOO_EARLY}:
            return None
        expected = skew if standing is Standing.EXPIRED else -skew
        if expected > trials.LARGE_SKEW:
            side = "behind" if skew > 0 else "ahead of"
            verdict = f"Refused for the clock: this machine's is {abs(skew):.0f} s {side} the server's."
            return End(verdict=verdict, remedy="Set this machine's clock (NTP).")
        words = "expired already" if standing is Standing.EXPIRED else "not begun yet"
        verdict = f"The server takes a JWT of this second for {words}: its own clock is wrong."
        return End(verdict=verdict, remedy="Tell the operator to set the server's clock (NTP); its Date header may come from a proxy.")

    def _by_the_finding(self) -> End | None:
        finding = self._finding.fetch()
        faults = (finding or {}).get("faults")
        named = [fault for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []
        if not named or named[0].get("cause") in (None, "unknown") or not text_in(named[0], "verdict"):
            return None
        if named[0].get("cause") == Cause.UNKNOWN_KEY:
            self._note_fingerprint()
        for fault in named[1:]:
            self._sheet.note(f"Also wrong: {text_in(fault, 'verdict')} {text_in(fault, 'remedy')}")
        return End(verdict=f"Refused: {text_in(named[0], 'verdict')}", remedy=text_in(named[0], "remedy"))

    def _by_trials(self) -> End | None:
        """The usual mistakes, until one is accepted."""
        question = self._question
        for trial in trials.usual(question.secret, question.client_id, self._place.skew):
            self._announce(trial.what)
            reply, line = self._attempt(trial), f"Tried: {trial.what}"
            if isinstance(reply, Failure):
                self._sheet.failed(line, reply.evidence)
                return no_answer(reply)
            if answer.standing(reply) in _KNOWS_THE_KEY:
                self._sheet.passed(line, answer.in_short(reply))
                return End(verdict=trial.verdict, remedy=trial.remedy)
            self._sheet.failed(line, answer.in_short(reply))
            if end := unavailable(reply):
                return end
        return None

    def _by_the_looks(self, standing: Standing) -> End:
        self._note_what_cannot_be_known(standing)
        if self._sheet.has_failed(Check.CLOCKS):
            return End(verdict="Refused, and the clocks are too far apart.", remedy="Set this machine's clock (NTP), then ask again.")
        if (oddity := self._sheet.oddity) is not None:
            return End(verdict=f"Refused, and something looks wrong: {oddity.sentence}.", remedy=oddity.remedy)
        if standing is Standing.UNKNOWN_CLIENT:
            return End(verdict="The server does not know this client_id.", remedy="Compare it with the one in the developer's account.")
        tried = "; the usual mistakes were tried and are not it" if self._question.with_trials else ""
        return End(verdict=f"Refused: this client_id and this secret do not belong together here{tried}.", remedy=self._where_to_look())

    def _not_the_contract(self, standing: Standing, reply: Reply) -> End:
        if standing is Standing.WANTS_SESSION:
            return End(
                verdict="This endpoint wants a user's session: that is not the contract, and nothing can be told of the client.",
                remedy="Ask the operator for a token endpoint that takes the app's JWT alone, or send the user's cookie with the exchange.",
            )
        oddity = self._sheet.oddity
        return End(
            verdict=f"The server finds a request malformed that the contract has: {answer.in_words(reply)}.",
            remedy=oddity.remedy if oddity else "Compare what it says with the contract; give --redirect-uri if it is about that.",
        )

    def _where_to_look(self) -> str:
        trace = self._sheet.trace_id
        if self._finding.is_missing:
            return "Compare the client_id with those in this developer's account: it seems to be none of them."
        if trace and self._question.session is None:
            return f"Read the finding: run this again with --session-env NAME, or have the operator run grantway explain {trace}."
        if trace:
            return f"Have the operator run grantway explain {trace}."
        return "Regenerate the secret, deploy the new one, and run this again."

    def _note_what_cannot_be_known(self, standing: Standing) -> None:
        if standing is Standing.REFUSED:
            self._sheet.note(
                "Not to be known from outside: whether the client is unknown, disabled, or known by another secret. "
                "Servers answer all of them alike, by design."
            )
        self._note_fingerprint()
        if trace := self._sheet.trace_id:
            self._sheet.note(f"The developer finds the reason at GET {FINDINGS_PATH}{trace}, the operator with grantway explain {trace}.")

    def _note_fingerprint(self) -> None:
        self._sheet.note(f"The secret given here has the fingerprint {trials.fingerprint(self._question.secret)} (SHA-256).")


def _made_up_code() -> str:
    """Well formed, and surely nobody's."""
    return secret_token.make(secret_token.Kind.CODE, secrets.token_bytes(secret_token.RANDOM_BYTES))
