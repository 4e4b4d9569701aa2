"""What is known of one answer: who asked, which checks were made, what was wrong, what to do. Safe to show to the client's developer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from grantway.diagnosis.cause import Cause
from grantway.trail import Check

Evidence = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that was wrong: its name, one sentence that says so, what tells it, and one sentence that says what to do."""

    cause: Cause
    verdict: str
    remedy: str
    evidence: Mapping[str, Evidence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer explained. Without `faults` the request was granted.

    `claimed` is the client_id as it was sent, made printable and cut; `client_id` and `client_name` are the client that was found or
    meant, None when there is none. `developer_id` is who may see this; None: only the operator. `checks` is the judge's trail,
    `facts` are what else is worth knowing: safe values only, seconds for times that are spans.
    """

    trace_id: str
    at: datetime
    endpoint: str
    status: int
    error: str | None
    claimed: str
    method: str = ""
    path: str = ""
    """What was called: the path as the table of URLs has it, never the URL as it came. Both empty in what was kept before they were."""
    client_id: str | None = None
    client_name: str | None = None
    client_row_id: str | None = None
    developer_id: str | None = None
    faults: tuple[Fault, ...] = ()
    checks: tuple[Check, ...] = ()
    facts: Mapping[str, Evidence] = field(default_factory=dict)
    proved: bool = False
    """Whether whoever sent it has a secret of the client's, or had: a signature or a secret was right, or wrong in a known way."""
    source: str = ""
    """Whose share of the quota it takes: of a stranger's, the network; of a proved one, what proved it. Names neither."""
    seen: int = 1
    """How many answers this stands for: like ones of strangers are counted instead of kept."""

    @property
    def called(self) -> str:
        """What was called, as people write it: `POST /oauth2/token`. Empty where it was not kept."""
        return f"{self.method} {self.path}" if self.method not in {"", "other"} else self.path

    @property
    def cause(self) -> Cause | None:
        """The name of what was answered for; None when nothing was refused."""
        return self.faults[0].cause if self.faults else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingQuery:
    """Which findings are asked for, the newest first. None: any. `before` is the trace_id after which the page goes on."""

    developer_id: str | None = None
    client_row_id: str | None = None
    cause: Cause | None = None
    proved: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    refused_only: bool = False
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How many answers of one cause a client got in the hour that begins at `hour`; without a cause, those that granted."""

    hour: datetime
    cause: Cause | None
    answers: int
