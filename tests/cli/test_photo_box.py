"""Where Photo Box cannot be started, the demonstration says why; where its port is taken, it gets another."""

import socket
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
