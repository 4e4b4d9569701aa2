"""What Prometheus may read of this process: answers, causes, times. Labels are bounded, and no value comes from a request."""

import functools
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from grantway.diagnosis.finding import Finding

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
NAMED_CLIENTS = 200
"""So many clients get a label of their own, the others share one: a time series costs memory for good."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters and histograms of one process. `argon2_length` tells how many derivations run or wait, `in_progress` how many
    requests are worked on."""

    def __init__(self, argon2_length: Callable[[], int], in_progress: Callable[[], int] = lambda: 0) -> None:
        self._registry = registry = CollectorRegistry()
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
        Gauge("grantway_argon2_queue", "Argon2 derivations that run or wait.", registry=registry).set_function(argon2_length)
        Gauge("grantway_requests_in_progress", "Requests that are worked on.", registry=registry).set_function(in_progress)
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

    def turned_away(self) -> None:
        """Count a request that there was no room for."""
        self._turned_away.inc()

    def committed(self, seconds: float) -> None:
        """Count a commit."""
        self._commits.observe(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def _client(self, client_id: str | None) -> str:
        if client_id is None:
            return "unknown"
        if client_id not in self._named and len(self._named) < NAMED_CLIENTS:
            self._named.add(client_id)
        return client_id if client_id in self._named else "other"
