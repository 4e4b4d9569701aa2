"""One request as it came and what is known about it: the input of a diagnosis. In memory only: it holds what must never be stored."""

from dataclasses import dataclass, field
from datetime import datetime

from grantway.authorization.code import AuthorizationCode
from grantway.clients.client import Client
from grantway.trail import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to an OAuth endpoint, and its answer.

    `endpoint` is `token`, `check`, `request`, `consent`, `revoke`, `introspect` or `integration`; `text` the body as it came (at most
    64 KiB; empty when it was longer or not read), `content_type`, `query` and `authorization` as they came, empty when absent. `trail` is
    None when no judge was reached.
    """

    trace_id: str
    at: datetime
    endpoint: str
    status: int
    error: str | None
    description: str = ""
    text: bytes = field(default=b"", repr=False)
    content_type: str = ""
    query: str = field(default="", repr=False)
    authorization: str = field(default="", repr=False)
    retry_after: int | None = None
    is_standard: bool = False
    """Of the standard flow: the body must be a form, and the client may authenticate in all ways of RFC 6749 and RFC 7523."""
    method: str = ""
    path: str = ""
    """What was called, as in a finding."""
    trail: Trail | None = None
    client: Client | None = None
    """The client that was authenticated."""
    fault: str | None = None
    """For a 500 or 503: what of ours failed, in safe words."""
    names_app: bool = True
    """Whether the client counts that it names. A decision is on a request: whoever adds a client_id to it would tell that client's
    developer what the person chose."""
    repeated: str = ""
    """The header field, in lower case, or the query's parameter that came twice; nothing else was looked at."""
    is_dry_run: bool = False
    """Judged only: nothing was used up or revoked."""
    source: str = ""
    """Of a refusal: tells the network that it came from from others, without naming it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSecret:
    """A secret of the client's, unsealed: the key bytes, its version, and since when it no longer authenticates (None: it does)."""

    version: int
    key: bytes = field(repr=False)
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSecret:
    """The current secret of another client of the same developer."""

    client_id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionUse:
    """When a JWT was used up, and under which trace_id (None: not recorded)."""

    at: datetime
    trace_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeUse:
    """Where the presented code was used up (None: not recorded), and whether by the very JWT that came with it now."""

    trace_id: str | None
    by_same_assertion: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What storage holds about an attempt.

    `client` is the one under the claimed client_id, a deleted one too; `near` are clients that the claimed id may mean (by row id, name,
    trimmed, in another case, a few characters off), when there is none. `request_status` is the status of the consent request whose id
    was presented as a code. `skews` are the clock's leads, in seconds, in the client's last findings.
    """

    client: Client | None = None
    is_deleted: bool = False
    near: tuple[Client, ...] = ()
    secrets: tuple[KnownSecret, ...] = ()
    foreign: tuple[ForeignSecret, ...] = ()
    veiled: tuple[bytes, ...] = field(default=(), repr=False)
    """Secrets of the clients that may be meant, which must not be shown either. Of one developer's clients, where one sees the finding:
    what is masked would tell a guess from the truth."""
    code: AuthorizationCode | None = None
    code_use: CodeUse | None = None
    request_status: str | None = None
    is_exposed: bool = False
    """Whether the presented JWT stood in the URL of the integration page."""
    assertion_use: AssertionUse | None = None
    skews: tuple[float, ...] = ()

    @property
    def opened(self) -> int:
        """How many secrets were unsealed for it."""
        return len(self.secrets) + len(self.foreign) + len(self.veiled)


NOTHING_KNOWN = Known()
