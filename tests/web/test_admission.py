"""So many requests at once and no more: one too many is turned away at once, in the contract's form, and nothing else suffers."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest
from tests.no_tls import NO_TLS
from tests.stories.running import Server, approved, new_app, person, running

from grantway.web.admission import Admission, CrowdedError
from grantway.web.metrics import Metrics

TOKEN = "a token of the operator"


def test_room_for_so_many() -> None:
    admission = Admission(2)
    with admission, admission:
        assert admission.in_progress == 2
        with pytest.raises(CrowdedError) as crowded, admission:
            pass
        assert crowded.value.retry_after == 1
        assert admission.in_progress == 2
    with pytest.raises(ValueError, match="whatever"), admission:
        raise ValueError("whatever")
    assert admission.in_progress == 0


def test_a_worker_tells_of_each_change(tmp_path: Path) -> None:
    """Another one answers for it at /metrics, and cannot ask."""
    admission, figures = Admission(2), Metrics(tmp_path)
    figures.watch(admission)
    with admission:
        assert "grantway_requests_in_progress 1.0" in generate_latest(figures._registry).decode()
    assert "grantway_requests_in_progress 0.0" in generate_latest(figures._registry).decode()


@contextmanager
def argon2_held_up(server: Server) -> Iterator[None]:
    """While this is open, whoever needs Argon2 waits for it."""
    release, held = threading.Event(), threading.Event()

    def work() -> None:
        held.set()
        release.wait(60)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(server.wait_for, server.grantway.argon2(work))
        assert held.wait(60)
        try:
            yield
        finally:
            release.set()
            waiting.result(60)


@contextmanager
def full(server: Server, count: int) -> Iterator[list[Future[httpx.Response]]]:
    """While this is open, so many sign-ups are being worked on; what became of them."""
    who = [{"name": "Uma", "email": f"in-progress-{number}@example.org", "password": "correct horse battery"} for number in range(count)]
    with ThreadPoolExecutor(count) as threads, argon2_held_up(server):
        url = f"{server.url}/api/v0/auth/register"
        signing_up = [threads.submit(httpx.post, url, json=one, timeout=60, verify=NO_TLS) for one in who]
        while server.grantway.house.admission.in_progress < count:
            assert not any(one.done() for one in signing_up)
        yield signing_up


def test_one_too_many_is_told_so_and_the_others_are_answered(tmp_path: Path) -> None:
    with running(tmp_path, requests_at_once=2, argon2_at_once=1, metrics_token=TOKEN) as server:
        app = new_app(server, person(server, "developer"))
        code = approved(person(server), app)
        with full(server, 2) as signing_up:
            refused = app.exchange(code)
            page = server.http.get("/sign-in")
            healthy = [server.http.get(path).status_code for path in ("/health/live", "/health/ready")]
            figures = server.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
        assert (refused.status_code, refused.json()["error"], refused.headers["retry-after"]) == (503, "temporarily_unavailable", "1")
        assert (page.status_code, page.headers["retry-after"]) == (503, "1")
        assert page.headers["content-type"].startswith("text/html")
        assert "Trace id: " in page.text  # the operator's log has it
        assert healthy == [200, 200]
        assert "grantway_requests_in_progress 2.0" in figures
        assert "grantway_turned_away_total 2.0" in figures
        assert [one.result().status_code for one in signing_up] == [201, 201]
        assert app.exchange(code).status_code == 200  # the same request a little later, as Retry-After says
        assert server.grantway.house.admission.in_progress == 0


def test_who_is_turned_away_leaves_no_finding_and_counts_for_no_limit(tmp_path: Path) -> None:
    with running(tmp_path, requests_at_once=1, argon2_at_once=1, rate_limits=True, token_requests_per_minute=3) as server:
        app = new_app(server, person(server, "developer"))
        with full(server, 1):
            assert [app.exchange("x" * 20).status_code for _ in range(9)] == [503] * 9
        assert [app.exchange("x" * 20).status_code for _ in range(4)] == [400, 400, 400, 429]
        server.wait_for(server.grantway.house.diagnosis.drain())
        assert server.rows("SELECT cause FROM findings") == [("code_unknown",)] * 3 + [("rate_limited",)]


def test_a_slow_sender_takes_no_place(tmp_path: Path) -> None:
    with running(tmp_path, requests_at_once=1) as server:
        app = new_app(server, person(server, "developer"))
        with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=60) as slow:
            slow.sendall(b"POST /api/v0/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
            assert app.exchange("x" * 20).status_code == 400
            slow.sendall(b"}")
            assert b" 400 " in slow.recv(100)
