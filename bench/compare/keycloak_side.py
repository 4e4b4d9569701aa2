"""Keycloak as a side, on PostgreSQL: a realm with one client, and people whose browser sessions get a code with each request."""

import contextlib
import html
import json
import os
import re
import secrets
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench import servers
from bench.compare import browser, install, notes
from bench.compare.install import Tools
from bench.compare.side import FORM, Endpoints, JwtClient, Place, Running, Side, new_app
from bench.flow import CHALLENGE, REDIRECT_URI, App
from bench.load import LoadError, drive, message

OPENID = "/realms/bench/protocol/openid-connect"
PEOPLE = 32
HEAP = "-Xms256m -Xmx1g"
FORM_ACTION = re.compile(r'<form[^>]* action="([^"]+)"')
ASKED = {"response_type": "code", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def _person(name: str, password: str) -> dict[str, Any]:
    who = {"username": name, "email": f"{name}@bench.example", "firstName": name, "lastName": name, "enabled": True, "emailVerified": True}
    return who | {"credentials": [{"type": "password", "value": password}]}


def _audience(client_id: str) -> dict[str, Any]:
    """Keycloak answers an introspection only to a client in the token's audience."""
    config = {"included.client.audience": client_id, "access.token.claim": "true", "introspection.token.claim": "true"}
    return {"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper", "config": config}


def _realm(app: App, password: str) -> dict[str, Any]:
    """As `--import-realm` reads it. Keycloak signs each access token, with ES256 in a tenth of the time of RS256."""
    attributes = {"use.refresh.tokens": "false", "token.endpoint.auth.signing.alg": "HS256", "token.endpoint.auth.signing.max.exp": "300"}
    client = {
        "clientId": app.client_id,
        "secret": app.client_secret,
        "clientAuthenticatorType": "client-secret-jwt",
        "redirectUris": [REDIRECT_URI],
        "standardFlowEnabled": True,
        "publicClient": False,
        "fullScopeAllowed": False,
        "defaultClientScopes": ["basic"],
        "attributes": attributes,
        "protocolMappers": [_audience(app.client_id)],
    }
    people = [_person(f"person-{number}", password) for number in range(PEOPLE)]
    policy = {"sslRequired": "none", "defaultSignatureAlgorithm": "ES256", "accessCodeLifespan": 300, "eventsEnabled": False}
    return {"realm": "bench", "enabled": True, "clients": [client], "users": people} | policy


@dataclass(frozen=True, slots=True)
class _Walk:
    """People who are signed in, as their cookies: asked again, Keycloak redirects at once with a code."""

    port: int
    client_id: str
    jars: tuple[dict[str, str], ...]

    def codes(self, count: int) -> list[str]:
        """One request each, shared out among the people."""
        query = urllib.parse.urlencode(ASKED | {"client_id": self.client_id})
        headers = [browser.cookie(self.jars[index % len(self.jars)]) for index in range(count)]
        requests = [message("GET", self.port, f"{OPENID}/auth?{query}", headers=header) for header in headers]
        run = drive(self.port, requests, expected_status=302)
        return [browser.parameter(browser.location(head), "code") for head in run.heads]


def _sign_in(port: int, client_id: str, name: str, password: str) -> dict[str, str]:
    """The cookies of somebody who filled in the form."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        page = client.get(f"{OPENID}/auth", params=ASKED | {"client_id": client_id})
        action = FORM_ACTION.search(page.text)
        if action is None:
            raise LoadError(f"Keycloak's sign-in page has no form ({page.status_code})")
        # The form's cookies are meant for https alone; httpx would not send them back over http.
        jar = browser.cookies(_head(page))
        form = urllib.parse.urlencode({"username": name, "password": password})
        answer = client.post(html.unescape(action[1]), content=form, headers=FORM | browser.cookie(jar))
        if answer.status_code != 302:
            raise LoadError(f"Keycloak refused a sign-in with {answer.status_code}")
        return {name: value for name, value in (jar | browser.cookies(_head(answer))).items() if value}


def _head(answer: httpx.Response) -> bytes:
    return b"".join(b"\r\n" + name + b": " + value for name, value in answer.headers.raw)


def _install(tools: Tools) -> str:
    install.keycloak(tools)
    java = install.run("Java", [tools.java / "bin" / "java", "--version"]).split()[1]
    return f"Keycloak {install.KEYCLOAK} on Java {java}"


def _import(home: Path, app: App, password: str) -> None:
    folder = home / "data" / "import"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench-realm.json").write_text(json.dumps(_realm(app, password)))


@contextlib.contextmanager
def _running(place: Place) -> Iterator[Running]:
    home, port, app, password = install.keycloak(place.tools), servers.free_port(), new_app(), secrets.token_urlsafe(18)
    issuer = f"http://127.0.0.1:{port}"
    _import(home, app, password)
    database = place.postgres.make_database()
    options = [f"--db-url=jdbc:postgresql://127.0.0.1:{place.postgres.port}/{database}", "--db-username=postgres", "--db-password=none"]
    options += ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}", f"--hostname={issuer}", "--log-level=warn"]
    env = servers.environment(JAVA_HOME=str(place.tools.java), JAVA_OPTS_KC_HEAP=HEAP, PATH=os.environ["PATH"])
    command: list[str | Path] = [home / "bin" / "kc.sh", "start", "--optimized", "--import-realm", *options]
    ready = "/realms/bench/.well-known/openid-configuration"
    with servers.running(command, port, ready, env, place.cores, patience=180) as server:
        jars = tuple(_sign_in(port, app.client_id, f"person-{number}", password) for number in range(PEOPLE))
        endpoints = Endpoints(f"{OPENID}/token", f"{OPENID}/token/introspect", f"{OPENID}/revoke")
        yield Running(server, JwtClient(app, f"{issuer}/realms/bench"), _Walk(port, app.client_id, jars).codes, endpoints)


SIDE = Side("keycloak", "Keycloak", "PostgreSQL", "client_secret_jwt", _install, _running, (notes.KEYCLOAK,))
