"""Why was a person's answer refused over the JSON API? The developer is told what the app did, and nothing of what the person chose."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.stories.running import asked, new_app, person
from tests.stories.scene import CLIENTS, FINDINGS, Scene


def deciding(**changes: Any) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        body = {"request_id": asked(scene.user, scene.app, ["read", "bucket:photos"])["request_id"], "approved_scopes": ["read"], **changes}
        return scene.user.call("POST", "/api/v0/oauth2/consent", body)

    return act


def answered(scene: Scene) -> httpx.Response:
    request_id = asked(scene.user, scene.app)["request_id"]
    body = {"request_id": request_id, "approved_scopes": ["read"]}
    assert scene.user.call("POST", "/api/v0/oauth2/consent", body).status_code == 200
    return scene.user.call("POST", "/api/v0/oauth2/consent", body)


def too_late(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"]}
    with scene.server.clock.later(timedelta(seconds=61)):
        return scene.user.call("POST", "/api/v0/oauth2/consent", body)


def by_somebody_else(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"]}
    return person(scene.server).call("POST", "/api/v0/oauth2/consent", body)


def to_a_closed_address(scene: Scene) -> httpx.Response:
    app = new_app(scene.server, scene.developer)
    body = {"request_id": asked(scene.user, app)["request_id"], "approved_scopes": ["read"]}
    path = f"/api/v0/developer/auth/oauth2/clients/{app.client_id}"
    assert scene.developer.call("PUT", path, {"redirect_uris": ["https://new.example/cb"]}).status_code == 200
    answer = scene.user.call("POST", "/api/v0/oauth2/consent", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")
    return answer


def disabled_meanwhile(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"], "project_id": "not-mine"}
    assert scene.developer.call("PATCH", f"{CLIENTS}/{scene.app.client_id}/status", {"status": 0}).status_code == 200
    return scene.user.call("POST", "/api/v0/oauth2/consent", body)


def narrowed_meanwhile(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"]}
    assert scene.developer.call("PUT", f"{CLIENTS}/{scene.app.client_id}", {"scopes": ["write"]}).status_code == 200
    return scene.user.call("POST", "/api/v0/oauth2/consent", body)


OF_THE_PERSON: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "beyond": ("scope_not_requested", deciding(approved_scopes=["read", "write", "bucket:photos"])),
    "no place left": ("scope_not_requested", deciding(approved_scopes=["read"])),
    "unknown scope": ("scope_unknown", deciding(approved_scopes=["admin"])),
    "both": ("scope_contradiction", deciding(approved_scopes=["read", "bucket:photos"], rejected_scopes=["read"])),
    "unknown request": ("request_unknown", deciding(request_id="nothing")),
    "somebody else's": ("request_not_yours", by_somebody_else),
    "another's project": ("project_not_owned", deciding(approved_scopes=["read", "bucket:photos"], project_id="not-mine")),
    "a consent of a second": ("field_wrong_type", deciding(expires_in=1)),
    "a consent of two years": ("field_wrong_type", deciding(expires_in=63_072_000)),
    "an end in words": ("field_wrong_type", deciding(expires_in="a month")),
    "scopes as text": ("field_wrong_type", deciding(approved_scopes="read")),
    "no request": ("field_missing", deciding(request_id=None)),
}


@pytest.mark.parametrize(("cause", "act"), OF_THE_PERSON.values(), ids=OF_THE_PERSON)
def test_a_decision_that_is_refused_for_what_the_person_chose_is_told_to_no_developer(
    scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]
) -> None:
    trace_id = act(scene).json()["trace_id"]
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(trace_id, None))
    assert (found.cause, found.client_id, found.developer_id) == (cause, None, None), found.faults
    assert scene.developer.call("GET", f"{FINDINGS}/{trace_id}").status_code == 404
    assert scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"] == []


NAMING: dict[str, dict[str, Any]] = {
    "beyond the request": {"approved_scopes": ["read", "delete"]},
    "unknown": {"approved_scopes": ["raed"]},
    "another's project": {"approved_scopes": ["read"], "project_id": "another's"},
    "no list": {"approved_scopes": "read"},
    "another's request": {"approved_scopes": ["read"], "request_id": "another's"},
}


@pytest.mark.parametrize("name", ["client_id", "clientId"])
@pytest.mark.parametrize("wrong", NAMING.values(), ids=NAMING)
def test_a_decision_that_names_the_app_besides_tells_it_nothing(scene: Scene, wrong: dict[str, Any], name: str) -> None:
    """As a program may send it that has the id at hand: what the person chose is not the developer's affair."""
    request_id = asked(scene.user, scene.app)["request_id"]
    answer = scene.user.call("POST", "/api/v0/oauth2/consent", {"request_id": request_id, name: scene.app.client_id, **wrong})
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(answer.json()["trace_id"], None))
    assert (found.endpoint, found.client_id, found.developer_id, found.claimed) == ("consent", None, None, "")
    assert scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"] == []


OF_THE_APP: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "answered": ("request_not_pending", answered),
    "too late": ("request_expired", too_late),
    "disabled": ("client_disabled", disabled_meanwhile),
    "redirect URI taken off": ("redirect_uri_mismatch", to_a_closed_address),
    "scopes taken off": ("scope_not_registered", narrowed_meanwhile),
}


@pytest.mark.parametrize(("cause", "act"), OF_THE_APP.values(), ids=OF_THE_APP)
def test_a_decision_that_is_refused_because_of_the_app_is_told_to_its_developer_without_what_was_chosen(
    scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]
) -> None:
    answer = act(scene)
    found = scene.finding(answer)
    assert [one["cause"] for one in found["faults"]] == [cause]
    assert (found["endpoint"], found["status"], found["error"]) == ("consent", answer.status_code, answer.json()["error"])
    assert not [one["name"] for one in found["checks"] if one["name"] in {"project_owned", "within_the_request", "not_contradictory"}]
    assert ("scopes_registered" in {one["name"] for one in found["checks"]}) == (cause == "scope_not_registered")
    stranger = person(scene.server, "developer")
    assert stranger.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}").status_code == 404
