"""The sheet that an examination fills in: what was asked, the checks in their order, the notes, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from grantway.cli.examination import secret, url
from grantway.cli.examination.secret import Oddity
from grantway.cli.page import Line, Mark, Page

PLACEHOLDER_URI = "https://doctor.invalid/callback"


class Check(StrEnum):
    """The checks, in the order in which they are made."""

    URL = "The URL makes sense"
    NAME = "The name resolves"
    CONNECTION = "A connection opens"
    TLS = "The certificate is valid"
    ANSWER = "Something answers in HTTP"
    ENDPOINT = "It is a token endpoint"
    CONTRACT = "It answers an empty request as the contract says"
    CLOCKS = "The clocks agree"
    SECRET = "The secret looks whole"  # noqa: S105 - words, not a secret
    CLIENT_ID = "The client_id looks right"
    JWT = "A fresh JWT authenticates"


class Exit(IntEnum):
    """The command's exit codes."""

    ACCEPTED = 0
    FAULT = 1
    USAGE = 2
    UNREACHABLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be examined. `session` is a developer's session token, `notes` what the caller knows already."""

    url: str
    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str = PLACEHOLDER_URI
    session: str | None = field(default=None, repr=False)
    with_trials: bool = True
    timeout: float = 10.0
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an examination ends: one sentence, the one next step, the exit code."""

    verdict: str
    remedy: str
    code: int = Exit.FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The result. `trace_id` names the attempt with the secret as it is; `finding` is the server's own, where it was fetched."""

    page: Page
    code: int
    trace_id: str | None
    finding: dict[str, Any] | None


class Sheet:
    """Lines and notes of one examination. All that is written on it is masked: servers may send back what they got."""

    def __init__(self, question: Question) -> None:
        self.trace_id: str | None = None
        self.finding: dict[str, Any] | None = None
        self._question = question
        self._lines = {check.value: Line(mark=Mark.NOT_REACHED, text=check) for check in Check}
        self._notes: list[str] = []
        self._oddities: list[Oddity] = []

    def passed(self, check: str, evidence: str = "") -> None:
        """A check passed."""
        self._write(Mark.PASSED, check, evidence)

    def failed(self, check: str, evidence: str = "") -> None:
        """A check failed."""
        self._write(Mark.FAILED, check, evidence)

    def not_reached(self, check: str, evidence: str = "") -> None:
        """A check could not be made."""
        self._write(Mark.NOT_REACHED, check, evidence)

    def has_failed(self, check: str) -> bool:
        """Whether a check failed."""
        return self._lines[check].mark is Mark.FAILED

    def leave_out(self, check: str) -> None:
        """A check makes no sense here."""
        self._lines.pop(check, None)

    def note(self, sentence: str) -> None:
        """Something else that is worth knowing."""
        self._notes.append(self._masked(sentence))

    def look_at_credentials(self) -> None:
        """The checks of secret and client_id that need no server."""
        question = self._question
        for check, found in (
            (Check.SECRET, secret.oddities(question.secret, question.client_id)),
            (Check.CLIENT_ID, secret.of_client_id(question.client_id)),
        ):
            faults = [oddity for oddity in found if oddity.is_fault]
            self._oddities += faults
            self._write(Mark.FAILED if faults else Mark.PASSED, check, "; ".join(oddity.sentence for oddity in faults or found))

    @property
    def oddity(self) -> Oddity | None:
        """The first thing that is wrong with secret or client_id by their looks."""
        return self._oddities[0] if self._oddities else None

    def closed(self, end: End) -> Examined:
        """The finished page."""
        page = Page(
            title=self._masked(f"Doctor: {self._question.client_id} at {url.shown(self._question.url)}"),
            verdict=self._masked(end.verdict),
            lines=list(self._lines.values()),
            remedy=self._masked(end.remedy),
            notes=[*self._notes, *self._question.notes],
        )
        return Examined(page=page, code=end.code, trace_id=self.trace_id, finding=self.finding)

    def masked_deeply(self, value: object) -> Any:
        """A JSON value with every text in it masked."""
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, list):
            return [self.masked_deeply(each) for each in value]
        if isinstance(value, dict):
            return {self._masked(name): self.masked_deeply(each) for name, each in value.items()}
        return value

    def _write(self, mark: Mark, check: str, evidence: str) -> None:
        self._lines[str(check)] = Line(mark=mark, text=check, evidence=self._masked(evidence))

    def _masked(self, text: str) -> str:
        question = self._question
        return secret.masked(text, question.secret, question.secret.strip(), question.session)
