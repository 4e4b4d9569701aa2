"""Starting and ending as operators do: five lines at start, a port that is taken, a key that is gone, a stop amid requests."""

import contextlib
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
from tests.engines import rows_in
from tests.no_tls import NO_TLS
from tests.stories.process import COMMAND, grantway, run, serving


def test_first_start_makes_everything_and_says_so(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    with serving(data) as server:
        assert httpx.get(f"{server.url}/health/ready", timeout=60, verify=NO_TLS).json() == {"status": "ready"}
        assert httpx.get(f"{server.url}/health/live", timeout=60, verify=NO_TLS).json() == {"status": "live"}
        assert server.stop() == 0
    assert [line.split()[0] for line in server.said] == ["Grantway", "database", "master", "satellite", "Argon2"]
    assert "made now" in server.said[1]
    assert stat.S_IMODE((data / "master.key").stat().st_mode) == 0o600
    with serving(data) as again:
        assert "found" in again.said[1]
        assert again.said[3] == server.said[3]


def test_two_at_once_on_a_new_folder_agree(tmp_path: Path) -> None:
    with serving(tmp_path) as one, serving(tmp_path) as other:
        assert one.said[3] == other.said[3]
        assert all(httpx.get(f"{server.url}/health/ready", timeout=60, verify=NO_TLS).status_code == 200 for server in (one, other))


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = grantway(tmp_path, "serve", "--port", str(port))
    assert ended.returncode == 3
    assert ended.stderr == f"grantway: cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port.\n"


def test_a_missing_or_wrong_master_key_is_never_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.stop()
    (tmp_path / "master.key").unlink()
    missing = grantway(tmp_path, "serve", "--port", "0")
    assert missing.returncode == 3
    assert "is missing, but there is a database that was sealed with it" in missing.stderr
    assert not (tmp_path / "master.key").exists()
    wrong = grantway(tmp_path, "serve", "--port", "0", GRANTWAY_MASTER_KEY="ab" * 32)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (3, 1)
    assert "not the one that the database was sealed with" in wrong.stderr


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.stop()
    rows_in(tmp_path, "INSERT INTO schema_version VALUES (9999)")
    ended = grantway(tmp_path, "serve", "--port", "0")
    assert ended.returncode == 3
    assert "the database has schema 9999" in ended.stderr


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    ended = grantway(tmp_path, "serve", GRANTWAY_TOKEN_REQUESTS_PER_MINUTE="many")
    assert (ended.returncode, ended.stderr) == (
        2,
        "grantway: token_requests_per_minute must be a whole number (GRANTWAY_TOKEN_REQUESTS_PER_MINUTE)\n",
    )


def test_stopping_amid_requests_loses_no_answer(tmp_path: Path) -> None:
    """Registrations hash a password each, and so take a while: those that were begun are answered, and what was answered is kept."""
    answers: list[httpx.Response] = []
    begun = threading.Barrier(9)
    with serving(tmp_path) as server:

        def register(number: int) -> None:
            with httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
                http.get("/health/live")
                begun.wait()
                who = {"name": "Somebody", "email": f"{number}@example.org", "password": "password"}
                answers.append(http.post("/api/v0/auth/register", json=who))

        threads = [threading.Thread(target=_but_for_refused_connections, args=(register, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        begun.wait()
        assert server.stop() == 0
        for thread in threads:
            thread.join()
    kept = {row[0] for row in rows_in(tmp_path, "SELECT id FROM accounts")}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == kept


def _but_for_refused_connections(register: Callable[[int], None], number: int) -> None:
    with contextlib.suppress(httpx.TransportError):  # it came after the stop, and was never begun
        register(number)


def test_help_of_the_whole_command() -> None:
    helped = run([*COMMAND, "--help"])
    assert helped.returncode == 0
    assert "an access grant, never a password" in helped.stdout
