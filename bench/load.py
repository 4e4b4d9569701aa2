"""A closed-loop HTTP/1.1 load generator: requests made beforehand, keep-alive connections, every answer kept for checking.

Run by itself, it measures its own ceiling against a server that does nothing.
"""

import argparse
import asyncio
import gc
import json
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

from bench import servers

HEAD_END = b"\r\n\r\n"
LENGTH_FIELD = b"\r\ncontent-length:"


class LoadError(Exception):
    """An answer that the benchmark can't count: another status, a broken connection, a silence."""


@dataclass(frozen=True, slots=True)
class Run:
    """One load: the answers' bodies in the requests' order, each one's latency in seconds, what it took as a whole; the answers' heads."""

    bodies: list[bytes]
    latencies: list[float]
    seconds: float
    generator_cpu: float
    heads: list[bytes]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.bodies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency, in milliseconds, that `share` of the answers (0 to 1) stayed within."""
        rank = max(1, math.ceil(share * len(self.latencies)))
        return sorted(self.latencies)[rank - 1] * 1000


def message(method: str, port: int, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole request, ready to be written to a socket."""
    fields = {"Host": f"127.0.0.1:{port}", **(headers or {})}
    if body or method != "GET":
        fields["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def post(port: int, path: str, body: bytes, *, content_type: str = "application/json", bearer: str = "") -> bytes:
    """A whole POST request."""
    authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return message("POST", port, path, body, authorization | {"Content-Type": content_type})


def answer_of(data: bytes) -> tuple[int, bytes] | None:
    """Status and body of the one answer in `data`, or None while some of it is still on the way."""
    head_end = data.find(HEAD_END)
    if head_end < 0:
        return None
    at = data[:head_end].lower().find(LENGTH_FIELD)
    if at < 0:
        body = _body_of_chunks(data[:head_end], data[head_end + len(HEAD_END) :])
        return None if body is None else (int(data[9:12]), body)
    length_from = at + len(LENGTH_FIELD)
    line_end = data.find(b"\r\n", length_from)
    body_end = head_end + len(HEAD_END) + int(data[length_from:line_end])
    if len(data) < body_end:
        return None
    if len(data) > body_end:
        raise LoadError("more bytes than one answer, although one request was sent")
    return int(data[9:12]), data[head_end + len(HEAD_END) :]


def _body_of_chunks(head: bytes, data: bytes) -> bytes | None:
    """The body of an answer in chunks (RFC 9112 section 7.1, no extensions or trailers), or None while some are still on the way."""
    if b"chunked" not in head.lower():
        raise LoadError("an answer with neither Content-Length nor chunks; the generator reads no other framing")
    body, at = b"", 0
    while (line_end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line_end], 16)
        at = line_end + 2 + size + 2
        if len(data) < at:
            return None
        if not size:
            return body
        body += data[line_end + 2 : at - 2]
    return None


def refusal(status: int, body: bytes) -> str:
    """What an unexpected answer said, without repeating anything that could be secret."""
    try:
        said = json.loads(body)
        return f"{status} {said['error']}: {said.get('error_description', '')}"
    except (ValueError, TypeError, KeyError):
        return f"{status} with {len(body)} bytes that name no error"


class _Load:
    """What the connections of one run share: the requests still to be sent, and the answers."""

    def __init__(self, requests: Sequence[bytes], expected_status: int, done: asyncio.Future[None]) -> None:
        self.requests = requests
        self.expected_status = expected_status
        self.done = done
        self.waiting: Iterator[int] = iter(range(len(requests)))
        self.open_answers = len(requests)
        self.bodies: list[bytes] = [b""] * len(requests)
        self.heads: list[bytes] = [b""] * len(requests)
        self.latencies: list[float] = [0.0] * len(requests)

    def answered(self) -> None:
        self.open_answers -= 1
        if not self.open_answers and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(why))


class _Connection(asyncio.Protocol):
    """One keep-alive connection: sends the next request as soon as an answer is whole."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._index: int | None = None
        self._began = 0.0
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send_next(self) -> None:
        self._index = next(self._load.waiting, None)
        if self._index is None or self._transport is None:
            return
        self._began = time.perf_counter()
        self._transport.write(self._load.requests[self._index])

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._received += data
        load, index = self._load, self._index
        try:
            answer = answer_of(self._received)
        except (LoadError, ValueError) as fault:
            return load.fail(str(fault))
        if answer is None:
            return None
        if index is None:
            return load.fail("an answer to no request")
        status, body = answer
        if status != load.expected_status:
            return load.fail(f"request {index}: {refusal(status, body)}")
        load.heads[index] = self._received.partition(HEAD_END)[0]
        self._received = b""
        load.bodies[index] = body
        load.latencies[index] = now - self._began
        load.answered()
        return self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.fail(f"the server closed a connection ({exc or 'end of stream'})")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def _drive(port: int, requests: Sequence[bytes], connections: int, expected_status: int, patience: float) -> Run:
    loop = asyncio.get_running_loop()
    load = _Load(requests, expected_status, loop.create_future())
    # Before the clock runs: answers are measured, not handshakes.
    pairs = [await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port) for _ in range(connections)]
    try:
        cpu, began = time.process_time(), time.perf_counter()
        for _, connection in pairs:
            connection.send_next()
        async with asyncio.timeout(patience):
            await load.done
        ended = time.perf_counter()
        return Run(load.bodies, load.latencies, ended - began, time.process_time() - cpu, load.heads)
    except TimeoutError as silence:
        raise LoadError(f"{load.open_answers} of {len(requests)} answers missing after {patience:.0f} s") from silence
    finally:
        for _, connection in pairs:
            connection.close()


def drive(port: int, requests: Sequence[bytes], *, connections: int = 32, expected_status: int = 200, patience: float = 60) -> Run:
    """Send every request once, `connections` at a time; fail at the first answer with another status."""
    # A collection in the middle would show up as the server's latency.
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_drive(port, requests, min(connections, len(requests)), expected_status, patience))
    finally:
        gc.enable()


def main() -> None:
    """Print the generator's ceiling: answers a second from a server that does nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    servers.pin_this_process()
    with servers.canned() as server:
        # As long as a real request and its answer.
        requests = [post(server.port, "/", b"x" * 700)] * asked.requests
        runs = [drive(server.port, requests) for _ in range(asked.rounds + 1)][1:]
    median = sorted(runs, key=lambda run: run.rate)[len(runs) // 2]
    busy = statistics.median(run.generator_cpu / len(run.bodies) for run in runs)
    print(f"{median.rate:,.0f} requests/s over 32 connections, p99 {median.percentile(0.99):.2f} ms")
    print(f"{busy * 1e6:.1f} µs of generator CPU a request, so at most {1 / busy:,.0f} requests/s from one core")


if __name__ == "__main__":
    main()
