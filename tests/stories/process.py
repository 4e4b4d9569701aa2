"""`grantway serve` as a process of its own, started and ended as an operator does."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines import database_settings

COMMAND = (sys.executable, "-m", "grantway.cli.main")


@dataclass
class Process:
    """A running server process."""

    url: str
    said: list[str]
    popen: subprocess.Popen[str]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(60)


@contextmanager
def serving(data: Path, *, log: Path | None = None, **environment: str) -> Iterator[Process]:
    """A server process on a free port over that folder; killed at the end if it still runs. `log` gets its standard error."""
    with log.open("a") if log else open(os.devnull, "w") as errors:
        popen = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_environment(data, **{"GRANTWAY_RATE_LIMITS": "off", **environment}),
        )
        assert popen.stdout is not None
        with popen.stdout:
            said = [popen.stdout.readline() for _ in range(5)]
            url = re.search(r"http://[^ ]+", said[0])
            assert url is not None, said
            try:
                yield Process(url[0], said, popen)
            finally:
                if popen.poll() is None:
                    popen.kill()
                    popen.wait()


def grantway(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command on that folder."""
    return run([*COMMAND, *arguments, "--data", str(data)], **_environment(data, **environment))


def _environment(data: Path, **more: str) -> dict[str, str]:
    """This process's own, with the database of that folder."""
    named = {f"GRANTWAY_{name.upper()}": value for name, value in database_settings(str(data)).items()}
    return {**_own(), **named, **more}


def _own() -> dict[str, str]:
    """This process's own, without what only tests know: the server would warn of it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_TEST_")}


def run(command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with more in its environment."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**_own(), **environment}, check=False)
