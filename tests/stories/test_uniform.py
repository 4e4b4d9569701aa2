"""Failures of authentication look the same from outside: equal bytes but for the trace id, equal headers."""

import json

import httpx
from tests.stories.running import App, Person, Server, approved, new_app


def refusals(server: Server, user: Person, developer: Person, client: App) -> dict[str, httpx.Response]:
    """One refusal for each reason, every one with a living code of the right client."""
    disabled = new_app(server, developer)
    code_of_disabled = approved(user, disabled)
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{disabled.client_id}/status", {"status": 0})
    used = client.jwt()
    assert client.exchange(approved(user, client), client_secret=used).status_code == 200
    now = int(server.clock().timestamp())
    assertions = {
        "unknown client": client.jwt(client_id="nobody"),
        "wrong key": client.jwt(secret="wrong" * 10),
        "wrong algorithm": "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9." + ".".join(client.jwt().split(".")[1:]),
        "malformed": "not a jwt",
        "the secret itself": client.client_secret,
        "other client_id": client.jwt(client_id="another"),
        "missing client_id": client.jwt(client_id=None),
        "missing exp": client.jwt(exp=None),
        "exp too far": client.jwt(exp=now + 4000),
        "iat ahead": client.jwt(iat=now + 4000),
        "wrong aud": client.jwt(aud="https://elsewhere.example"),
        "replayed": used,
    }
    answers = {
        name: client.exchange(approved(user, client), client_secret=jwt, **({"client_id": "nobody"} if name == "unknown client" else {}))
        for name, jwt in assertions.items()
    }
    return {**answers, "disabled client": disabled.exchange(code_of_disabled)}


def test_equal_bytes_and_headers(server: Server, user: Person, developer: Person, client: App) -> None:
    seen = {name: _without_trace_id(answer) for name, answer in refusals(server, user, developer, client).items()}
    first = next(iter(seen.values()))
    assert first[0] == 401
    assert json.loads(first[1])["error"] == "invalid_client"
    assert {name: one for name, one in seen.items() if one != first} == {}


def test_signing_in_never_tells_whether_the_address_is_known(server: Server, user: Person) -> None:
    def refused(email: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        return _without_trace_id(server.http.post("/api/v0/auth/token", json={"email": email, "password": "wrong password"}))

    assert refused(user.email) == refused("nobody@example.org") == refused("not an address")


def _without_trace_id(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    trace_id = answer.json()["trace_id"]
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    return answer.status_code, answer.content.replace(trace_id.encode(), b"T"), headers
