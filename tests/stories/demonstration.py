"""`grantway demo` as a newcomer starts it: what it prints is read, and Ctrl-C ends it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.stories.process import COMMAND


@dataclass
class Demonstration:
    """What it says: where to click, and as whom."""

    issuer: str
    photo_box: str
    email: str
    password: str = field(repr=False)
    popen: subprocess.Popen[str] = field(repr=False)

    def interrupt(self) -> int:
        """Ctrl-C in a terminal reaches every process of the group; the exit code."""
        os.killpg(self.popen.pid, signal.SIGINT)
        return self.popen.wait(60)


@contextmanager
def demonstration(variant: str, errors: Path) -> Iterator[Demonstration]:
    """A demonstration on free ports, its standard error in that file; killed at the end if it still runs."""
    command = [*COMMAND, "demo", "--port", "0", "--photo-box", variant]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    with (
        errors.open("w") as file,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            start_new_session=True,
            env={**inherited, "GRANTWAY_RATE_LIMITS": "off"},
        ) as popen,
    ):
        try:
            yield _read(_until_serving(popen), popen)
        finally:
            if popen.poll() is None:
                os.killpg(popen.pid, signal.SIGKILL)


def _until_serving(popen: subprocess.Popen[str]) -> str:
    said = ""
    while popen.stdout and "Still serving" not in said:
        line = popen.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
    return said


def _read(said: str, popen: subprocess.Popen[str]) -> Demonstration:
    found = re.search(
        r"Open +(http://localhost:\d+) .*?as (\S+) with the password (\S+), .*?at (http://localhost:\d+)/connected-apps", said, re.DOTALL
    )
    assert found, said
    return Demonstration(issuer=found[4], photo_box=found[1], email=found[2], password=found[3], popen=popen)
