"""The commands and the program that an app's page prints run as they stand."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.portal import created, user_at
from tests.stories.running import REDIRECT_URI, Server

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the machine has no curl")


def blocks(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)]


def a_code(server: Server, page: str) -> str:
    """What a user does with the printed link."""
    link = html.unescape(re.findall(r'href="([^"]+/oauth2/authorize[^"]+)"', page)[0])
    uma = user_at(server)
    uma.open(link.removeprefix(uma.issuer))
    return came_back(uma.send("/oauth2/consent", decision="allow"))["code"]


AWKWARD = [REDIRECT_URI, "https://app.example/it's/$HOME/(a)?b=%22c%22&d=!e;", "com.example.app:/back"]
PRINTED = {
    "client_secret_jwt": ("/api/v0/oauth2/token", "invalid_code", "JWT=", "def jwt():"),
    "client_secret_basic": ("/oauth2/token", "invalid_grant", '--user "$CLIENT_ID:$CLIENT_SECRET"', '"Authorization": "Basic "'),
    "client_secret_post": ("/oauth2/token", "invalid_grant", "client_secret@-", '"client_secret": CLIENT_SECRET'),
    "none": ("/oauth2/token", "invalid_grant", '"client_id=$CLIENT_ID"', '"client_id": CLIENT_ID'),
}
"""By method: the endpoint that is called, the answer without a code, and how commands and program say who they are."""


@needs_curl
@pytest.mark.parametrize("method", PRINTED)
@pytest.mark.parametrize("redirect_uri", AWKWARD)
def test_the_printed_commands_run_as_they_stand(server: Server, dana: Browser, method: str, redirect_uri: str, tmp_path: Path) -> None:
    """In the way that the app was registered for, and in no other."""
    app = created(dana, server, redirect_uris=redirect_uri, auth_method=method)
    shell, program = blocks(dana.page.text)
    where, error, in_shell, in_python = PRINTED[method]
    given = "access_grant" if error == "invalid_code" else "access_token"
    assert f"{server.grantway.house.issuer}{where}" in shell
    assert f'"{server.grantway.house.issuer}{where}"' in program
    assert (in_shell in shell, in_python in program) == (True, True)
    assert [(app.client_secret in text) for text in (shell, program)] == [method != "none"] * 2
    assert f"<code>{error}</code>" in dana.page.text
    file = tmp_path / "exchange.py"
    file.write_text(program)

    def ran(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        python3 = tmp_path / "python3"
        if not python3.exists():
            python3.symlink_to(sys.executable)
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", **environment}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)

    assert json.loads(ran("bash", "-c", shell).stdout)["error"] == error
    refused = ran("python3", str(file))
    assert (refused.returncode, json.loads(refused.stderr)["error"]) == (1, error)
    code = a_code(server, dana.page.text)
    assert json.loads(ran("bash", "-c", shell, CODE=code).stdout)[given]
    granted = ran("python3", str(file), a_code(server, dana.page.text))
    assert (granted.returncode, granted.stderr) == (0, "")
    assert granted.stdout[:1] == "1" if given == "access_grant" else json.loads(granted.stdout)[given]
