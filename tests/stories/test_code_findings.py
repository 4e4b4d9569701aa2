"""Why was it refused? The code, its redirect URI, its PKCE and its project: each finding must name the mistake."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from tests.stories.running import REDIRECT_URI, asked, new_app, person
from tests.stories.scene import CLIENTS, TOKEN, Scene, is_explained

from grantway.authorization import pkce


def used_twice(scene: Scene) -> httpx.Response:
    code = scene.code()
    assert scene.app.exchange(code).status_code == 200
    return scene.app.exchange(code)


def expired_code(scene: Scene) -> httpx.Response:
    code = scene.code()
    with scene.server.clock.later(timedelta(seconds=31)):
        return scene.app.exchange(code)


def code_of_a_clock_that_was_ahead(scene: Scene) -> httpx.Response:
    with scene.server.clock.later(timedelta(hours=2)):
        code = scene.code()
    return scene.app.exchange(code)


def of_another_client(scene: Scene) -> httpx.Response:
    return new_app(scene.server, scene.developer, name="Other").exchange(scene.code())


def request_id_as_code(scene: Scene) -> httpx.Response:
    return scene.app.exchange(asked(scene.user, scene.app)["request_id"])


def withdrawn(scene: Scene) -> httpx.Response:
    code = scene.code()
    assert scene.user.call("DELETE", f"/api/v0/auth/developer-access/{scene.app.client_id}/revoke").status_code == 200
    return scene.app.exchange(code)


def with_pkce(
    verifier: Callable[[str], str | None], challenge: Callable[[str], str] = pkce.challenge_of
) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        text = secrets.token_urlsafe(40)
        code = scene.code(code_challenge=challenge(text), code_challenge_method="S256")
        return scene.app.exchange(code, code_verifier=verifier(text))

    return act


def hex_challenge(text: str) -> str:
    return pkce.challenge_of(hashlib.sha256(text.encode()).hexdigest())


def moved(uri: str) -> Callable[[Scene], httpx.Response]:
    return lambda scene: scene.app.exchange(scene.code(), redirect_uri=uri)


def no_project(scene: Scene) -> httpx.Response:
    scene.user = person(scene.server)
    code = scene.code()
    for project in scene.user.call("GET", "/api/v0/projects").json():
        scene.user.call("DELETE", f"/api/v0/projects/{project['id']}")
    return scene.app.exchange(code)


ROWS: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "another path": ("redirect_uri_mismatch", moved(REDIRECT_URI + "2")),
    "slash": ("redirect_uri_mismatch", moved(REDIRECT_URI + "/")),
    "unknown code": ("code_unknown", lambda scene: scene.app.exchange("84feaa9c-6782-417b-b77c-f9642b5562ff")),
    "expired code": ("code_expired", expired_code),
    "code made before the clock was set back": ("code_expired", code_of_a_clock_that_was_ahead),
    "used code": ("code_already_used", used_twice),
    "code of another": ("code_of_another_client", of_another_client),
    "request_id": ("code_not_approved", request_id_as_code),
    "cut code": ("code_truncated", lambda scene: scene.app.exchange(scene.code()[:-3])),
    "code with state": ("code_truncated", lambda scene: scene.app.exchange(scene.code() + "&state=x")),
    "withdrawn": ("consent_ended", withdrawn),
    "no project": ("project_missing", no_project),
    "no verifier": ("pkce_missing", with_pkce(lambda _: None)),
    "unexpected verifier": ("pkce_unexpected", lambda scene: scene.app.exchange(scene.code(), code_verifier="v" * 43)),
    "other verifier": ("pkce_mismatch", with_pkce(lambda text: text[::-1])),
    "challenge": ("pkce_verifier_is_challenge", with_pkce(pkce.challenge_of)),
    "hex digest": ("pkce_hex_digest", with_pkce(lambda text: text, hex_challenge)),
}


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_token_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    is_explained(scene, act(scene), cause)


def test_a_used_code_tells_what_was_revoked_and_where_it_was_used(scene: Scene) -> None:
    code, jwt = scene.code(), scene.app.jwt()
    assert scene.app.exchange(code, client_secret=jwt).status_code == 200
    first = scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"][0]["trace_id"]
    dry = scene.developer.call("POST", f"{TOKEN}/check", scene.app.body(code)).json()["faults"][0]
    retry, unsigned, again = (
        scene.finding(scene.app.exchange(code, client_secret=one))["faults"]
        for one in (jwt, scene.app.jwt(secret="x" * 40), scene.app.jwt())
    )
    told = [dry, retry[0], next(one for one in unsigned if one["cause"] == "code_already_used"), again[0]]
    assert {one["cause"] for one in told} == {"code_already_used"}
    assert {one["evidence"]["used_in"] for one in told} == {first}
    assert [one["evidence"].get("first_grant_revoked") for one in told] == [None, False, None, True]
    assert ["revoked" in one["verdict"] for one in told] == [False, True, False, True]
    assert "this is a retry, and nothing was revoked" in retry[0]["verdict"]
    assert "the access grant that it gave there was revoked" in again[0]["verdict"]
    assert ("twice" in again[0]["remedy"], "twice" in retry[0]["remedy"]) == (True, False)


def test_a_code_of_another_client_tells_nothing_of_its_use(scene: Scene) -> None:
    code = scene.code()
    assert scene.app.exchange(code).status_code == 200
    (fault,) = scene.finding(new_app(scene.server, scene.developer, name="Other").exchange(code))["faults"]
    assert (fault["cause"], fault["evidence"]) == ("code_of_another_client", {})
