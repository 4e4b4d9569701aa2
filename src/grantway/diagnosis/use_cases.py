"""Explain what was refused, keep the findings, show them to those to whom they belong."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from grantway.diagnosis import diagnose
from grantway.diagnosis import sent as sending
from grantway.diagnosis.attempt import NOTHING_KNOWN, Attempt, Known
from grantway.diagnosis.finding import Finding, FindingQuery, Usage
from grantway.diagnosis.looking_up import EvidenceStorage, LookUp
from grantway.diagnosis.waiting import Waiting
from grantway.oauth_error import UnavailableError
from grantway.sealing import Sealing

_log = logging.getLogger(__name__)

MOST_IN_ONE_GO = 500
GRANTED_IN_ONE_GO = 10
"""Exchanges of one client that get a finding each in one round; what is more is counted in the newest of them (`seen`)."""
LOOKED_UP_A_ROUND = 50
"""So that a flood of refusals does not slow the answers down: whoever reads findings has more made at once."""
OPENED_AS_DEAR_AS_ALL_ELSE = 25
"""To unseal and hide so many secrets costs as much as the rest of a look-up. A request can be made to mention clients with a hundred
secrets; it counts as so many look-ups as it costs."""
PAUSE_SECONDS = 0.2  # so long what came, with its secrets, is in memory (decision 0009)


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
        self._kept = kept
        self._look_up = LookUp(evidence, kept, sealing)
        self._audiences = audiences
        self._found = found
        self._lost = lost
        self._waiting = Waiting()
        self._granted = Counter[str]()
        self._beyond = Counter[str]()
        self._unkept: list[Finding] = []
        self._working = asyncio.Lock()
        self._caught_up = 0
        self._readers = 0
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
                # waited for, not slept: a server that stops does not wait for the pause
                await asyncio.wait_for(self._closing.wait(), PAUSE_SECONDS)
        await self.drain()

    def close(self) -> None:
        """Let `run` come to its end."""
        self._closing.set()

    async def drain(self) -> None:
        """Make findings of all that was recorded so far, and keep them. While the database is away they wait, up to a bound."""
        last = self._waiting.taken + len(self._waiting)
        # at least once: a round that is under way must come to its end
        while await self._round(MOST_IN_ONE_GO) and self._waiting.taken < last:
            pass

    async def explain(self, attempt: Attempt, for_developer: str | None = None) -> Finding:
        """The finding of one attempt, which is not kept. For a developer, clients of others are unknown ones."""
        return diagnose.diagnose(attempt, await self._known(attempt, for_developer), self._audiences)

    async def finding(self, trace_id: str, developer_id: str | None) -> Finding | None:
        """The finding under that trace_id, if this developer may see it (None: the operator, who may see all)."""
        # at once and looked up, whatever waits before it
        async with self._next():
            if self._waiting.hurry(trace_id):
                await self._make(1, 1)
        return await self._kept.finding(trace_id, developer_id)

    async def findings(self, query: FindingQuery) -> list[Finding]:
        """The findings that the query asks for, the newest first."""
        await self._catch_up()
        return await self._kept.findings(query)

    async def usage(self, client_row_id: str, since: datetime) -> list[Usage]:
        """How often the client was answered, by hour and cause, the oldest hour first."""
        await self._catch_up()
        return await self._kept.usage(client_row_id, since)

    async def _catch_up(self) -> None:
        """For whoever reads: make findings of what waits now, in a flood only of what is none of it; of so many at most."""
        before = self._caught_up
        async with self._next():
            # else another reader has had all of it made meanwhile
            if self._caught_up == before:
                self._caught_up += 1
                await self._make(MOST_IN_ONE_GO, self._waiting.soon)

    @contextlib.asynccontextmanager
    async def _next(self) -> AsyncIterator[None]:
        """Held by whoever makes findings, one at a time: here by a reader, for whom a round that is under way is cut short."""
        self._readers += 1
        try:
            await self._working.acquire()
        finally:
            self._readers -= 1
        try:
            yield
        finally:
            self._working.release()

    async def _round(self, looked_up: int) -> bool:
        """Make some findings, and keep them; False when the database is away, and they wait."""
        async with self._working:
            return await self._make(looked_up)

    async def _make(self, looked_up: int, most: int | None = None) -> bool:
        self._unkept += await self._made(looked_up, most)
        try:
            await self._kept.keep(self._unkept)
        except UnavailableError:
            # the newest wait for the database; so memory stays bounded however long it is away
            self._lost(max(0, len(self._unkept) - MOST_IN_ONE_GO))
            del self._unkept[:-MOST_IN_ONE_GO]
            return False
        self._unkept = []
        return True

    async def _made(self, looked_up: int, most: int | None = None) -> list[Finding]:
        made: list[Finding] = []
        while self._waiting and looked_up > 0 and not self._is_enough(len(made), most):
            attempt = self._waiting.take()
            if attempt.error is None:
                finding = diagnose.granted(attempt)
            else:
                is_looked_up = self._waiting.allows_look_up(attempt)
                self._lost(not is_looked_up)
                finding, opened = await self._explained(attempt, look_up=is_looked_up)
                looked_up -= is_looked_up + opened // OPENED_AS_DEAR_AS_ALL_ELSE
                await asyncio.sleep(0)  # requests that wait go first
            made.append(finding)
        self._count_beyond(made)
        for finding in made:
            self._found(finding)
        return made

    def _is_enough(self, made: int, most: int | None) -> bool:
        """Whether a round ends here. Without `most` it is nobody's, and shorter while somebody waits to read."""
        if most is not None:
            return made >= min(most, MOST_IN_ONE_GO)
        return made >= (LOOKED_UP_A_ROUND if self._readers else MOST_IN_ONE_GO)

    def _count_beyond(self, made: list[Finding]) -> None:
        """Let each client's newest exchange among `made` stand for those too that got no finding of their own."""
        self._granted.clear()
        newest = {one.client_row_id or "": at for at, one in enumerate(made) if one.error is None}
        for whose in self._beyond.keys() & newest.keys():
            at = newest[whose]
            made[at] = replace(made[at], seen=1 + self._beyond.pop(whose))

    async def _explained(self, attempt: Attempt, *, look_up: bool) -> tuple[Finding, int]:
        """The finding, and how many secrets were unsealed for it. Whatever happens to one finding, the others are made."""
        known = NOTHING_KNOWN
        try:
            known = await self._known(attempt, None) if look_up else known
            return diagnose.diagnose(attempt, known, self._audiences), known.opened
        except Exception as error:  # noqa: BLE001 - the refusal has been answered; only its explanation fails
            # its kind alone: an exception's words may hold what was sent
            _log.error("no finding could be made: %s", type(error).__name__, extra={"fields": {"trace_id": attempt.trace_id}})
            return diagnose.unexplained(attempt), known.opened

    async def _known(self, attempt: Attempt, for_developer: str | None) -> Known:
        try:
            return await self._look_up.known(attempt, sending.read(attempt), for_developer)
        except UnavailableError:
            return NOTHING_KNOWN  # what came tells something by itself
