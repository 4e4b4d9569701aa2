"""Several worker processes behind one port, as an operator runs them: one server to all who call, whatever becomes of a worker."""

import asyncio
import hashlib
import os
import re
import secrets
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.multiprocess import MultiProcessCollector
from tests.engines import IS_POSTGRES, only_sqlite, rows_in
from tests.no_tls import NO_TLS
from tests.stories.process import Process, grantway, serving
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Clock, Person, approved
from tests.valkey_server import caching, needs_valkey

from grantway.access_grant import AccessGrant

TOKEN = "a token of the operator"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def working(folder: Path, *, workers: int = 3, log: Path | None = None, **environment: str) -> Iterator[Process]:
    """A server of so many workers; what they share while they run is in `folder / "run"`."""
    (folder / "run").mkdir(exist_ok=True)
    settings = {"GRANTWAY_WORKERS": str(workers), "TMPDIR": str(folder / "run"), "GRANTWAY_METRICS_TOKEN": TOKEN, **environment}
    with serving(folder / "data", log=log, **settings) as process:
        yield process


def workers_of(process: Process) -> list[int]:
    pid = process.popen.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Until it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def figures(url: str) -> str:
    return httpx.get(f"{url}/metrics", headers=OPERATOR, timeout=60, verify=NO_TLS).text


def answered_by_each(folder: Path) -> list[float]:
    """How many answers each worker gave."""
    files = sorted(folder.glob("run/grantway-*/counter_*.db"))
    merged = [MultiProcessCollector.merge([str(file)]) for file in files]  # type: ignore[no-untyped-call]
    return [sum(sample.value for metric in one if metric.name == "grantway_answers" for sample in metric.samples) for one in merged]


def person(http: httpx.Client, base: str) -> Person:
    who = {"name": "Somebody", "email": f"{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    assert http.post(f"{base}/register", json=who).status_code == 201
    token = http.post(f"{base}/token", json=who).json()["token"]
    http.cookies.clear()
    return Person(http, token, who["email"])


def people(http: httpx.Client) -> tuple[App, Person]:
    """An app and a user."""
    developer, user = person(http, "/api/v0/developer/auth"), person(http, "/api/v0/auth")
    made = developer.call("POST", "/api/v0/developer/auth/oauth2/clients", {"name": "App", "redirect_uris": REDIRECT_URI})
    client = App(http, Clock(), made.json()["client_id"], made.json()["client_secret"])
    assert client.exchange(approved(user, client)).status_code == 200
    return client, user


def at_once(url: str, bodies: list[dict[str, str]]) -> list[httpx.Response]:
    """Present all at the same moment, each over a connection of its own."""

    async def present() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=url, limits=httpx.Limits(max_connections=len(bodies)), timeout=60, verify=NO_TLS) as http:
            return await asyncio.gather(*(http.post("/api/v0/oauth2/token", json=body) for body in bodies))

    return asyncio.run(present())


def test_one_server_of_three_workers(tmp_path: Path) -> None:
    with working(tmp_path) as server:
        assert [line.split()[0] for line in server.said] == ["Grantway", "database", "master", "satellite", "Argon2"]
        assert "in 3 workers" in server.said[4]
        assert len(workers_of(server)) == 3
        for _ in range(40):
            assert httpx.get(f"{server.url}/health/ready", timeout=60, verify=NO_TLS).json() == {"status": "ready"}
        wait_until(lambda: sum(answered_by_each(tmp_path)) == 40)  # an answer is counted once it has gone out
        assert 'grantway_answers_total{endpoint="/health/ready",error="",status="200"} 40.0' in figures(server.url)
        wait_until(lambda: sum(answered_by_each(tmp_path)) == 41)
        workers = workers_of(server)
        assert server.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.slow
