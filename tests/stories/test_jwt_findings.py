"""Why was it refused? The JWT, its claims and the clock that signed it: each finding must name the mistake."""

from collections.abc import Callable

import httpx
import pytest
from tests.stories.mistakes import key_of, now, signed, with_body, with_claims, with_jwt
from tests.stories.scene import Scene, is_explained

from grantway.cli import findings
from grantway.web.portal import refusals


def replayed(scene: Scene) -> httpx.Response:
    jwt = scene.app.jwt()
    assert scene.app.exchange(scene.code(), client_secret=jwt).status_code == 200
    return scene.app.exchange(scene.code(), client_secret=jwt)


def quoted(jwt: str) -> str:
    return f'"{jwt}"'


ROWS: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "no JWT at all": ("assertion_malformed", with_body(client_secret="another-secret")),
    "expired": ("assertion_expired", with_jwt(lambda app: app.jwt(exp=now(app) - 312))),
    "iat ahead": ("clock_ahead", with_jwt(lambda app: app.jwt(iat=now(app) + 120))),
    "nbf ahead": ("clock_ahead", with_jwt(lambda app: app.jwt(nbf=now(app) + 120))),
    "no exp": ("exp_missing", with_claims(exp=None)),
    "exp in ms": ("exp_in_milliseconds", with_jwt(lambda app: app.jwt(exp=(now(app) + 240) * 1000))),
    "exp far": ("exp_too_far", with_jwt(lambda app: app.jwt(exp=now(app) + 3600))),
    "exp text": ("exp_not_a_number", with_claims(exp="1751019815")),
    "HS512": ("alg_mismatch", with_jwt(lambda app: signed(key_of(app), app, {"alg": "HS512"}, "sha512"))),
    "none": ("alg_none", with_jwt(lambda app: signed(key_of(app), app, {"alg": "none"}).rpartition(".")[0] + ".")),
    "none, two parts": ("alg_none", with_jwt(lambda app: signed(key_of(app), app, {"alg": "none"}).rpartition(".")[0])),
    "RS256": ("alg_asymmetric", with_jwt(lambda app: signed(b"x", app, {"alg": "RS256"}))),
    "crit": ("crit_unsupported", with_jwt(lambda app: signed(key_of(app), app, {"crit": ["exp"]}))),
    "other id in the JWT": ("claim_client_id_mismatch", with_claims(client_id="somebody-else")),
    "iss and sub": ("claim_missing", with_claims(client_id=None, sub="x")),
    "aud": ("aud_mismatch", with_claims(aud="https://elsewhere.example/token")),
    "replayed": ("assertion_replayed", replayed),
    "Bearer": ("bearer_prefix_in_field", with_jwt(lambda app: "Bearer " + app.jwt())),
    "padding": ("assertion_malformed", with_jwt(lambda app: app.jwt() + "=")),
    "quoted": ("assertion_malformed", with_jwt(lambda app: quoted(app.jwt()))),
    "line break": ("assertion_malformed", with_jwt(lambda app: app.jwt()[:40] + "\n" + app.jwt()[40:])),
    "five parts": ("assertion_malformed", with_jwt(lambda _: "eyJhbGciOiJkaXIifQ.a.b.c.d")),
}


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_token_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    is_explained(scene, act(scene), cause)


@pytest.mark.parametrize("scheme", ["Bearer ", "", "JWT "])
def test_a_jwt_in_the_header_is_told_to_be_one(scene: Scene, scheme: str) -> None:
    header = {"Authorization": f"{scheme}{scene.app.jwt()}"}
    found = scene.finding(scene.send(scene.app.body("x" * 20, client_secret=None), headers=header))
    assert found["verdict"] == "The JWT stands in the Authorization header, not in client_secret."
    assert found["cause"] == "auth_method_mismatch"
    # nothing else names the app
    form = {"grant_type": "authorization_code", "code": "x" * 20}
    found = scene.finding(scene.server.http.post("/oauth2/token", data=form, headers=header))
    assert found["remedy"].startswith("Send the JWT in the form, as client_assertion")
    assert "introspect" not in found["remedy"]


CLOCKS: dict[str, tuple[int | None, int, list[str]]] = {
    "5 min ahead, good for 4": (300, 540, ["clock_ahead"]),
    "5 min ahead, good for 5": (300, 600, ["clock_ahead"]),
    "70 s ahead, good for 5 min": (70, 370, ["clock_ahead"]),
    "a day ahead": (86_400, 86_640, ["clock_ahead"]),
    "5 min ahead, good for an hour": (300, 3900, ["exp_too_far", "clock_ahead"]),
    "a little ahead, good for 10 min": (30, 630, ["exp_too_far"]),
    "exp alone": (None, 540, ["exp_too_far"]),
    "iat after exp": (1000, 540, ["exp_too_far", "clock_ahead"]),
}


@pytest.mark.parametrize(("issued", "ends", "causes"), CLOCKS.values(), ids=CLOCKS)
def test_a_clock_that_runs_ahead(scene: Scene, issued: int | None, ends: int, causes: list[str]) -> None:
    at = now(scene.app)
    claims = {"iat": None if issued is None else at + issued, "exp": at + ends}
    found = scene.finding(with_claims(**claims)(scene))
    assert [one["cause"] for one in found["faults"]] == causes


@pytest.mark.parametrize(
    ("issued", "ends", "told"),
    [
        (None, 540, "The JWT lives too long, or the clock that signs is 4 min or more ahead: without iat nothing tells which."),
        (None, 14 * 3600, "or the clock that signs is 14 h or more ahead"),
        (None, 15 * 3600, None),
        (0, 540, None),
    ],
    ids=["minutes", "hours", "further than clocks are off", "with iat"],
)
def test_without_iat_the_clock_may_be_why(scene: Scene, issued: int | None, ends: int, told: str | None) -> None:
    at = now(scene.app)
    found = scene.finding(with_claims(iat=None if issued is None else at, exp=at + ends)(scene))
    assert (found["cause"], "the clock" in found["verdict"]) == ("exp_too_far", told is not None)
    assert (told or "") in found["verdict"]
    assert ("set that clock (NTP); send iat" in found["remedy"]) == (told is not None)


def test_people_are_told_the_age_of_a_jwt_and_not_a_skew(scene: Scene) -> None:
    answer = with_claims(iat=now(scene.app) - 3600, exp=now(scene.app) - 3300)(scene)
    assert scene.finding(answer)["facts"]["clock_skew_seconds"] <= -3600
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(answer.json()["trace_id"], None))
    assert "Known: age of the JWT: 60 min" in findings.page(found, found.at).notes
    assert refusals.told(found).facts == {"age of the JWT": "60 min"}
