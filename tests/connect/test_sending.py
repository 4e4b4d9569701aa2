"""What listens at the issuer's address may be anything: each way of not answering ends in time, in one error, and is followed nowhere."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.doctoring import Answer, answering, certificate, saying, told_in_json
from tests.connect.cases import SECRET
from tests.ports import free_port

from grantway.connect import AsyncClient, Client, NoAnswerError, RefusedError, message, sending
from grantway.connect.message import MAX_ANSWER

Revoke = Callable[..., None]


def sync(issuer: str, timeout: float = 60) -> None:
    Client(issuer, "app", SECRET, "https://app.example.com/cb", timeout=timeout).revoke("1secret-token")


def waiting(issuer: str, timeout: float = 60) -> None:
    asyncio.run(AsyncClient(issuer, "app", SECRET, "https://app.example.com/cb", timeout=timeout).revoke("1secret-token"))


@pytest.fixture(params=[sync, waiting])
def revoke(request: pytest.FixtureRequest) -> Iterator[Revoke]:
    sending._tls.cache_clear()
    yield request.param
    sending._tls.cache_clear()


def test_an_answer(revoke: Revoke) -> None:
    with answering(lambda *_: (200, {}, b"")) as issuer:
        revoke(issuer)
        revoke(issuer.replace("127.0.0.1", "localhost"))


def test_nobody_listens(revoke: Revoke) -> None:
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(NoAnswerError, match="cannot be reached"):
            revoke(f"http://{host}:{free_port()}")


def test_a_name_that_is_none(revoke: Revoke) -> None:
    with pytest.raises(NoAnswerError, match="cannot be reached"):
        revoke("https://no-such-host.invalid")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "hung up"),
        (b"SSH-2.0-x\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx", "broke off"),
    ],
)
def test_no_http(revoke: Revoke, said: bytes, told: str) -> None:
    with saying(*filter(None, [said])) as issuer, pytest.raises(NoAnswerError, match=told):
        revoke(issuer)


def test_an_endless_answer(revoke: Revoke) -> None:
    with saying(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, endless=True) as issuer, pytest.raises(NoAnswerError, match=str(MAX_ANSWER)):
        revoke(issuer)


@contextlib.contextmanager
def dripping(every: float, reached: threading.Event | None = None) -> Iterator[str]:
    """A server that sends a byte now and then, each well within any time-out of a single read."""
    done = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            if reached:
                reached.set()
            with connection:
                while not done.wait(every):
                    connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join()


@pytest.mark.parametrize("every", [0.05, 60])
def test_a_slow_answer_ends_in_time(revoke: Revoke, every: float) -> None:
    with dripping(every) as issuer:
        began = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"within 0\.5 s"):
            revoke(issuer, timeout=0.5)
        assert time.monotonic() - began < 30  # long before the server would have ended it


def test_a_redirect_is_not_followed(revoke: Revoke) -> None:
    asked: list[str] = []

    def elsewhere(*came: object) -> tuple[int, dict[str, str], bytes]:
        asked.append(str(came))
        return 200, {}, b""

    with (
        answering(elsewhere) as other,
        answering(lambda *_: (307, {"Location": other}, b"")) as issuer,
        pytest.raises(NoAnswerError, match="status 307"),
    ):
        revoke(issuer)
    assert asked == []


def test_an_error_repeats_nothing_that_was_sent(revoke: Revoke) -> None:
    """A server that sends back all that it got."""

    def echo(_method: str, _path: str, body: bytes) -> Answer:
        return told_in_json(400, {"error": "invalid_request", "error_description": body.decode()})

    with answering(echo) as issuer, pytest.raises(RefusedError) as refused:
        revoke(issuer)
    assert "1secret-token" not in str(refused.value)
    assert "eyJ" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_certificates(revoke: Revoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    with answering(lambda *_: (200, {}, b""), context) as issuer:
        with pytest.raises(NoAnswerError, match="certificate is not valid"):
            revoke(issuer)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        sending._tls.cache_clear()
        revoke(issuer)
        with pytest.raises(NoAnswerError, match="certificate is not valid"):  # it is for 127.0.0.1
            revoke(issuer.replace("127.0.0.1", "localhost"))


def test_no_tls_where_it_should_be(revoke: Revoke) -> None:
    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as issuer, pytest.raises(NoAnswerError):
        revoke(issuer.replace("http://", "https://"))


def test_an_exchange_that_is_given_up_leaves_nothing_behind() -> None:
    """Cancelled while it waits: the task ends at once, and the connection with it."""

    reached = threading.Event()

    async def story(issuer: str) -> None:
        task = asyncio.create_task(AsyncClient(issuer, "app", SECRET, "https://app.example.com/cb").revoke("1x"))
        await asyncio.to_thread(reached.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with dripping(60, reached) as issuer:
        asyncio.run(story(issuer))


@pytest.mark.parametrize("head", [f"Content-Length: {10**26}", "Transfer-Encoding: chunked"])
def test_a_length_beyond_all_bounds_is_no_answer(head: str) -> None:
    data = f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{'f' * 25}\r\nx\r\n".encode()
    with pytest.raises(NoAnswerError):
        message.reply(data)
