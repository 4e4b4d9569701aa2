"""The program can do all its work under the unit's filter of system calls."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy import files
from tests.deploy.started import access_grant, path, started
from tests.deploy.tools import needs_systemd
from tests.stories.process import COMMAND

from grantway.access_grant import AccessGrant

pytestmark = [
    needs_systemd,
    pytest.mark.skipif(ctypes.util.find_library("seccomp") is None, reason="libseccomp is not there (Debian: libseccomp2)"),
]

CONFINED = (sys.executable, "-m", "tests.deploy.confined")
FORBIDDEN = {
    "memory that is written and run": "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "packets of its own": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "another owner": "import os; os.chown('/proc/self/cwd', 1, 1)",
    "another root": "import os; os.chroot('/')",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_filter_is_there(what: str) -> None:
    done = subprocess.run(
        [*CONFINED, sys.executable, "-c", FORBIDDEN[what]], capture_output=True, text=True, timeout=60, check=False, cwd=files.ROOT
    )
    assert "PermissionError" in done.stderr


def test_the_server_does_its_work_under_the_filter(tmp_path: Path) -> None:
    key = tmp_path / "master_key"
    key.write_text("ab" * 32 + "\n")
    environment = {
        "PATH": path(),
        "PYTHONPATH": str(files.ROOT),
        "GRANTWAY_DATA": str(tmp_path / "data"),
        "GRANTWAY_PORT": "0",
        "GRANTWAY_RATE_LIMITS": "off",
        "GRANTWAY_MASTER_KEY_FILE": str(key),
    }
    log = tmp_path / "log"
    with started([*CONFINED, *COMMAND, "serve"], environment, log) as server:
        assert (server.status("Seccomp"), server.status("NoNewPrivs")) == ("2", "1")
        assert AccessGrant.parse(access_grant(server.url)).api_key.tail
        assert server.stop(30) == 0
    assert log.read_text() == ""
    assert sorted(os.listdir(tmp_path / "data")) == ["grantway.db", "in-use.lock"]
