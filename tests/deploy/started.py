"""A server that was started as a deployment's files say, and one person who allows one app."""

import os
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.no_tls import NO_TLS
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Clock, Person, approved


@dataclass
class Started:
    """A running server."""

    url: str
    popen: subprocess.Popen[str]

    def stop(self, within: float) -> int:
        """Send SIGTERM, wait so many seconds at most, and return the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(within)

    def status(self, field: str) -> str:
        """A field of /proc/PID/status."""
        text = Path(f"/proc/{self.popen.pid}/status").read_text()
        return re.findall(rf"^{field}:\s+(.*)$", text, re.MULTILINE)[0]  # type: ignore[no-any-return]


@contextmanager
def started(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Iterator[Started]:
    """Start it with nothing else in its environment; killed at the end if it still runs."""
    with log.open("w") as errors:
        popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=dict(environment))
    assert popen.stdout is not None
    with popen.stdout:
        try:
            url = re.search(r"http://[^ ]+", popen.stdout.readline())
            assert url is not None, log.read_text()
            yield Started(url[0], popen)
        finally:
            if popen.poll() is None:
                popen.kill()
                popen.wait()


def access_grant(url: str) -> str:
    """Register two people and an app, allow, and exchange with a passphrase: passwords, seals, the database and Argon2 are used."""
    who = {"name": "Somebody", "email": f"{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    people = []
    with httpx.Client(base_url=url, timeout=60, verify=NO_TLS) as http:
        for base in ("/api/v0/developer/auth", "/api/v0/auth"):
            assert http.post(f"{base}/register", json=who).status_code == 201
            people.append(Person(http, http.post(f"{base}/token", json=who).json()["token"], who["email"]))
            http.cookies.clear()
        developer, user = people
        made = developer.call("POST", "/api/v0/developer/auth/oauth2/clients", {"name": "App", "redirect_uris": [REDIRECT_URI]}).json()
        client = App(http, Clock(), made["client_id"], made["client_secret"])
        answer = client.exchange(approved(user, client), passphrase=secrets.token_hex(8))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_grant"])


def path() -> str:
    return os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")
