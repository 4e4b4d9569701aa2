"""The report that this project began with, told from the outside: its client, its secret, its request, its expired JWT."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from tests.interop import uplink
from tests.no_tls import NO_TLS
from tests.stories.process import grantway, serving

CLIENT_ID = "e45fa79a-05f5-4f00-bbfe-bd0a14aead0a"
CLIENT_SECRET = "2b4719e00623ad66c4cde8681efc59e9d40bf96cdb43d4b9cf859e27d5252102"
REDIRECT_URI = "https://myapp.com/callback"
EXPIRED_JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJjbGllbnRfaWQiOiJlNDVmYTc5YS0wNWY1LTRmMDAtYmJmZS1iZDBhMTRhZWFkMGEiLCJleHAiOjE3NTEwMTk4MTV9."
    "X8xRZ2WRJxT4e3GG5dvZMt7D_LJQ6glEoIaDDsA514Y"
)
PASSWORD = "correct horse battery"


@dataclass
class Place:
    """A server with the report's client in it, and a user's session."""

    url: str
    user: httpx.Client

    def code(self) -> str:
        """A fresh code, after a consent."""
        asked = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "scope": ["read", "write"]}
        request_id = self.user.post("/api/v0/oauth2/request", json=asked).json()["request_id"]
        allowed = {"request_id": request_id, "approved_scopes": ["read", "write"]}
        code: str = self.user.post("/api/v0/oauth2/consent", json=allowed).json()["code"]
        return code

    def curl(self, **changes: str) -> tuple[int, dict[str, Any]]:
        """The report's own command, character for character but for the values that must be fresh."""
        fields = {"client_id": CLIENT_ID, "client_secret": EXPIRED_JWT, "redirect_uri": REDIRECT_URI, "code": "none", "passphrase": ""}
        lines = ",\n".join(f'    "{name}": "{value}"' for name, value in {**fields, **changes}.items())
        return _post(f"{self.url}/api/v0/oauth2/token", f"{{\n{lines}\n}}")


def _post(url: str, data: str) -> tuple[int, dict[str, Any]]:
    """Run the report's curl; where the machine has none, send the same bytes."""
    if shutil.which("curl") is None:
        plain = httpx.post(url, content=data, headers={"Content-Type": "application/json"}, timeout=60, verify=NO_TLS)
        return plain.status_code, plain.json()
    shown = ["--silent", "--write-out", "\n%{http_code}"]
    command = ["curl", *shown, "--location", url, "--header", "Content-Type: application/json", "--data", data]
    body, _, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
    return int(status), json.loads(body)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    data = tmp_path_factory.mktemp("report")
    secret = data / "secret.txt"
    secret.write_text(CLIENT_SECRET + "\n")
    environment = {"PASSWORD": PASSWORD}
    added = grantway(data, "developers", "add", "dev@storx.example", "--name", "Dev", "--password-env", "PASSWORD", **environment)
    assert added.returncode == 0, added.stderr
    imported = grantway(
        data, "clients", "import", "--developer", "dev@storx.example", "--client-id", CLIENT_ID, "--name", "My App",
        "--secret-file", str(secret), "--redirect-uri", REDIRECT_URI,
    )  # fmt: skip
    assert (imported.returncode, imported.stdout) == (0, f"Took over {CLIENT_ID} with the secret that it has.\n"), imported.stderr
    secret.unlink()
    with serving(data) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as user:
        who = {"fullName": "Uma", "email": "uma@storx.example", "password": PASSWORD}
        user.post("/api/v0/auth/register", json=who)
        user.headers["Authorization"] = f"Bearer {user.post('/api/v0/auth/token', json=who).json()['token']}"
        yield Place(server.url, user)


def test_the_report_in_its_order(place: Place) -> None:
    # 1. with a fresh JWT, made as the report makes it, the request yields an access grant that the real uplink reads
    fresh = jwt.encode({"client_id": CLIENT_ID, "exp": int(time.time()) + 300}, CLIENT_SECRET, algorithm="HS256")
    status, answer = place.curl(client_secret=fresh, code=place.code())
    assert status == 200, answer
    assert answer["scopes"] == ["read", "write"]
    assert uplink.reserialise(answer["access_grant"])
    assert uplink.satellite_address(answer["access_grant"]).endswith("@127.0.0.1:7777")
    # 2. with its own JWT, which expired in 2025, it learns just that
    status, answer = place.curl(code=place.code())
    assert (status, answer["error"]) == (401, "client_secret_expired")
    # 3. with a client that nobody registered it learns nothing
    nobody = "00000000-05f5-4f00-bbfe-bd0a14aead0a"
    stranger = jwt.encode({"client_id": nobody, "exp": int(time.time()) + 300}, CLIENT_SECRET, algorithm="HS256")
    status, answer = place.curl(client_id=nobody, client_secret=stranger, code=place.code())
    assert (status, answer["error"]) == (401, "invalid_client")


def test_the_reports_other_jwt_format_works_too(place: Place) -> None:
    now = int(time.time())
    claims = {"client_id": CLIENT_ID, "exp": now + 300, "iat": now, "iss": "storx-client"}
    status, _ = place.curl(client_secret=jwt.encode(claims, CLIENT_SECRET, algorithm="HS256"), code=place.code())
    assert status == 200
