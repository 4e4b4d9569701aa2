"""The command line, run in this process: arguments, environment and standard input in; both outputs and the exit code out."""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import world

from grantway.accounts.account import Kind
from grantway.cli.main import main

SECRET = "2b4719e0" * 8
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in [name for name in os.environ if name.startswith("GRANTWAY_")]:
        monkeypatch.delenv(name)

    def one(*arguments: object, stdin: str | bytes = "") -> Ended:
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        monkeypatch.setattr(sys, "argv", ["grantway", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ended(code, said.out, said.err)

    return one


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a password and an app's secret in files, each with a newline at its end, and with files that hold neither."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "secret").write_text(SECRET + "\r\n")
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "short").write_text("short")
    (folder / "empty").write_text("\n")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a developer."""

    async def story() -> None:
        async with world(tmp_path / "data") as there:
            await there.account(Kind.DEVELOPER, "dana@example.org")

    asyncio.run(story())
    return tmp_path / "data"
