"""What a finding of the standard flow says beyond its cause: what to do, what was revoked, and nothing that was no mistake."""

import pytest
from tests.stories.running import Person, Server, new_app
from tests.stories.standard_mistakes import BASIC, NONE, POST, VERIFIER, WITH_PKCE, Act, Scene, alone, by_assertion, by_basic, by_post, raw


def test_json_is_told_where_it_belongs(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    for content, kind, is_json in ((b'{"client_id": "CLIENT"}', "application/json", True), (b"client_id=CLIENT", "text/plain", False)):
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{raw(content, kind)(scene).json()['trace_id']}").json()
        assert "Send the parameters as a form in the body" in found["remedy"]
        assert ("The JSON API is at /api/v0/oauth2/token." in found["remedy"]) is is_json


def test_the_audience_of_a_client_assertion_may_not_be_left_out(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    answer = by_assertion(aud="https://elsewhere.example/token")(scene)
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert found["remedy"] == "Set aud of a client_assertion to this server's issuer or token URL."


def test_one_mistake_is_one_fault(server: Server, developer: Person, user: Person) -> None:
    """What was left out because it may be is no fault beside another one."""
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=BASIC))
    public = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=NONE))
    answers = [act(scene) for act in (by_basic(lambda _: "x" * 40), by_assertion(lambda _: "x" * 40), alone())]
    for answer in (*answers, alone(code=None)(public)):
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
        assert len([one for one in found["faults"] if not one["cause"].startswith("code_")]) == 1, found["faults"]


def test_a_used_code_without_a_jwt_tells_what_was_revoked(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=BASIC))
    code = scene.code()
    assert by_basic(str, code=code)(scene).status_code == 200
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{by_basic(str, code=code)(scene).json()['trace_id']}").json()
    listed = developer.call("GET", f"/api/v0/developer/auth/oauth2/clients/{scene.app.client_id}/findings").json()["findings"]
    assert found["faults"][0]["evidence"]["used_in"] == listed[-1]["trace_id"]
    assert found["faults"][0]["evidence"]["first_grant_revoked"] is True


def test_whoever_saw_a_public_clients_code_in_a_history_takes_nothing_back(server: Server, developer: Person, user: Person) -> None:
    """Its id is public, so only the verifier tells somebody who could have collected the code."""
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=NONE))
    code = scene.code(**WITH_PKCE)
    key = alone(code=code, code_verifier=VERIFIER)(scene).json()["access_token"]

    def is_alive() -> bool:
        held = user.call("GET", f"/api/v0/auth/developer-access/{scene.app.client_id}/grants").json()
        return [one["is_active"] for one in held] == [True]

    for verifier, lives in ((None, True), ("w" * 43, True), (VERIFIER, False)):
        answer = alone(code=code, code_verifier=verifier)(scene)
        assert (answer.json()["error"], key in answer.text) == ("invalid_grant", False)
        assert is_alive() is lives
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
        used = next(one for one in found["faults"] if one["cause"] == "code_already_used")
        assert used["evidence"].get("first_grant_revoked") is (None if lives else True)


@pytest.mark.parametrize(
    ("act", "where", "method"), [(by_basic(str), "by HTTP Basic,", BASIC), (by_post(str), "in client_secret,", POST)], ids=["Basic", "Post"]
)
def test_the_right_secret_at_a_client_of_jwts_has_two_ways_out(
    server: Server, developer: Person, user: Person, act: Act, where: str, method: str
) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{act(scene).json()['trace_id']}").json()
    (fault,) = [one for one in found["faults"] if not one["cause"].startswith("code_")]
    assert fault["verdict"].startswith(f"The secret itself came {where} not a JWT signed with it")
    assert "Send a JWT signed with the secret, and regenerate" in fault["remedy"]
    assert f"or change token_endpoint_auth_method of the client to {method}" in fault["remedy"]


@pytest.mark.parametrize(
    ("ahead", "lives", "causes"),
    [(7200, 3600, ["clock_ahead"]), (7200, 3900, ["exp_too_far", "clock_ahead"]), (0, 7200, ["exp_too_far"])],
    ids=["a clock", "a clock and a long life", "a long life"],
)
def test_a_clock_ahead_takes_exp_along(server: Server, developer: Person, user: Person, ahead: int, lives: int, causes: list[str]) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    answer = by_assertion(iat=lambda now: now + ahead, exp=lambda now: now + ahead + lives)(scene)
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert [one["cause"] for one in found["faults"] if not one["cause"].startswith("code_")] == causes


def test_without_iat_the_clock_may_be_why(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    answer = by_assertion(exp=lambda now: now + 7200)(scene)
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert "or the clock that signs is 60 min or more ahead" in found["verdict"]
    assert found["remedy"].startswith("Let the JWT end at most an hour ahead. If by your clock it does, set that clock")


def test_what_succeeds_leaves_a_short_one(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    assert scene.send(client_id=scene.app.client_id, code=scene.code(), **scene.asserted()).status_code == 200
    assert scene.send("/oauth2/introspect", token="x", client_id=scene.app.client_id, **scene.asserted()).status_code == 200
    listed = developer.call("GET", f"/api/v0/developer/auth/oauth2/clients/{scene.app.client_id}/findings").json()["findings"]
    assert [(one["endpoint"], one["outcome"]) for one in listed] == [("token", "granted")]


@pytest.mark.parametrize(
    ("grant_type", "remedy"), [("client_credentials", "there is no other here"), ("refresh_token", "no refresh tokens")]
)
def test_another_grant_type_is_the_only_fault(server: Server, developer: Person, grant_type: str, remedy: str) -> None:
    """What belongs to it is another matter: no code is missing."""
    app = new_app(server, developer, token_endpoint_auth_method=BASIC)
    answer = server.http.post("/oauth2/token", data={"grant_type": grant_type}, auth=(app.client_id, app.client_secret))
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert [one["cause"] for one in found["faults"]] == ["grant_type_unsupported"]
    assert remedy in found["remedy"]
