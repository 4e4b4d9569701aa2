"""One port for several workers: connections are shared out, kept while a worker is replaced, and left to others while it is not."""

import select
import socket
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from grantway.cli.together import Port
from grantway.config import Config

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares out the connections of one port")


@pytest.fixture
def port() -> Iterator[Port]:
    with closing(Port(Config(port=0, workers=2))) as opened:
        yield opened


def waiting(port: Port, count: int = 60) -> list[int]:
    """How many of so many connections wait at each worker's socket; they are taken and dropped."""
    counts = [0 for _ in port._sockets]
    while sum(counts) < count:
        # whoever connects may be told so a moment before the listening socket is
        ready, _, _ = select.select([one for one in port._sockets if one is not None], [], [], 60)
        assert ready, counts
        for listening in ready:
            listening.accept()[0].close()
            counts[port._sockets.index(listening)] += 1
    return counts


def connected(port: Port, count: int = 60) -> None:
    for _ in range(count):
        socket.create_connection(("127.0.0.1", port.config.port), timeout=60).close()


def test_connections_are_shared_out(port: Port) -> None:
    connected(port)
    assert min(waiting(port)) > 5


def test_while_nobody_takes_them_the_others_get_them(port: Port) -> None:
    port.give_up(0)
    port.give_up(0)
    connected(port)
    assert waiting(port) == [0, 60]
    again = port.only(0)  # as the next worker does, in its process
    assert again.getsockname()[1] == port.config.port
    again.close()


def test_a_worker_keeps_only_its_own(port: Port) -> None:
    mine = port.only(1)
    assert [one is not None and one.fileno() >= 0 for one in port._sockets] == [False, True]
    connected(port)
    mine.settimeout(60)
    for _ in range(60):
        mine.accept()[0].close()


def test_nobody_shares_a_port_with_another_server(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Port(Config(port=port.config.port, workers=2))
    assert ended.value.code == 3
    assert "Address already in use" in capsys.readouterr().err


def test_after_the_end_nobody_connects(port: Port) -> None:
    port.close()
    with pytest.raises(ConnectionRefusedError):
        connected(port, 1)
