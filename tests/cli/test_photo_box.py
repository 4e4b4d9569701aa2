"""Where Photo Box cannot be started, the demonstration says why; where its port is taken, it gets another."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grantway.cli import photo_box
from grantway.cli.photo_box import Variant


@pytest.mark.parametrize("variant", Variant)
def test_it_can_be_started_here(variant: Variant) -> None:
    assert photo_box.why_not(variant) is None


def test_an_installed_grantway_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(photo_box, "HOUSE", tmp_path)
    assert "not part of an installed Grantway" in (photo_box.why_not(Variant.AUTHLIB) or "")


def test_a_plain_set_up_lacks_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_box, "find_spec", lambda name: None if name == "authlib" else name)
    assert "authlib not installed. `make run` installs" in (photo_box.why_not(Variant.AUTHLIB) or "")
    assert photo_box.why_not(Variant.CONNECT) is None


@pytest.mark.parametrize("port", ["taken", 65_536])
def test_another_port(port: int | str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1] if port == "taken" else int(port)
        address = photo_box.reserve("127.0.0.1", wanted)
        with address.listening:
            assert address.port not in {0, wanted}
            assert address.redirect_uri == f"http://localhost:{address.port}/callback"


@pytest.mark.parametrize(("code", "told"), [(2, "Photo Box broke down (exit code 2)"), (0, "")])
def test_one_that_breaks_down_is_told(capsys: pytest.CaptureFixture[str], code: int, told: str) -> None:
    async def story() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", f"raise SystemExit({code})")
        await photo_box._watched(process)

    asyncio.run(story())
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert bool(said) == bool(told)


def test_it_does_not_start_without_its_registration() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "examples.photo_box", "connect"], cwd=photo_box.HOUSE, env={}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "set PHOTO_BOX_ISSUER" in ended.stderr


def test_it_sees_no_setting_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "ab" * 32)
    environment = photo_box._environment({"client_id": "app"})
    assert environment["PHOTO_BOX_CLIENT_ID"] == "app"
    assert not [name for name in environment if name.startswith("GRANTWAY_")]
