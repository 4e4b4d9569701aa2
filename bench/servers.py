"""The servers under test: started on their core, awaited until they answer, stopped by SIGTERM, watched through /proc."""

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEER = HERE / "peers" / "oidc-provider"
GRANTWAY = Path(sys.executable).parent / "grantway"
SERVER_CORE = 0
GENERATOR_CORE = 1
START_PATIENCE = 20.0
STOP_PATIENCE = 15.0


class ServerError(Exception):
    """A server that didn't start, didn't stop or went away; the message closes with the last lines that it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process, its port, the file that holds what it writes, and how long it took to answer."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    ready_after: float

    def stop(self) -> None:
        """SIGTERM, and what a graceful stop means: it ends by itself, in time and without complaint."""
        if self.process.poll() is not None:
            raise ServerError(f"the server had ended by itself with {self.process.returncode}\n{self.last_words()}")
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            self.process.wait()
            raise ServerError(f"still running {STOP_PATIENCE:.0f} s after SIGTERM\n{self.last_words()}") from late
        # uvicorn raises the signal again when it is done, a Java machine gives it as a shell would: all count as graceful.
        if status not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            raise ServerError(f"the server ended with {status} after SIGTERM\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of what the server wrote."""
        return _last_words(self.log)

    def cpu_seconds(self) -> float:
        """User and system time of all of the process's threads so far, in seconds (resolution: a clock tick, 10 ms)."""
        # Behind the last parenthesis: the name within them may hold spaces and more of them.
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, field: str = "VmRSS") -> float:
        """A line of /proc/PID/status in MiB: VmRSS (resident now) or VmHWM (the most since the start or the last reset)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise ServerError(f"/proc tells no {field}")

    def forget_peak(self) -> None:
        """Let VmHWM begin again from what is resident now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


def _answers(port: int, path: str) -> bool:
    """Whether GET `path` gives a 200 right now."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(12).endswith(b" 200")  # `HTTP/1.1 200` has so many bytes
    return False


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path, started: float, patience: float) -> float:
    """Seconds from `started` to the first 200."""
    while not _answers(port, path):
        if process.poll() is not None:
            raise ServerError(f"the server ended with {process.returncode} before it answered\n{_last_words(log)}")
        if time.perf_counter() - started > patience:
            raise ServerError(f"no 200 from GET {path} within {patience:.0f} s\n{_last_words(log)}")
        time.sleep(0.001)
    return time.perf_counter() - started


@contextlib.contextmanager
def data_directory() -> Iterator[Path]:
    """A temporary directory in build/, on the repository's disk: the system's own may be memory, where durability is free."""
    build = HERE.parent / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as path:
        yield Path(path)


def sync_milliseconds(directory: Path) -> float:
    """What a durable commit can't go below here: the median of 100 times 4 KiB written and synced, in milliseconds."""
    times = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pin_this_process() -> None:
    """Keep the generator off the servers' core."""
    if (os.cpu_count() or 1) < 2:
        raise ServerError("the benchmarks need two cores: one for the server, one for the load generator")
    os.sched_setaffinity(0, {GENERATOR_CORE})


