"""What Prometheus may read of this server: answers, causes, times. Labels are bounded, and no value comes from a request."""

import functools
import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values

from grantway.diagnosis.finding import Finding
from grantway.web.admission import Admission

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
NAMED_CLIENTS = 200
"""So many clients get a label of their own, the others share one: a time series costs memory for good."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


def share(folder: Path, number: int) -> None:
    """From now on keep this process's figures in files of that folder, where `text` adds up those of all workers.

    Whoever comes after a worker that died has its number, and counts on where it ended.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]  # chosen once for the process


def forget_gauges(folder: Path, number: int) -> None:
    """A worker has died: what it counted stays, what it was doing does not."""
    for file in folder.glob(f"gauge_*_{number}.db"):
        file.unlink(missing_ok=True)


class Metrics:
    """Counters and histograms: of this process, or, with the folder that workers `share`, of all of them together."""

    def __init__(self, shared_in: Path | None = None) -> None:
        self._registry = registry = CollectorRegistry()
        self._shared_in = shared_in
        self._answers = Counter(
            "grantway_answers", "Answers by endpoint, status and error code.", ["endpoint", "status", "error"], registry=registry
        )
        self._seconds = Histogram("grantway_answer_seconds", "Time to answer.", ["endpoint"], buckets=_SECONDS, registry=registry)
        self._findings = Counter(
            "grantway_findings", "Diagnosed answers by endpoint, cause and client.", ["endpoint", "cause", "client"], registry=registry
        )
        self._commits = Histogram(
            "grantway_database_commit_seconds", "Time of a commit, shared by many.", buckets=_SECONDS, registry=registry
        )
        argon2 = Gauge("grantway_argon2_queue", "Argon2 derivations that run or wait.", registry=registry, multiprocess_mode="livesum")
        self.argon2_waits = argon2.set
        """Tell how many derivations run or wait."""
        self.argon2_waits(0)
        shared = Gauge(
            "grantway_limits_shared",
            "1: limits hold for all processes together; 0: the shared counts are away, and each process counts by itself.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.limits_shared = shared.set
        """Tell whether limits hold for all processes together."""
        self.limits_shared(True)  # the store tells only when that changes
        self._in_progress = Gauge(
            "grantway_requests_in_progress", "Requests that are worked on.", registry=registry, multiprocess_mode="livesum"
        )
        self._turned_away = Counter("grantway_turned_away", "Requests answered 503 because there was no room.", registry=registry)
        self._lost = Counter("grantway_findings_lost", "Findings left out or made without look-ups: too many waited.", registry=registry)
        self._named: set[str] = set()
        # finding the series by its labels costs more than counting
        self._answers_of = functools.cache(self._answers.labels)
        self._seconds_of = functools.cache(self._seconds.labels)
        self._findings_of = functools.cache(self._findings.labels)

    def answered(self, endpoint: str, status: int, error: str, seconds: float) -> None:
        """Count an answer. `endpoint` is a path as the table of URLs has it, `error` a code of ours or empty."""
        self._answers_of(endpoint, status, error).inc()
        self._seconds_of(endpoint).observe(seconds)

    def found(self, finding: Finding) -> None:
        """Count what a finding stands for under its cause, `granted` when there is none."""
        self._findings_of(finding.endpoint, finding.cause or "granted", self._client(finding.client_id)).inc(finding.seen)

    def lost(self, count: int) -> None:
        """Count findings that were left out, or made without look-ups."""
        self._lost.inc(count)

    def watch(self, admission: Admission) -> None:
        """Tell how many requests are worked on: when somebody asks, which costs no request anything; workers tell of each change, because
        they are asked for each other."""
        if self._shared_in is None:
            self._in_progress.set_function(lambda: admission.in_progress)
        else:
            self._in_progress.set(0)
            admission.changed = self._in_progress.set

    def turned_away(self) -> None:
        """Count a request that there was no room for."""
        self._turned_away.inc()

    def committed(self, seconds: float) -> None:
        """Count a commit."""
        self._commits.observe(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        if self._shared_in is None:
            return generate_latest(self._registry)
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - a single process starts without it

        together = CollectorRegistry()
        MultiProcessCollector(together, str(self._shared_in))  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _client(self, client_id: str | None) -> str:
        if client_id is None:
            return "unknown"
        if client_id not in self._named and len(self._named) < NAMED_CLIENTS:
            self._named.add(client_id)
        return client_id if client_id in self._named else "other"