def test_one_code_with_64_jwts_over_three_workers(tmp_path: Path) -> None:
    with working(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        client, user = people(http)
        for _ in range(5):
            code = approved(user, client)
            answers = at_once(server.url, [client.body(code) for _ in range(64)])
            assert Counter(answer.json().get("error", "granted") for answer in answers) == {"granted": 1, "code_already_used": 63}
        jwt = client.jwt()
        answers = at_once(server.url, [client.body(approved(user, client), client_secret=jwt) for _ in range(20)])
        assert Counter(answer.json().get("error", "granted") for answer in answers) == {"granted": 1, "invalid_client": 19}
        assert all(answered > 20 for answered in answered_by_each(tmp_path))  # they did share the work


@pytest.mark.slow
def test_a_worker_is_killed_amid_exchanges(tmp_path: Path) -> None:
    """No wrong answer: a grant that is recorded, 503, or a connection that breaks. The others go on, and another takes its place."""
    handed_out: dict[str, str] = {}
    outcomes: Counter[str] = Counter()
    log = tmp_path / "log"
    with working(tmp_path, log=log) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        client, user = people(http)
        codes = [approved(user, client) for _ in range(120)]
        before = workers_of(server)

        def collect(part: list[str]) -> None:
            for code in part:
                try:
                    answer = httpx.post(f"{server.url}/api/v0/oauth2/token", json=client.body(code), timeout=60, verify=NO_TLS)
                except httpx.TransportError:
                    outcomes["broken"] += 1
                    continue
                outcomes[str(answer.status_code)] += 1
                if answer.status_code == 200:
                    handed_out[code] = answer.json()["access_grant"]

        threads = [threading.Thread(target=collect, args=(codes[start::6],)) for start in range(6)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(handed_out) > 20)
        os.kill(before[1], signal.SIGKILL)
        for thread in threads:
            thread.join()
        wait_until(lambda: len(workers_of(server)) == 3)
        assert before[1] not in workers_of(server)
        assert set(outcomes) <= {"200", "503", "broken"}
        assert outcomes["200"] > 100
        assert httpx.get(f"{server.url}/health/ready", timeout=60, verify=NO_TLS).status_code == 200
        assert client.exchange(approved(user, client)).status_code == 200
        assert server.stop() == 0
    assert "was killed by signal 9; another begins in 0.5 s" in log.read_text()
    data = tmp_path / "data"
    if not IS_POSTGRES:
        assert rows_in(data, "PRAGMA integrity_check") == [("ok",)]
    recorded = {row[0]: row[1] for row in rows_in(data, "SELECT digest, grant_tail_digest FROM codes WHERE grant_tail_digest IS NOT NULL")}
    for code, grant in handed_out.items():
        tail = AccessGrant.parse(grant).api_key.tail
        assert recorded[hashlib.sha256(code.encode()).digest()] == hashlib.sha256(tail).digest()


@pytest.mark.slow
def test_figures_survive_the_worker_that_counted_them(tmp_path: Path) -> None:
    with working(tmp_path, workers=2) as server:
        for _ in range(20):
            httpx.get(f"{server.url}/health/live", timeout=60, verify=NO_TLS)
        wait_until(lambda: sum(answered_by_each(tmp_path)) == 20)
        killed = workers_of(server)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(workers_of(server)) == 2 and not set(killed) & set(workers_of(server)))
        assert 'grantway_answers_total{endpoint="/health/live",error="",status="200"} 20.0' in figures(server.url)


