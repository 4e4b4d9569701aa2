"""A server that exchanges codes all the while: its master key is rotated, and no app and no person notices."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.meanwhile import meanwhile, peopled
from tests.stories.process import grantway, serving

from grantway.sealing import header
from grantway.storage.sealed_rows import COLUMNS


def headers(data: Path) -> set[bytes]:
    with closing(sqlite3.connect(data / "grantway.db")) as raw:
        columns = [(one.table, one.column) for one in COLUMNS] + [("sealing_check", "sealed")]
        return {bytes(row[0])[:5] for table, column in columns for row in raw.execute(f"SELECT {column} FROM {table}")}


@pytest.mark.slow
def test_every_exchange_is_answered_while_the_key_is_rotated(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with serving(data, log=log) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        going = peopled(server, http, apps=20)
        (old,) = (data / "master.key").read_text().split()
        with meanwhile(server, going, going.exchange, going.exchange, going.exchange, going.register):
            before = len(going.done)
            rotation = grantway(data, "keys", "rotate")
            during = len(going.done) - before
        assert going.failures == []
        assert (rotation.returncode, rotation.stderr) == (0, "")
        assert during > 20
        (new,) = (data / "master.key").read_text().split()
        assert new != old
        assert headers(data) == {header(bytes.fromhex(new))}
        assert log.read_text() == ""
        assert server.stop() == 0
    with serving(data) as again, httpx.Client(base_url=again.url, timeout=60, verify=NO_TLS) as http:
        going.exchange(http, 0)
        going.exchange(http, -1)
    tested = grantway(data, "self-test")
    assert (tested.returncode, tested.stdout) == (0, f"{len(going.apps)} secrets tested, all are as they were handed out.\n")
    assert "not the one" in grantway(data, "self-test", GRANTWAY_MASTER_KEY=old).stderr
