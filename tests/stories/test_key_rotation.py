"""A server that exchanges codes all the while: its master key is rotated, and no app and no person notices."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests.stories.process import Process, grantway, serving
from tests.stories.running import App, Clock, Person, approved

from grantway.sealing import header
from grantway.storage.sealed_rows import COLUMNS

PASSWORD = "correct horse battery"
EXCHANGERS = 3


def signed_in(http: httpx.Client, base: str, email: str) -> Person:
    who = {"name": email, "email": email, "password": PASSWORD}
    assert http.post(f"{base}/register", json=who).status_code == 201
    token = http.post(f"{base}/token", json=who).json()["token"]
    http.cookies.clear()
    return Person(http, token, email)


def registered(developer: Person) -> App:
    body = {"name": "Photo Box", "redirect_uris": ["https://myapp.com/callback"]}
    made = developer.call("POST", "/api/v0/developer/auth/oauth2/clients", body)
    assert made.status_code == 201, made.text
    return App(developer.http, Clock(), made.json()["client_id"], made.json()["client_secret"])


def headers(data: Path) -> set[bytes]:
    with closing(sqlite3.connect(data / "grantway.db")) as raw:
        columns = [(one.table, one.column) for one in COLUMNS] + [("sealing_check", "sealed")]
        return {bytes(row[0])[:5] for table, column in columns for row in raw.execute(f"SELECT {column} FROM {table}")}


def meanwhile(
    server: Process, work: Callable[[httpx.Client], None], stop: threading.Event, failures: list[BaseException]
) -> threading.Thread:
    """Does `work` over and over in a thread with a connection of its own."""

    def again_and_again() -> None:
        try:
            with httpx.Client(base_url=server.url, timeout=60) as http:
                while not stop.is_set():
                    work(http)
        except BaseException as error:  # noqa: BLE001 - told by the story
            failures.append(error)

    thread = threading.Thread(target=again_and_again)
    thread.start()
    return thread


@pytest.mark.slow
def test_every_exchange_is_answered_while_the_key_is_rotated(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    done: list[str] = []
    with serving(data, log=log) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        user, developer = signed_in(http, "/api/v0/auth", "uma@example.org"), signed_in(http, "/api/v0/developer/auth", "dana@example.org")
        apps = [registered(developer) for _ in range(20)]
        (old,) = (data / "master.key").read_text().split()

        def exchange(own: httpx.Client) -> None:
            one = apps[len(done) % len(apps)]
            app = App(own, one.clock, one.client_id, one.client_secret)
            answer = app.exchange(approved(Person(own, user.token, user.email), app))
            assert answer.status_code == 200, answer.text
            done.append("exchanged")

        def register(own: httpx.Client) -> None:
            apps.append(registered(Person(own, developer.token, developer.email)))
            done.append("registered")

        stop, failures = threading.Event(), list[BaseException]()
        threads = [meanwhile(server, work, stop, failures) for work in (*[exchange] * EXCHANGERS, register)]
        before = len(done)
        rotation = grantway(data, "keys", "rotate")
        during = len(done) - before
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert (rotation.returncode, rotation.stderr) == (0, "")
        assert during > 20
        (new,) = (data / "master.key").read_text().split()
        assert new != old
        assert headers(data) == {header(bytes.fromhex(new))}
        assert log.read_text() == ""
        assert server.stop() == 0
    with serving(data) as again, httpx.Client(base_url=again.url, timeout=60) as http:
        for one in (apps[0], apps[-1]):
            app = App(http, one.clock, one.client_id, one.client_secret)
            assert app.exchange(approved(Person(http, user.token, user.email), app)).status_code == 200
    tested = grantway(data, "self-test")
    assert (tested.returncode, tested.stdout) == (0, f"{len(apps)} secrets tested, all are as they were handed out.\n")
    assert "not the one" in grantway(data, "self-test", GRANTWAY_MASTER_KEY=old).stderr
