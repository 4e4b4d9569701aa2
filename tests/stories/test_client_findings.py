"""Why was it refused? The client: its client_id mistaken for another, or it was disabled or deleted. Each finding must name it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.stories.mistakes import as_client, key_of, with_body, with_key
from tests.stories.running import REDIRECT_URI, new_app
from tests.stories.scene import CLIENTS, Scene, is_explained


def disabled(scene: Scene) -> httpx.Response:
    code = scene.code()
    scene.developer.call("PATCH", f"{CLIENTS}/{scene.app.client_id}/status", {"status": 0})
    return scene.app.exchange(code)


def deleted(scene: Scene) -> httpx.Response:
    scene.developer.call("DELETE", f"{CLIENTS}/{scene.app.client_id}")
    return scene.app.exchange("x" * 20)


def row_id(scene: Scene) -> str:
    return str(scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}").json()["id"])


def named_alone(scene: Scene) -> str:
    name = f"Photo Box {secrets.token_hex(3)}"
    scene.developer.call("PUT", f"{CLIENTS}/{scene.app.client_id}", {"name": name})
    return name


def swapped(text: str) -> str:
    """Two neighbours that differ, the other way round."""
    at = next(at for at in range(10, len(text)) if text[at] != text[at + 1] and "-" not in text[at : at + 2])
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


ROWS: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "disabled": ("client_disabled", disabled),
    "white space": ("client_id_whitespace", as_client(lambda scene: scene.app.client_id + " ")),
    "case": ("client_id_case", as_client(lambda scene: scene.app.client_id.upper())),
    "row id": ("client_id_is_row_id", as_client(row_id)),
    "name": ("client_id_is_name", as_client(named_alone)),
    "mistyped": ("client_id_mistyped", as_client(lambda scene: swapped(scene.app.client_id))),
    "cut": ("client_id_mistyped", as_client(lambda scene: scene.app.client_id[:-1])),
}


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_token_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    is_explained(scene, act(scene), cause)


def test_a_deleted_client(scene: Scene) -> None:
    assert scene.finding(deleted(scene))["cause"] == "client_deleted"


@contextmanager
def findings_held(scene: Scene) -> Iterator[None]:
    """Meanwhile no finding is made: what is refused waits for it."""
    working = scene.server.grantway.house.diagnosis._working

    async def let_go() -> None:
        working.release()

    scene.server.wait_for(working.acquire())
    try:
        yield
    finally:
        scene.server.wait_for(let_go())


@pytest.mark.parametrize("was_active", [True, False])
def test_what_the_developer_changes_right_after_a_refusal_is_no_part_of_its_finding(scene: Scene, was_active: bool) -> None:
    """A finding is made a moment after the answer, and storage asked then: the app is disabled, or enabled again, in between."""
    path = f"{CLIENTS}/{scene.app.client_id}/status"
    scene.developer.call("PATCH", path, {"status": int(was_active)})
    with findings_held(scene):
        refused = scene.send(scene.app.body("gwc_no_code"))
        assert scene.developer.call("PATCH", path, {"status": int(not was_active)}).status_code == 200
    assert [one["cause"] for one in scene.finding(refused)["faults"]] == [
        *([] if was_active else ["client_disabled"]),
        "code_truncated",
    ]


SINCE: dict[str, tuple[Callable[[Scene], httpx.Response], list[str]]] = {
    "a code": (lambda scene: scene.send(scene.app.body("gwc_no_code")), ["code_truncated"]),
    "a redirect URI": (with_body(redirect_uri="https://other.example/"), ["redirect_uri_mismatch"]),
    "a JWT's end": (
        lambda scene: scene.send(scene.app.body("gwc_no_code", client_secret=scene.app.jwt(exp=1))),
        ["assertion_expired", "code_truncated"],
    ),
    "a request": (
        lambda scene: scene.user.call(
            "POST",
            "/api/v0/oauth2/request",
            {"client_id": scene.app.client_id, "redirect_uri": "https://other.example/", "scope": ["read"]},
        ),
        ["redirect_uri_mismatch"],
    ),
    # what its secrets would tell went with them
    "a signature": (with_key(lambda app: key_of(app) + b"\n"), ["client_deleted"]),
    "a method": (
        lambda scene: scene.server.http.post(
            "/oauth2/token",
            data={"grant_type": "authorization_code", "code": scene.code(), "redirect_uri": REDIRECT_URI},
            auth=(scene.app.client_id, scene.app.client_secret),
        ),
        ["client_deleted"],
    ),
}


@pytest.mark.parametrize(("act", "causes"), SINCE.values(), ids=SINCE)
def test_a_client_that_is_deleted_right_after_a_refusal_was_there_when_it_was_refused(
    scene: Scene, act: Callable[[Scene], httpx.Response], causes: list[str]
) -> None:
    with findings_held(scene):
        refused = act(scene)
        assert scene.developer.call("DELETE", f"{CLIENTS}/{scene.app.client_id}").status_code == 204
    assert [one["cause"] for one in scene.finding(refused)["faults"]] == causes
    # from then on it is not
    later = scene.finding(scene.send(scene.app.body("gwc_no_code")))
    assert [one["cause"] for one in later["faults"]] == ["client_deleted"]


def test_a_misnamed_client_id_is_compared_as_what_it_means(scene: Scene) -> None:
    body = scene.app.body(scene.code())
    del body["client_id"]
    right = scene.finding(scene.send({"clientId": scene.app.client_id, **body}))
    assert [one["cause"] for one in right["faults"]] == ["field_misnamed"]
    other = new_app(scene.server, scene.developer, name="Other")
    wrong = scene.finding(scene.send({"clientId": other.client_id, **body}))
    assert [one["cause"] for one in wrong["faults"]][:2] == ["field_misnamed", "claim_client_id_mismatch"]
    assert wrong["faults"][1]["evidence"]["in_body"] == other.client_id
