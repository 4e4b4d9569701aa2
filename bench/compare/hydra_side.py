"""Ory Hydra as a side, on PostgreSQL. Its codes are walked for over HTTP: login and consent are accepted as its admin API wants it."""

import contextlib
import json
import re
import secrets
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bench import servers
from bench.compare import browser, install, notes
from bench.compare.install import Tools
from bench.compare.side import Endpoints, JwtClient, Place, Running, Side
from bench.flow import CHALLENGE, REDIRECT_URI, App
from bench.load import drive, message

CONNECTIONS = 32
SCOPES = ["read", "write", "list"]
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class _Walk:
    """The way to codes: both ports of a running Hydra, and its client."""

    public: int
    admin: int
    client_id: str

    def codes(self, count: int) -> list[str]:
        """Five requests each: ask, accept the login, go on, accept the consent, go on."""
        query = {"response_type": "code", "client_id": self.client_id, "redirect_uri": REDIRECT_URI, "scope": " ".join(SCOPES)}
        query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        starts = [f"/oauth2/auth?{urllib.parse.urlencode(query | {'state': secrets.token_hex(8)})}" for _ in range(count)]
        jars: list[dict[str, str]] = [{} for _ in range(count)]
        for kind, answer in (("login", {"subject": "somebody"}), ("consent", {"grant_scope": SCOPES})):
            asked = self._go(starts, jars, 302)
            challenges = [browser.parameter(place, f"{kind}_challenge") for place in asked]
            starts = self._accept(kind, challenges, answer)
        return [browser.parameter(place, "code") for place in self._go(starts, jars, 303)]

    def _go(self, paths: Sequence[str], jars: Sequence[dict[str, str]], status: int) -> list[str]:
        """GET each, with its cookies; where each sends the browser."""
        requests = [message("GET", self.public, path, headers=browser.cookie(jar)) for path, jar in zip(paths, jars, strict=True)]
        run = drive(self.public, requests, connections=CONNECTIONS, expected_status=status)
        for head, jar in zip(run.heads, jars, strict=True):
            jar.update(browser.cookies(head))
        return [browser.location(head) for head in run.heads]

    def _accept(self, kind: str, challenges: Sequence[str], answer: dict[str, Any]) -> list[str]:
        """Accept each; the paths on which its browser goes on."""
        body = json.dumps(answer).encode()
        path = f"/admin/oauth2/auth/requests/{kind}/accept?{kind}_challenge="
        requests = [message("PUT", self.admin, path + urllib.parse.quote(one), body, JSON) for one in challenges]
        run = drive(self.admin, requests, connections=CONNECTIONS)
        return [str(json.loads(said)["redirect_to"]).split(f":{self.public}", 1)[1] for said in run.bodies]


def _install(_tools: Tools) -> str:
    install.hydra()
    pinned = (install.PEERS / "hydra" / "go.mod").read_text()
    version = re.search(r"github\.com/ory/hydra/v2 (v[\d.]+)", pinned)
    go = install.run("Go", ["go", "version"]).split()[2]
    return f"Ory Hydra {version[1] if version else '?'} compiled with {go}"


def _register(admin: int, key: rsa.RSAPrivateKey) -> App:
    """A client whose JWTs `key` signs."""
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key())) | {"use": "sig", "alg": "RS256", "kid": "bench"}
    metadata: dict[str, Any] = {"grant_types": ["authorization_code"], "response_types": ["code"], "redirect_uris": [REDIRECT_URI]}
    metadata |= {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "RS256"}
    wanted = metadata | {"jwks": {"keys": [public]}, "scope": " ".join(SCOPES)}
    answer = httpx.post(f"http://127.0.0.1:{admin}/admin/clients", json=wanted, timeout=30, trust_env=False)
    answer.raise_for_status()
    return App(answer.json()["client_id"], "")


@contextlib.contextmanager
def _running(place: Place) -> Iterator[Running]:
    program, port, admin = install.hydra(), servers.free_port(), servers.free_port()
    issuer = f"http://127.0.0.1:{port}"
    env = servers.environment(
        DSN=place.postgres.url(place.postgres.make_database()) + "?sslmode=disable&max_conns=20&max_idle_conns=20",
        SECRETS_SYSTEM=secrets.token_hex(16),
        URLS_SELF_ISSUER=issuer,
        URLS_LOGIN="https://login.example/",
        URLS_CONSENT="https://consent.example/",
        SERVE_PUBLIC_HOST="127.0.0.1",
        SERVE_PUBLIC_PORT=str(port),
        SERVE_ADMIN_HOST="127.0.0.1",
        SERVE_ADMIN_PORT=str(admin),
        SERVE_PUBLIC_REQUEST_LOG_DISABLE_FOR_HEALTH="true",
        LOG_LEVEL="error",
        SQA_OPT_OUT="true",
    )
    install.run("Ory Hydra", [program, "migrate", "sql", "--read-from-env", "--yes"], env=env)
    # --dev lets the issuer be http; it changes no check of a token request.
    with servers.running([program, "serve", "all", "--dev"], port, "/health/ready", env, place.cores, patience=60) as server:
        key = rsa.generate_private_key(65537, 2048)
        app = _register(admin, key)
        endpoints = Endpoints("/oauth2/token", "/admin/oauth2/introspect", "/oauth2/revoke", admin)
        client = JwtClient(app, f"{issuer}/oauth2/token", key, "RS256")
        yield Running(server, client, _Walk(port, admin, app.client_id).codes, endpoints)


NOTES = (notes.HYDRA_CLIENT, notes.HYDRA_ADMIN, notes.HYDRA_VERSION)
SIDE = Side("hydra", "Ory Hydra", "PostgreSQL", "private_key_jwt", _install, _running, NOTES)
