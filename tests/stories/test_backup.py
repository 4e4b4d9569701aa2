"""A database is copied while a server writes into it, and put back when the server has stopped; not before."""

import shutil
from pathlib import Path

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.meanwhile import meanwhile, peopled
from tests.stories.process import grantway, serving


@pytest.mark.slow
def test_copied_under_way_and_put_back_after_the_stop(tmp_path: Path) -> None:
    data, log, copies = tmp_path / "data", tmp_path / "log", [tmp_path / f"copy{number}.db" for number in range(3)]
    with serving(data, log=log) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        going = peopled(server, http, apps=2)
        done = []
        with meanwhile(server, going, going.exchange, going.exchange, going.register):
            for copy in copies:
                assert grantway(data, "db", "backup", str(copy)).returncode == 0
                done.append(len(going.done))
            assert grantway(data, "db", "check").returncode == 0
            refused = grantway(data, "db", "restore", str(copies[0]))
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "stop it first" in refused.stderr
        assert going.failures == []
        assert log.read_text() == ""
        assert server.stop() == 0
    assert done == sorted(set(done))
    assert [copy.stat().st_mode & 0o777 for copy in copies] == [0o600] * 3
    for copy in copies:  # each is whole and sound, wherever it was taken
        there = tmp_path / copy.stem
        there.mkdir()
        shutil.copy(data / "master.key", there)
        assert grantway(there, "db", "restore", str(copy)).returncode == 0
        check = grantway(there, "db", "check")
        assert check.returncode == 0, check.stdout
    assert grantway(data, "db", "restore", str(copies[0])).returncode == 0
    with serving(data) as again, httpx.Client(base_url=again.url, timeout=60, verify=NO_TLS) as http:
        going.sign_in(http)  # nobody is signed in after a restore
        going.exchange(http, 0)
