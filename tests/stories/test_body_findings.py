"""Why was it refused? The body, its fields and its form: each finding must name the mistake."""

import base64
from collections.abc import Callable

import httpx
import pytest
from tests.stories.mistakes import as_client, with_body
from tests.stories.running import REDIRECT_URI
from tests.stories.scene import FINDINGS, TOKEN, Scene, is_explained


def raw(content: bytes, **headers: str) -> Callable[[Scene], httpx.Response]:
    return lambda scene: scene.server.http.post(TOKEN, content=content, headers=headers)


def basic(scene: Scene) -> httpx.Response:
    pair = base64.b64encode(f"{scene.app.client_id}:{scene.app.client_secret}".encode()).decode()
    return scene.send(scene.app.body("x" * 20, client_secret=None), headers={"Authorization": f"Basic {pair}"})


def form(scene: Scene) -> httpx.Response:
    return scene.server.http.post(TOKEN, data=scene.app.body("x" * 20))


def in_the_query(scene: Scene) -> httpx.Response:
    return scene.server.http.post(TOKEN, params={"client_id": scene.app.client_id}, json=scene.app.body("x" * 20, client_id=None))


def misnamed(scene: Scene) -> httpx.Response:
    body = scene.app.body("x" * 20)
    return scene.send({"clientId": body.pop("client_id"), **body})


def wrapped(scene: Scene) -> httpx.Response:
    return scene.send({"data": scene.app.body("x" * 20)})


ROWS: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "basic": ("auth_method_mismatch", basic),
    "no secret": ("no_credentials", with_body(client_secret=None)),
    "empty secret": ("no_credentials", with_body(client_secret="")),
    "form": ("body_content_type", form),
    "in the query": ("field_in_query_string", in_the_query),
    "misnamed": ("field_misnamed", misnamed),
    "wrapped": ("field_misnamed", wrapped),
    "missing": ("field_missing", with_body(redirect_uri=None)),
    "a number": ("field_wrong_type", with_body(redirect_uri=5)),
}


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_token_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    is_explained(scene, act(scene), cause)


def test_a_form_is_told_where_it_belongs(scene: Scene) -> None:
    assert scene.finding(form(scene))["remedy"].endswith("an OAuth library, which sends forms, wants /oauth2/token.")
    asked = scene.server.http.post(
        "/api/v0/oauth2/request", data={"client_id": scene.app.client_id}, headers={"Authorization": f"Bearer {scene.user.token}"}
    )
    assert scene.finding(asked)["remedy"] == "Send the body as JSON (Content-Type: application/json)."


STRANGE: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "not registered": ("client_unknown", as_client(lambda _: "nobody-here")),
    "xml": ("body_content_type", raw(b"<token/>")),
    "multipart": ("body_content_type", raw(b"--x\r\nContent-Disposition: form-data\r\n")),
    "single quotes": ("body_malformed", raw(b"{'client_id': 'x'}")),
    "a list": ("body_malformed", raw(b"[]")),
    "empty": ("body_malformed", raw(b"")),
    "twice": ("body_malformed", raw(b'{"code":"a","code":"b"}')),
    "huge": ("body_too_large", raw(b'{"code":"' + b"x" * 70_000)),
}


@pytest.mark.parametrize(("cause", "act"), STRANGE.values(), ids=STRANGE)
def test_what_belongs_to_no_client_is_for_the_operator(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    trace_id = act(scene).json()["trace_id"]
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(trace_id, None))
    assert found.cause == cause, found.faults
    assert scene.developer.call("GET", f"{FINDINGS}/{trace_id}").status_code == 404


def test_every_field_that_is_missing_is_told(scene: Scene) -> None:
    found = scene.finding(scene.send({"client_id": scene.app.client_id}))
    assert [(one["cause"], one["evidence"].get("field")) for one in found["faults"]] == [
        ("no_credentials", None), ("field_missing", "redirect_uri"), ("field_missing", "code"),
    ]  # fmt: skip


ONE_MISTAKE: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "no redirect_uri": ("field_missing", with_body(redirect_uri=None)),
    "an empty redirect_uri": ("field_missing", with_body(redirect_uri="")),
    "redirect_uri is a number": ("field_wrong_type", with_body(redirect_uri=5)),
    "redirect_url": ("field_misnamed", with_body(redirect_uri=None, redirect_url=REDIRECT_URI)),
    "no client_id": ("field_missing", with_body(client_id=None)),
    "client_id in the query": ("field_in_query_string", in_the_query),
}


@pytest.mark.parametrize(("cause", "act"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_one_fault(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    trace_id = act(scene).json()["trace_id"]
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(trace_id, None))
    assert [one.cause for one in found.faults if one.cause != "code_unknown"] == [cause]
