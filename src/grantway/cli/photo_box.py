"""The demonstration's third-party app: Photo Box, in a process of its own on a port of its own (examples/photo_box)."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from grantway.config import PREFIX

HOUSE = Path(__file__).resolve().parents[3]
"""The folder that has `examples`, where Grantway runs from its sources."""
SECONDS_TO_END = 5


class Variant(StrEnum):
    """What Photo Box is built on."""

    AUTHLIB = "authlib"
    CONNECT = "connect"
    NONE = "none"


_NEEDS = {Variant.AUTHLIB: ("flask", "authlib", "requests"), Variant.CONNECT: ("flask",), Variant.NONE: ()}


def why_not(variant: Variant) -> str | None:
    """Why Photo Box cannot be started here, as a sentence; None when it can."""
    if not (HOUSE / "examples" / "photo_box" / "__main__.py").is_file():
        return "Photo Box, the app to click through, is not part of an installed Grantway: run the demonstration from its sources."
    missing = [name for name in _NEEDS[variant] if find_spec(name) is None]
    if missing:
        return f"Photo Box, the app to click through, is not started: {', '.join(missing)} not installed. `make run` installs all it needs."
    return None


@dataclass(frozen=True, slots=True)
class Address:
    """Where Photo Box is: it listens already, and its registration names it by `localhost`."""

    listening: socket.socket
    host: str
    port: int

    @property
    def url(self) -> str:
        """Where a person opens it."""
        return f"http://localhost:{self.port}"

    @property
    def redirect_uri(self) -> str:
        """Where Grantway sends people back to."""
        return f"{self.url}/callback"


def reserve(host: str, port: int) -> Address:
    """Listen on that port, or on a free one where it is taken. Browsers that come early wait."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError):  # OverflowError: behind port 65535 there is none
        listening.bind((host, 0))
    listening.listen()
    return Address(listening, host, listening.getsockname()[1])


@contextlib.asynccontextmanager
async def running(variant: Variant, address: Address, settings: Mapping[str, str]) -> AsyncIterator[None]:
    """Run it until the end of the block. `settings` are those of its registration, by name; they go into its environment."""
    descriptor = str(address.listening.fileno())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.photo_box", variant.value, "--host", address.host, "--fd", descriptor),
        cwd=HOUSE,
        env=_environment(settings),
        stdin=asyncio.subprocess.DEVNULL,  # Enter is for the demonstration
        pass_fds=[address.listening.fileno()],
    )
    address.listening.close()  # it is the process's now: when that ends, nobody is there
    watching = asyncio.create_task(_watched(process))
    try:
        yield
    finally:
        watching.cancel()
        await _ended(process)


async def _watched(process: asyncio.subprocess.Process) -> None:
    """Say so if it breaks down by itself; what it said of that stands above."""
    if code := await process.wait():
        print(f"Photo Box broke down (exit code {code}); the server goes on without it.", file=sys.stderr, flush=True)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What an app of somebody else's may see: nothing of the server's own settings, a master key among them."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return inherited | {f"PHOTO_BOX_{name.upper()}": value for name, value in settings.items()}


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ctrl-C reaches it by itself; everything else ends it here."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), SECONDS_TO_END)
    except TimeoutError:
        process.kill()
        await process.wait()
