"""Why was it refused? What an app asks a person for over the JSON API: each finding must name the mistake."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.stories import paragraph
from tests.stories.running import REDIRECT_URI, new_app
from tests.stories.scene import Scene


def asking(**changes: Any) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        body = {"client_id": scene.app.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"], **changes}
        return scene.user.call("POST", "/api/v0/oauth2/request", body)

    return act


def beyond(scene: Scene) -> httpx.Response:
    scene.app = new_app(scene.server, scene.developer, scopes=["read"])
    return asking(scope=["read", "write"])(scene)


ASKED: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "scope unknown": ("scope_unknown", asking(scope=["read", "admin"])),
    "scope syntax": ("scope_syntax", asking(scope=["read", "bucket:a/b"])),
    "no permission": ("scope_no_permission", asking(scope=["bucket:photos"])),
    "not registered": ("scope_not_registered", beyond),
    "redirect": ("redirect_uri_mismatch", asking(redirect_uri="https://myapp.com/Callback")),
    "plain": ("pkce_method_plain", asking(code_challenge="v" * 43, code_challenge_method="plain")),
    "hex": ("pkce_hex_digest", asking(code_challenge="ab" * 32, code_challenge_method="S256")),
    "short": ("pkce_challenge_malformed", asking(code_challenge="abc", code_challenge_method="S256")),
    "state": ("state_too_long", asking(state="x" * 5000)),
    "project": ("project_not_owned", asking(project_id="not-mine")),
    "response_type": ("scope_unknown", asking(scope=["admin"], response_type="code")),
    "scopes for scope": ("field_misnamed", asking(scope=None, scopes=["read"])),
    "101 scopes": ("scopes_too_long", asking(scope=[f"bucket:b{at}" for at in range(101)])),
    "long places": ("scopes_too_long", asking(scope=["read", *(f"bucket:b{at};{'%FE' * 200}" for at in range(50))])),
    "no scope in the list": ("field_missing", asking(scope=[])),
    "scopes beside an empty scope": ("field_misnamed", asking(scope=[], scopes=["read"])),
}


@pytest.mark.parametrize(("cause", "act"), ASKED.values(), ids=ASKED)
def test_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    answer = act(scene)
    assert answer.status_code in {400, 403}, answer.text
    found = scene.finding(answer)
    assert found["cause"] == cause, found["faults"]
    assert paragraph.names(cause, answer.status_code, answer.json()["error"])


def test_scopes_with_commas_between_them_are_told_to_stand_apart(scene: Scene) -> None:
    found = scene.finding(asking(scope=["read,list,bucket:photos"])(scene))
    assert found["verdict"] == "read,list,bucket:photos is taken for one scope: there are commas between several."
    assert found["remedy"].startswith("Send each scope apart")
    assert scene.finding(asking(scope=["read,profile"])(scene))["verdict"] == "There is no scope read,profile."


def test_a_request_without_a_bucket_is_told_to_ask_for_all_of_them(scene: Scene) -> None:
    app = new_app(scene.server, scene.developer, scopes=["read", "bucket:photos"])
    found = scene.finding(
        scene.user.call("POST", "/api/v0/oauth2/request", {"client_id": app.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"]})
    )
    assert (found["cause"], found["faults"][0]["evidence"]["beyond"]) == ("scope_not_registered", "the whole project")
    assert "names no bucket" in found["verdict"]


def test_scope_as_text_is_told_to_be_a_list(scene: Scene) -> None:
    answer = asking(scope="read list")(scene)
    assert answer.json()["error_description"] == "scope must be a list, not a string."
    found = scene.finding(answer)
    assert [(one["cause"], one["verdict"]) for one in found["faults"]] == [("field_wrong_type", "scope must be a list, not a string.")]
    assert found["remedy"] == 'Send scope as a list of strings, such as ["read", "list"].'
