"""A small JSON client over the standard library, for the demonstration's own requests."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30


class AnswerError(Exception):
    """The server answered with something else than success; the message is its status and body."""


@dataclass(frozen=True, slots=True)
class JsonClient:
    """Speaks JSON with the server at `base`."""

    base: str

    def get(self, path: str, token: str) -> Any:
        """The decoded answer to a GET, signed in with `token`."""
        return self._send("GET", path, None, token)

    def post(self, path: str, body: object, token: str | None = None) -> Any:
        """The decoded answer to a POST. AnswerError when it is not a success."""
        return self._send("POST", path, body, token)

    def _send(self, method: str, path: str, body: object, token: str | None) -> Any:
        parts = urlsplit(self.base)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise AnswerError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text)