@contextlib.contextmanager
def on_cores(cores: frozenset[int]) -> Iterator[None]:
    """Let this thread, and whatever it starts in the meantime, run on `cores` alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    ready: str,
    env: Mapping[str, str],
    cores: frozenset[int] = frozenset({SERVER_CORE}),
    *,
    patience: float = START_PATIENCE,
) -> Iterator[Server]:
    """A server from start to stop. On the way out of a failure it is stopped too, but the failure is what is told."""
    with tempfile.NamedTemporaryFile(prefix="bench-server-", suffix=".log") as log:
        with on_cores(cores):
            started = time.perf_counter()
            parts, quiet = [str(part) for part in command], subprocess.DEVNULL
            process = subprocess.Popen(parts, stdin=quiet, stdout=log, stderr=subprocess.STDOUT, env=dict(env), cwd=HERE.parent)
        try:
            ready_after = _wait_until_ready(process, port, ready, Path(log.name), started, patience)
            server = Server(process, port, Path(log.name), ready_after)
            yield server
        except BaseException:
            process.kill()
            process.wait()
            raise
        server.stop()


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without what could change a server: Grantway's settings, Python's and Node's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRANTWAY_", "PYTHON", "NODE_"))}
    return kept | settings


@contextlib.contextmanager
def grantway(
    data: Path, *, cores: frozenset[int] = frozenset({SERVER_CORE}), settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Grantway as `grantway serve` runs it: one process, SQLite in `data`, nothing but the rate limits turned off."""
    port = free_port()
    env = environment(GRANTWAY_RATE_LIMITS="off", GRANTWAY_ISSUER=f"http://127.0.0.1:{port}", **(settings or {}))
    command: list[str | Path] = [GRANTWAY, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", data]
    with running(command, port, "/health/ready", env, cores) as server:
        yield server


@contextlib.contextmanager
def stepping(data: Path, samples: Path, clock: Sequence[str], settings: Mapping[str, str]) -> Iterator[Server]:
    """Grantway whose clock jumps (`bench.soak_server`), over `data`; it appends what it counts to `samples`."""
    port = free_port()
    own = {"GRANTWAY_PORT": str(port), "GRANTWAY_DATA": str(data), "GRANTWAY_ISSUER": f"http://127.0.0.1:{port}"}
    env = environment(GRANTWAY_RATE_LIMITS="off", **own, **settings)
    with running([sys.executable, "-m", "bench.soak_server", samples, *clock], port, "/health/ready", env) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Peer:
    """The running oidc-provider, the second port, where codes are minted, and whether it signs an id_token with each access token."""

    server: Server
    seed_port: int
    signs: bool


@contextlib.contextmanager
def oidc_provider(node: str, client_id: str, client_secret: str, redirect_uri: str, *, openid: str = "") -> Iterator[Peer]:
    """The peer, in production mode; what it depends on is installed at the first use.

    `openid`: what it signs id_tokens with, RS256 or ES256; empty: it signs none.
    """
    install_peer()
    port, seed_port = free_port(), free_port()
    env = environment(
        NODE_ENV="production",
        PEER_PORT=str(port),
        PEER_SEED_PORT=str(seed_port),
        PEER_CLIENT_ID=client_id,
        PEER_CLIENT_SECRET=client_secret,
        PEER_REDIRECT_URI=redirect_uri,
        PEER_OPENID=openid,
    )
    with running([node, PEER / "server.mjs"], port, "/.well-known/openid-configuration", env) as server:
        yield Peer(server, seed_port, bool(openid))


@contextlib.contextmanager
def canned() -> Iterator[Server]:
    port = free_port()
    with running([sys.executable, "-m", "bench.canned", str(port)], port, "/", environment()) as server:
        yield server


def peer_version() -> str:
    """The pinned version of oidc-provider."""
    lock = json.loads((PEER / "package-lock.json").read_text())
    return str(lock["packages"]["node_modules/oidc-provider"]["version"])


def _installed(name: str, version: str) -> bool:
    package = PEER / "node_modules" / name / "package.json"
    return package.exists() and bool(json.loads(package.read_text())["version"] == version)


def install_peer(npm: Sequence[str] = ("npm",)) -> None:
    """`npm ci`, unless the pinned versions are already there."""
    lock = json.loads((PEER / "package-lock.json").read_text())["packages"]
    if all(_installed(name, lock[f"node_modules/{name}"]["version"]) for name in lock[""]["dependencies"]):
        return
    if shutil.which(npm[0]) is None:
        raise ServerError("npm is not on the path; the peer needs Node and npm")
    command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=PEER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"npm ci failed with {done.returncode}\n{done.stderr[-2000:]}")


def node_version(node: str) -> str:
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
