"""What the documents tell to run works as it stands: README, integration, quick start; and the library is told whole."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from tests.docs.pages import blocks, rows, text_of
from tests.stories.browser import Browser
from tests.stories.process import serving
from tests.stories.running import approved, new_app, person, running

from grantway import connect
from grantway.access_grant import AccessGrant
from grantway.clients.assertion import read
from grantway.connect import forms, message

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")


@needs_curl
def test_the_readme_can_be_followed(tmp_path: Path) -> None:
    """Every shell block but the ones that start something, run as it stands, against a server on another port."""
    followed = [block for block in blocks("README.md", "sh") if not block.startswith(("make ", ".venv/bin/grantway serve"))]
    assert len(followed) == 4
    with serving(tmp_path / "data") as server:
        script = "\n".join(followed).replace("http://localhost:10002", server.url).replace(".venv/bin/grantway", "grantway")
        script = f'grantway() {{ {shlex.quote(sys.executable)} -m grantway.cli.main "$@"; }}\nset -euo pipefail\n{script}'
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "GRANTWAY_DATA": str(tmp_path / "data")},
        )
    assert done.returncode == 0, done.stderr
    assert "Took over e45fa79a-05f5-4f00-bbfe-bd0a14aead0a" in done.stdout
    assert done.stdout.index("may        download and read your files") < done.stdout.index("caveats    2")


@needs_curl
def test_the_integration_can_be_followed(tmp_path: Path) -> None:
    """The page's registration, and its program on a code: once it gets an access grant, then a refusal that it explains."""
    program = tmp_path / "app.py"
    program.write_text(next(block for block in blocks("docs/integrating.md", "python") if "def exchange" in block))
    with running(tmp_path / "data") as server:
        registering = blocks("docs/integrating.md", "sh")[0].replace("http://localhost:10002", server.url)
        registered = subprocess.run(["bash", "-c", registering], capture_output=True, text=True, timeout=60, check=True)
        assert '"client_secret":"gws_' in registered.stdout
        user, client = person(server), new_app(server, person(server, "developer"))
        environment = {
            **os.environ,
            "BASE": server.url,
            "CLIENT_ID": client.client_id,
            "CLIENT_SECRET": client.client_secret,
            "REDIRECT_URI": client.redirect_uri,
        }
        command = [sys.executable, str(program), approved(user, client)]
        first, second = (
            subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment) for _ in range(2)
        )
    assert (first.returncode, first.stdout[:1]) == (0, "1")
    assert (second.returncode, second.stdout.partition(":")[0]) == (1, "code_already_used")


def test_the_line_with_pyjwt() -> None:
    line = next(block for block in blocks("docs/integrating.md", "python") if "pyjwt" in block)
    known: dict[str, Any] = {"pyjwt": pyjwt, "client_id": "app", "client_secret": "x" * 64}
    exec(f"import secrets, time\n{line}", known)
    assertion = read(known["token"])
    assert assertion.claims["client_id"] == "app"
    assert assertion.is_signed_with(b"x" * 64)


def test_the_quick_start(tmp_path: Path) -> None:
    """The README's lines as they stand, with a person between the two functions."""
    quick = next(block for block in blocks("README.md", "python") if "grantway.connect" in block)
    assert len([line for line in quick.splitlines() if line.strip()]) <= 15
    with running(tmp_path / "data") as server:
        client = new_app(server, person(server, "developer"))
        known: dict[str, Any] = {"CLIENT_ID": client.client_id, "CLIENT_SECRET": client.client_secret}
        exec(quick.replace("http://localhost:10002", server.grantway.house.issuer), known)
        session: dict[str, Any] = {}
        browser = Browser(server.grantway.house.issuer)
        browser.open("/register")
        browser.register("uma@example.org", "correct horse battery")
        browser.open(known["connect"](session))
        back = browser.send("/oauth2/consent", decision="allow", passphrase="open sesame").headers["location"]
        browser.http.close()
        access_grant, allows, expires_at = known["callback"](session, back)
    assert connect.Allows.of(AccessGrant.parse(access_grant).allowance()) == allows
    assert expires_at > datetime.now(UTC)
    assert session == {}


def test_the_library_is_told_whole() -> None:
    """Every field of what an app gets has its row, and every error."""
    assert [row[0].strip("`") for row in rows("docs/connect.md", "## What you get")][1:] == [one.name for one in fields(connect.Access)]
    errors = {name for name, value in vars(connect).items() if isinstance(value, type) and issubclass(value, connect.ConnectError)}
    assert {row[0].strip("`") for row in rows("docs/connect.md", "## When it does not work")} - {"error"} == errors - {"ConnectError"}
    named = set(re.findall(r"\b(?:Client|AsyncClient|bucket|AccessGrant|Access|Allows|Place)\b", text_of("docs/connect.md")))
    assert named <= set(connect.__all__)
    assert f"{connect.client.TIMEOUT_SECONDS:g} unless" in text_of("docs/connect.md")
    assert message.MAX_ANSWER == 1024 * 1024
    assert forms.LIFETIME_SECONDS == 300
