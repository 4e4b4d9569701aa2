"""An app with its developer and a user, and what is found of the requests that they make."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
from tests.stories import paragraph
from tests.stories.running import App, Person, Server, approved

TOKEN = "/api/v0/oauth2/token"
CLIENTS = "/api/v0/developer/auth/oauth2/clients"
FINDINGS = "/api/v0/developer/auth/oauth2/findings"


@dataclass
class Scene:
    """Somebody with an app and a user."""

    server: Server
    developer: Person
    user: Person
    app: App

    def code(self, **extra: Any) -> str:
        return approved(self.user, self.app, **extra)

    def send(self, body: object, path: str = TOKEN, **more: Any) -> httpx.Response:
        return self.server.http.post(path, json=body, **more)

    def finding(self, answer: httpx.Response, who: Person | None = None) -> dict[str, Any]:
        found = (who or self.developer).call("GET", f"{FINDINGS}/{answer.json()['trace_id']}")
        assert found.status_code == 200, found.text
        result: dict[str, Any] = found.json()
        return result


def is_explained(scene: Scene, answer: httpx.Response, cause: str) -> None:
    """This token request was refused, and its finding names the cause and what to do, without the secret."""
    assert answer.status_code in {400, 401}, answer.text
    found = scene.finding(answer)
    assert found["cause"] == cause, found["faults"]
    assert paragraph.names(cause, answer.status_code, answer.json()["error"])
    assert found["outcome"] == "refused"
    assert found["remedy"]
    assert scene.app.client_secret not in json.dumps(found)
