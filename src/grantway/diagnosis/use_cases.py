"""Explain what was refused, keep the findings, show them to those to whom they belong."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from grantway import secret_token
from grantway.authorization.code import AuthorizationCode
from grantway.clients import assertion, secret
from grantway.clients.assertion import UnreadableAssertionError
from grantway.clients.client import Client
from grantway.clients.secret import ClientSecret
from grantway.diagnosis import diagnose, of_client
from grantway.diagnosis import sent as sending
from grantway.diagnosis.attempt import NOTHING_KNOWN, AssertionUse, Attempt, CodeUse, ForeignSecret, Known, KnownSecret
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.evidence import ClaimedClient, SealedSecret
from grantway.diagnosis.finding import Finding, FindingQuery, Usage
from grantway.diagnosis.sent import Sent
from grantway.diagnosis.waiting import Waiting
from grantway.oauth_error import UnavailableError
from grantway.sealing import SealBrokenError, Sealing

_log = logging.getLogger(__name__)

MOST_IN_ONE_GO = 500
GRANTED_IN_ONE_GO = 50
"""Exchanges of one client that get a finding each in one round; what is more is counted in the newest of them (`seen`)."""
LOOKED_UP_A_ROUND = 50
"""So that a flood of refusals does not slow the answers down: whoever reads findings has the rest made at once."""
PAUSE_SECONDS = 0.2
_SECRETS = secret.MOST_KEPT
_FOREIGN = 3
_NEAR = 5
_MENTIONED = 4
_SKEWS = 5


class EvidenceStorage(Protocol):
    """What a diagnosis looks up."""

    async def claimed_client(self, client_id: str) -> ClaimedClient | None:
        """The client under that client_id."""

    async def near_clients(self, claimed: str, limit: int) -> tuple[Client, ...]:
        """Clients, not deleted, that the claimed id may mean: equal once trimmed, in any case, by row id, by name, or up to two
        characters off; the nearest first."""

    async def secrets_of_developer(self, developer_id: str, limit: int) -> tuple[SealedSecret, ...]:
        """The current secrets of this developer's clients, the newest clients first."""

    async def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest, used or not, with its consent."""

    async def request_status(self, request_id: str) -> str | None:
        """What became of the consent request with that id; None when there is none."""

    async def assertion_use(self, digest: bytes) -> AssertionUse | None:
        """What the assertion with that digest was used for."""

    async def is_exposed(self, digest: bytes) -> bool:
        """Whether the assertion with that digest stood in the URL of the integration page."""


class FindingStorage(Protocol):
    """Where findings are kept."""

    async def keep(self, findings: Sequence[Finding]) -> None:
        """Store findings, all in one transaction, and drop what is more than the quotas allow."""

    async def finding(self, trace_id: str, developer_id: str | None) -> Finding | None:
        """The finding under that trace_id, if this developer may see it (None: the operator, who may see all)."""

    async def findings(self, query: FindingQuery) -> list[Finding]:
        """The findings that the query asks for, the newest first."""

    async def usage(self, client_row_id: str, since: datetime) -> list[Usage]:
        """How often the client was answered, by hour and cause, the oldest hour first; every answer that left a finding is counted,
        also where the finding itself is not kept any more."""


class Diagnosis:
    """The verbs of diagnosis. `audiences` are what a JWT's `aud` may name; `found` hears of each finding that was made,
    `lost` how many were left out, or made without look-ups, because too many waited."""

    def __init__(
        self,
        evidence: EvidenceStorage,
        kept: FindingStorage,
        sealing: Sealing,
        audiences: frozenset[str],
        found: Callable[[Finding], None] = lambda _finding: None,
        lost: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._evidence = evidence
        self._kept = kept
        self._sealing = sealing
        self._audiences = audiences
        self._found = found
        self._lost = lost
        self._waiting = Waiting()
        self._granted = Counter[str]()
        self._beyond = Counter[str]()
        self._unkept: list[Finding] = []
        self._working = asyncio.Lock()
        self._closing = asyncio.Event()

    def record(self, attempt: Attempt) -> None:
        """Take note of an answer that has been sent. Neither waits nor fails."""
        if not self._waiting.add(attempt):
            self._lost(1)

    def record_granted(self, client_row_id: str, attempt: Callable[[], Attempt]) -> None:
        """Take note of an exchange that has been answered. When its client has had enough of them in this round for findings of their
        own, `attempt` is not asked for: another one stands for it."""
        self._granted[client_row_id] += 1
        if self._granted[client_row_id] <= GRANTED_IN_ONE_GO:
            self.record(attempt())
        else:
            self._beyond[client_row_id] += 1

    async def run(self) -> None:
        """Make findings of what was recorded, a few times a second, until `close`, and then of what is left."""
        while not self._closing.is_set():
            await self._round(LOOKED_UP_A_ROUND)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), PAUSE_SECONDS)
        await self.drain()

    def close(self) -> None:
        """Let `run` come to its end."""
        self._closing.set()

    async def drain(self) -> None:
        """Make findings of all that was recorded so far, and keep them. While the database is away they wait, up to a bound."""
        # at least once: a round that is under way must come to its end
        while await self._round(MOST_IN_ONE_GO) and self._waiting:
            pass

    async def explain(self, attempt: Attempt, for_developer: str | None = None) -> Finding:
        """The finding of one attempt, which is not kept. For a developer, clients of others are unknown ones."""
        sent = sending.read(attempt)
        try:
            known = await self._known(attempt, sent, for_developer)
        except UnavailableError:
            known = NOTHING_KNOWN
        return diagnose.diagnose(attempt, known, self._audiences)

    async def finding(self, trace_id: str, developer_id: str | None) -> Finding | None:
        """The finding under that trace_id, if this developer may see it (None: the operator, who may see all)."""
        await self.drain()
        return await self._kept.finding(trace_id, developer_id)

    async def findings(self, query: FindingQuery) -> list[Finding]:
        """The findings that the query asks for, the newest first."""
        await self.drain()
        return await self._kept.findings(query)

    async def usage(self, client_row_id: str, since: datetime) -> list[Usage]:
        """How often the client was answered, by hour and cause, the oldest hour first."""
        await self.drain()
        return await self._kept.usage(client_row_id, since)

    async def _round(self, looked_up: int) -> bool:
        """Make some findings, and keep them; False when the database is away, and they wait."""
        async with self._working:
            self._unkept += await self._made(looked_up)
            try:
                await self._kept.keep(self._unkept)
            except UnavailableError:
                self._lost(max(0, len(self._unkept) - MOST_IN_ONE_GO))
                del self._unkept[:-MOST_IN_ONE_GO]
                return False
            self._unkept = []
            return True

    async def _made(self, looked_up: int) -> list[Finding]:
        made: list[Finding] = []
        while self._waiting and looked_up and len(made) < MOST_IN_ONE_GO:
            attempt = self._waiting.take()
            if attempt.error is None:
                finding = diagnose.granted(attempt)
            elif not self._waiting.allows_look_up(attempt):
                self._lost(1)
                finding = await self._explained(attempt, look_up=False)
            else:
                looked_up -= 1
                finding = await self._explained(attempt, look_up=True)
                await asyncio.sleep(0)  # requests that wait go first
            made.append(finding)
        self._count_beyond(made)
        for finding in made:
            self._found(finding)
        return made

    def _count_beyond(self, made: list[Finding]) -> None:
        """Let each client's newest exchange among `made` stand for those too that got no finding of their own."""
        self._granted.clear()
        newest = {one.client_row_id or "": at for at, one in enumerate(made) if one.error is None}
        for whose in self._beyond.keys() & newest.keys():
            at = newest[whose]
            made[at] = replace(made[at], seen=1 + self._beyond.pop(whose))

    async def _explained(self, attempt: Attempt, *, look_up: bool) -> Finding:
        """Whatever happens to one finding, the others are made."""
        try:
            return await self.explain(attempt) if look_up else diagnose.diagnose(attempt, NOTHING_KNOWN, self._audiences)
        except Exception as error:  # noqa: BLE001 - the refusal has been answered; only its explanation fails
            _log.error("no finding could be made: %s", type(error).__name__, extra={"fields": {"trace_id": attempt.trace_id}})
            return diagnose.unexplained(attempt)

    async def _known(self, attempt: Attempt, sent: Sent, for_developer: str | None) -> Known:
        """Everything that storage knows; the same look-ups for a known client and for an unknown one."""
        claimed = sent.claimed
        found = await self._evidence.claimed_client(claimed)
        near = await self._evidence.near_clients(claimed, _NEAR)
        if for_developer is not None:
            found = found if found and found.client.developer_id == for_developer else None
            near = tuple(client for client in near if client.developer_id == for_developer)
        foreign = await self._evidence.secrets_of_developer(found.client.developer_id if found else "", _FOREIGN + 1)
        text, presented = sent.text("code"), _assertion_digest(sent)
        code = await self._evidence.code(secret_token.digest(text)) if text else None
        near = () if found else near
        return Known(
            client=found.client if found else None,
            is_deleted=bool(found and found.is_deleted),
            near=near,
            secrets=self._unsealed(found, attempt.at) if found else (),
            foreign=self._foreign(found, foreign) if found else (),
            veiled=await self._veiled(found, near, code, sent, attempt.at, for_developer),
            code=code,
            code_use=await self._code_use(code, presented),
            request_status=await self._evidence.request_status(text[:100]) if text else None,
            assertion_use=await self._evidence.assertion_use(presented) if presented else None,
            is_exposed=await self._evidence.is_exposed(presented) if presented else False,
            skews=await self._skews(found.client.row_id if found else ""),
        )

    async def _veiled(
        self,
        found: ClaimedClient | None,
        near: Sequence[Client],
        code: AuthorizationCode | None,
        sent: Sent,
        now: datetime,
        who: str | None,
    ) -> tuple[bytes, ...]:
        """Secrets of the clients that were meant, or are mentioned, as far as whoever sees the finding owns them."""
        ids = [client.client_id for client in near] + list(sending.mentioned(sent)[:_MENTIONED])
        if code is not None and found is None:
            ids += [client.client_id for client in await self._evidence.near_clients(code.consent.client_row_id, 1)]
        others = [one for client_id in ids if (one := await self._evidence.claimed_client(client_id)) is not None]
        meant = None if found or not near else of_client.meant(sent.claimed, Known(near=tuple(near)))
        owner = who or (found.client.developer_id if found else meant[0].developer_id if meant else None)
        owned = [one for one in others if owner in {None, one.client.developer_id}]
        also = await self._evidence.secrets_of_developer(meant[0].developer_id if meant else "", _FOREIGN + 1)
        keys = [known.key for one in owned for known in self._unsealed(one, now)]
        return (*keys, *(key for one in also if (key := self._opened(one.client.row_id, one.secret))))

    async def _code_use(self, code: AuthorizationCode | None, presented: bytes | None) -> CodeUse | None:
        if code is None or code.used_by is None:
            return None
        use = await self._evidence.assertion_use(code.used_by)
        return CodeUse(trace_id=use.trace_id if use else None, by_same_assertion=code.used_by == presented)

    async def _skews(self, client_row_id: str) -> tuple[float, ...]:
        last = await self._kept.findings(FindingQuery(client_row_id=client_row_id, cause=Cause.CLOCK_AHEAD, limit=_SKEWS))
        skews = [one.facts.get("clock_skew_seconds") for one in last]
        return tuple(skew for skew in skews if isinstance(skew, float | int))

    def _unsealed(self, found: ClaimedClient, now: datetime) -> tuple[KnownSecret, ...]:
        opened = ((one, self._opened(found.client.row_id, one)) for one in found.secrets[:_SECRETS])
        return tuple(
            KnownSecret(version=one.version, key=key, ended_at=None if one.is_live(now) else one.live_until) for one, key in opened if key
        )

    def _foreign(self, found: ClaimedClient, others: Sequence[SealedSecret]) -> tuple[ForeignSecret, ...]:
        kept = [one for one in others if one.client.row_id != found.client.row_id][:_FOREIGN]
        opened = ((one, self._opened(one.client.row_id, one.secret)) for one in kept)
        return tuple(ForeignSecret(client_id=one.client.client_id, key=key) for one, key in opened if key)

    def _opened(self, row_id: str, one: ClientSecret) -> bytes | None:
        """The secret's bytes; None for one that does not open, which the exchange answers as a fault of ours."""
        try:
            return self._sealing.unseal(one.sealed, secret.WHAT, secret.whose(row_id, one.version))
        except SealBrokenError:
            return None


def _assertion_digest(sent: Sent) -> bytes | None:
    try:
        return assertion.read(sent.text("client_secret")).digest
    except UnreadableAssertionError:
        return None