@pytest.mark.slow
def test_the_parent_is_killed_and_nobody_is_left(tmp_path: Path) -> None:
    with working(tmp_path) as server:
        workers = workers_of(server)
        server.stop(signal.SIGKILL)
        try:
            wait_until(lambda: not any(is_running(pid) for pid in workers))
        finally:
            for pid in filter(is_running, workers):
                os.kill(pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/health/live", timeout=60, verify=NO_TLS)
    with socket.socket() as nobodys:  # the port is free
        nobodys.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        nobodys.bind(("127.0.0.1", int(server.url.rsplit(":", 1)[1])))
    with working(tmp_path) as again:
        assert httpx.get(f"{again.url}/health/ready", timeout=60, verify=NO_TLS).status_code == 200


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that ended and that nobody has asked about does not count."""
    try:
        return not re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return False


@pytest.mark.slow
def test_what_cannot_start_is_said_once(tmp_path: Path) -> None:
    with working(tmp_path) as server:
        server.stop()
    (tmp_path / "data" / "master.key").unlink()
    ended = grantway(tmp_path / "data", "serve", "--port", "0", "--workers", "3")
    assert (ended.returncode, ended.stderr.count("\n")) == (3, 1)
    assert "is missing, but there is a database" in ended.stderr


@pytest.mark.slow
@only_sqlite
def test_a_database_that_is_busy_is_503_and_nothing_is_stored(tmp_path: Path) -> None:
    with working(tmp_path, workers=2) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        client, user = people(http)
        codes = [approved(user, client) for _ in range(8)]
        holder = sqlite3.connect(tmp_path / "data" / "grantway.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answers = at_once(server.url, [client.body(code) for code in codes])
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json()["error"] for answer in answers} == {"temporarily_unavailable"}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        holder.execute("ROLLBACK")
        holder.close()
        # nothing was stored: each code is still good, once
        again = at_once(server.url, [client.body(code) for code in codes])
        assert Counter(answer.json().get("error", "granted") for answer in again) == {"granted": 8}


def registrations(url: str, count: int) -> Counter[int]:
    """So many that are counted and then refused for what they lack; each over a connection of its own."""
    return Counter(httpx.post(f"{url}/api/v0/auth/register", json={}, timeout=60, verify=NO_TLS).status_code for _ in range(count))


@contextmanager
def limited(folder: Path, *, workers: int = 3, log: Path | None = None, **environment: str) -> Iterator[Process]:
    """The same with limits on: five failed sign-ins to one account."""
    settings = {"GRANTWAY_RATE_LIMITS": "on", "GRANTWAY_FAILED_SIGN_INS_PER_HOUR": "5", "GRANTWAY_SIGN_INS_PER_MINUTE": "1000"}
    with working(folder, workers=workers, log=log, **settings, **environment) as process:
        yield process


def failed_sign_ins(url: str, count: int) -> Counter[int]:
    """So many guesses at one account at the same moment."""

    async def guess() -> Counter[int]:
        async with httpx.AsyncClient(base_url=url, limits=httpx.Limits(max_connections=count), timeout=60, verify=NO_TLS) as http:
            body = {"email": "uma@example.org", "password": "wrong password"}
            answers = await asyncio.gather(*(http.post("/api/v0/auth/token", json=body) for _ in range(count)))
        return Counter(answer.status_code for answer in answers)

    return asyncio.run(guess())


@pytest.mark.slow
def test_limits_hold_over_all_workers(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with limited(tmp_path, log=log, GRANTWAY_REGISTRATIONS_PER_HOUR="20") as server:
        guesses = failed_sign_ins(server.url, 30)
        # on a machine that is too busy to answer in three seconds each worker counts by itself
        assert guesses == {401: 5, 429: 25} or ("are away" in log.read_text() and guesses[401] <= 3 * 5)
        let_through, hour = 0, time.time() // 3600
        while (passed := registrations(server.url, 30)[400]) != 0:
            let_through += passed
        assert 20 <= let_through <= 3 * 20 * (1 + time.time() // 3600 - hour)  # all begin anew with the hour
        assert "grantway_limits_shared 1.0" in figures(server.url)


@pytest.mark.slow
@needs_valkey
def test_limits_in_a_cache_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with caching() as cache, limited(tmp_path, workers=2, log=log, GRANTWAY_CACHE=cache.url) as server:
        guesses = failed_sign_ins(server.url, 20)
        assert guesses == {401: 5, 429: 15} or ("are away" in log.read_text() and guesses[401] <= 2 * 5)
        assert len(cache.names()) >= 2
        cache.kill()
        # each counts by itself: up to its own five, less what it counted before
        assert set(failed_sign_ins(server.url, 20)) <= {401, 429}
        assert httpx.get(f"{server.url}/health/ready", timeout=60, verify=NO_TLS).status_code == 200
        assert "grantway_limits_shared 0.0" in figures(server.url)
        cache.start()
        wait_until(lambda: bool(registrations(server.url, 4)) and "grantway_limits_shared 1.0" in figures(server.url))
        assert server.stop() == 0
        assert rows_in(tmp_path / "data", "SELECT count(*) FROM rate_counts") == [(0,)]
    said = log.read_text()
    assert said.count("the shared counts are away") >= 2  # of each worker, not of each request
    assert said.count("the shared counts") <= 8
    assert "password" not in said
