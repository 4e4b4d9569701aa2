"""Whole flows over HTTP, as many as come: a request, a consent, an exchange, each on whichever keep-alive connection is idle.

In an open loop flows begin at a rate that the server's answers do not slow down, as people and apps do.
"""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from bench import flow
from bench.load import HEAD_END, LoadError, answer_of, post

REFUSED_UNDER_LOAD = frozenset({429, 503})
MOST_CONNECTIONS = 8000
IDLE_SECONDS = 3.0
"""A connection that was idle for longer is given up: the server closes it after five, and both must not do so at the same moment."""
ASKING, CONSENTING, EXCHANGING = "ask", "consent", "exchange"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: of what kind of request, when that was sent, how long it took (both in seconds), and its status.

    Status 0 is no answer at all, or one that must not be; `said` tells.
    """

    kind: str
    sent: float
    took: float
    status: int
    said: str = ""


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self.idle_since = 0.0
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes, bytes]]:
        """Send; status, head and body to come, or LoadError when the connection breaks."""
        self._answer = asyncio.get_running_loop().create_future()
        if self.transport is not None:
            self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        answer, asked = answer_of(self._received), self._answer
        if answer is not None and asked is not None:
            head, self._received, self._answer = self._received.partition(HEAD_END)[0], b"", None
            self.idle_since = time.perf_counter()
            self._crowd.idle[self] = None
            if not asked.done():
                asked.set_result((answer[0], head, answer[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.opened -= 1
        self._crowd.idle.pop(self, None)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadError(f"the server closed a connection ({exc or 'end of stream'})"))


@dataclass(slots=True)
class Crowd:
    """Everybody who comes: the people who consent by turns, their app, the connections, and what was answered."""

    walk: flow.Walk
    answered: list[Answered] = field(default_factory=list)
    opened: int = 0
    idle: dict[_Connection, None] = field(default_factory=dict)
    late: float = 0.0
    """Seconds by which the latest flow began after its time: the generator's own doing."""
    _turn: int = 0

    async def closed_loop(self, workers: int, seconds: float) -> float:
        """Flows a second, when each of so many workers begins the next one as soon as its last one ended."""
        began, done = time.perf_counter(), 0

        async def work() -> None:
            nonlocal done
            while time.perf_counter() < began + seconds:
                was_whole = await self._flow(time.perf_counter())
                done += was_whole

        await asyncio.gather(*(work() for _ in range(workers)))
        return done / (time.perf_counter() - began)

    async def open_loop(self, rate: float, seconds: float) -> list[Answered]:
        """Begin `rate` flows a second, evenly, for so long, whatever becomes of them; all that was answered to those flows."""
        self.answered, self.late = [], 0.0
        began, tasks = time.perf_counter(), set[asyncio.Task[bool]]()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(self._flow(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        while tasks:
            await asyncio.wait(tasks)
        return self.answered

    def close(self) -> None:
        """Give the connections up."""
        for one in list(self.idle):
            if one.transport is not None:
                one.transport.abort()

    async def _flow(self, due: float) -> bool:
        """Ask, consent, exchange; False as soon as one of these is refused."""
        walk, app, began = self.walk, self.walk.app, time.perf_counter()
        self.late = max(self.late, began - due)
        person = walk.people[self._turn % len(walk.people)]
        self._turn += 1
        asked = await self._send(ASKING, post(walk.port, "/api/v0/oauth2/request", flow.wish(app), bearer=person))
        if asked is None:
            return False
        approval = flow.approval(json.loads(asked)["request_id"])
        consented = await self._send(CONSENTING, post(walk.port, "/api/v0/oauth2/consent", approval, bearer=person))
        if consented is None:
            return False
        request = flow.token_request(walk.port, app, json.loads(consented)["code"])
        return await self._send(EXCHANGING, request) is not None

    async def _send(self, kind: str, request: bytes) -> bytes | None:
        """The body of a 200; None for everything else, which is noted."""
        sent = time.perf_counter()
        try:
            status, head, body = await (await self._connection()).ask(request)
        except (LoadError, OSError) as broken:
            self.answered.append(Answered(kind, sent, time.perf_counter() - sent, 0, str(broken)))
            return None
        said = "" if status == 200 else _error(body)
        if status == 503 and b"\r\nretry-after:" not in head.lower():
            status, said = 0, "503 without Retry-After"
        self.answered.append(Answered(kind, sent, time.perf_counter() - sent, status, said))
        return body if status == 200 else None

    async def _connection(self) -> _Connection:
        while self.idle:
            known, _ = self.idle.popitem()
            if time.perf_counter() - known.idle_since < IDLE_SECONDS:
                return known
            if known.transport is not None:
                known.transport.abort()
        if self.opened >= MOST_CONNECTIONS:
            raise LoadError(f"{MOST_CONNECTIONS} connections wait for an answer")
        self.opened += 1
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.walk.port)
        return made


def _error(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "no error in the contract's form"


def percentile(answers: Sequence[Answered], share: float) -> float:
    """The time in milliseconds that `share` of the answers (0 to 1) stayed within."""
    if not answers:
        return math.inf
    times = sorted(one.took for one in answers)
    return times[max(1, math.ceil(share * len(times))) - 1] * 1000


def statuses(answers: Sequence[Answered]) -> dict[str, int]:
    """How many answers there were of each status and error."""
    return dict(sorted(Counter(f"{one.status} {one.said}".strip() for one in answers).items()))
