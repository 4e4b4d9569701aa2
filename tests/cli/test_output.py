"""Output that cannot be written: each command says so, and an app whose secret nobody could read is not kept."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import Run

FULL = Path("/dev/full")
REGISTER = ("clients", "register", "--name", "App", "--developer", "dana@example.org", "--redirect-uri", "https://app.example/cb")
ENVIRONMENTS = pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])


@contextmanager
def full() -> Iterator[int]:
    """An output that takes nothing, as on a full disk."""
    if not FULL.exists():
        pytest.skip(f"the machine has no {FULL}")
    taken = os.open(FULL, os.O_WRONLY)
    yield taken
    os.close(taken)


@contextmanager
def unread() -> Iterator[int]:
    """A pipe whose reader went away."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


OUTPUTS = {"a full disk": (full, "No space left on device"), "a pipe that nobody reads": (unread, "Broken pipe")}


def ended(output: int, *arguments: object, **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a command with that standard output."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    command = [sys.executable, "-m", "grantway.cli.main", *map(str, arguments)]
    process = subprocess.run(
        command, check=False, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, env=inherited | environment
    )
    return process.returncode, process.stderr


@ENVIRONMENTS
@pytest.mark.parametrize("json", [[], ["--json"]], ids=["text", "JSON"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_app_whose_secret_nobody_reads_is_not_kept(
    run: Run, data: Path, name: str, json: list[str], environment: dict[str, str]
) -> None:
    output, why = OUTPUTS[name]
    with output() as taken:
        code, said = ended(taken, *REGISTER, "--data", data, *json, **environment)
    assert (code, said) == (3, f"grantway: no app was registered, for its secret cannot be written: {why}\n")
    assert run("clients", "list", "--data", data).out == "No app is registered.\n"
    assert run("db", "check", "--data", data).code == 0
    assert run(*REGISTER, "--data", data, *json).code == 0


@ENVIRONMENTS
@pytest.mark.parametrize("arguments", [("clients", "list"), ("config",), ("db", "check", "--json")], ids=" ".join)
def test_every_command_says_that_its_output_was_lost(data: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    with full() as taken:
        code, said = ended(taken, *arguments, **environment, GRANTWAY_DATA=str(data))
    assert code == 3
    assert said.startswith("grantway: ")
    assert said.endswith("No space left on device\n")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("clients", "list"), ("config",), ("db", "check", "--json")], ids=" ".join)
def test_whoever_stops_reading_hears_nothing(data: Path, arguments: tuple[str, ...]) -> None:
    with unread() as taken:
        assert ended(taken, *arguments, GRANTWAY_DATA=str(data)) == (1, "")
