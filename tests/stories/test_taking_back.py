"""What a person gave they can take back, and it is really gone: asked of the satellite, not of the answer."""

from datetime import timedelta
from typing import Any

import pytest
from tests.stories.running import PASSWORD, App, Person, Server, approved, asked, new_app, person

from grantway.access_grant import AccessGrant, Action, Allowed, Caveat, Denied
from grantway.access_grant.permission import Permission

ACCESS = "/api/v0/auth/developer-access"


def collected(user: Person, client: App, scope: list[str] | None = None, **more: Any) -> AccessGrant:
    answer = client.exchange(approved(user, client, scope, **more))
    assert answer.status_code == 200, answer.text
    return AccessGrant.parse(answer.json()["access_grant"])


def verdict(server: Server, grant: AccessGrant, action: Action = Action.READ, bucket: str = "photos", path: str = "") -> str:
    """`allowed`, or the satellite's reason."""
    encrypted = grant.encryption_access.encrypt_prefix(bucket.encode(), path.encode())
    answer: Allowed | Denied = server.wait_for(
        server.grantway.satellite.check(grant.api_key, action, bucket.encode(), encrypted, server.clock())
    )
    return answer.reason if isinstance(answer, Denied) else "allowed"


def test_a_grant_does_what_was_approved_and_no_more(server: Server, user: Person, client: App) -> None:
    grant = collected(user, client, ["read", "list", "bucket:photos;2024/"])
    assert verdict(server, grant, Action.READ, "photos", "2024/summer.jpg") == "allowed"
    assert verdict(server, grant, Action.LIST, "photos", "2024/") == "allowed"
    assert verdict(server, grant, Action.WRITE, "photos", "2024/summer.jpg") == "disallow_writes"
    assert verdict(server, grant, Action.DELETE, "photos", "2024/summer.jpg") == "disallow_deletes"
    assert verdict(server, grant, Action.LIST, "photos") == "allowed_paths"
    assert verdict(server, grant, Action.PUT_OBJECT_RETENTION, "photos", "2024/summer.jpg") == "disallow_put_retention"


def test_a_grant_ends_when_it_was_said_to(server: Server, user: Person, client: App) -> None:
    answer = client.exchange(approved(user, client, consent={"expires_in": 60}))
    assert 50 < answer.json()["expires_in"] <= 60
    grant = AccessGrant.parse(answer.json()["access_grant"])
    assert verdict(server, grant) == "allowed"
    with server.clock.later(timedelta(seconds=61)):
        assert verdict(server, grant) == "not_after"


def test_revoking_an_app_kills_all_it_has_and_all_made_from_it(server: Server, user: Person, client: App) -> None:
    first, second = collected(user, client), collected(user, client)
    derived = first.restrict(Permission(download=True), [], b"nonce of the app")
    other = collected(user, new_app(server, person(server, "developer")))
    answer = user.call("DELETE", f"{ACCESS}/{client.client_id}/revoke")
    assert (answer.status_code, answer.json()) == (200, {"message": "Developer access revoked successfully"})
    assert [verdict(server, grant) for grant in (first, second, derived)] == ["revoked"] * 3
    assert verdict(server, other) == "allowed"
    listed = {one["client_id"]: one["is_active"] for one in user.call("GET", ACCESS).json()}
    assert listed[client.client_id] is False


def test_revoking_again_is_no_error_and_a_stranger_is_not_found(user: Person, client: App) -> None:
    collected(user, client)
    path = f"{ACCESS}/{client.client_id}/revoke"
    assert [user.call("DELETE", path).status_code for _ in range(2)] == [200, 200]
    assert user.call("DELETE", f"{ACCESS}/nobody/revoke").status_code == 404


def test_another_users_grant_lives_on(server: Server, user: Person, client: App) -> None:
    other = person(server)
    grant = collected(other, client)
    assert user.call("DELETE", f"{ACCESS}/{client.client_id}/revoke").status_code == 404
    assert verdict(server, grant) == "allowed"


def test_a_request_that_waits_dies_with_the_revocation(user: Person, client: App) -> None:
    collected(user, client)
    waiting = asked(user, client)["request_id"]
    user.call("DELETE", f"{ACCESS}/{client.client_id}/revoke")
    answer = user.call("POST", "/api/v0/oauth2/consent", {"request_id": waiting, "approved_scopes": ["read"]})
    assert answer.json()["error"] == "request_not_pending"


def test_deleting_a_client_revokes_and_disabling_does_not(server: Server, user: Person, developer: Person) -> None:
    kept, gone = new_app(server, developer), new_app(server, developer)
    grants = [collected(user, app) for app in (kept, gone)]
    clients = "/api/v0/developer/auth/oauth2/clients"
    assert developer.call("PATCH", f"{clients}/{kept.client_id}/status", {"status": 0}).status_code == 200
    assert developer.call("DELETE", f"{clients}/{gone.client_id}").status_code == 204
    assert [verdict(server, grant) for grant in grants] == ["allowed", "revoked"]


@pytest.mark.parametrize("leaves", ["account", "project"])
def test_leaving_kills_the_key_itself(server: Server, client: App, leaves: str) -> None:
    leaver = person(server)
    grant = collected(leaver, client)
    if leaves == "account":
        assert leaver.call("DELETE", "/api/v0/auth/account", {"password": "not the password"}).status_code == 401
        assert verdict(server, grant) == "allowed"
        assert leaver.call("DELETE", "/api/v0/auth/account", {"password": PASSWORD}).status_code == 200
        assert leaver.call("GET", "/api/v0/auth/account").status_code == 401
    else:
        project = leaver.call("GET", "/api/v0/projects").json()[0]["id"]
        assert leaver.call("DELETE", f"/api/v0/projects/{project}").status_code == 204
        assert not leaver.call("GET", "/api/v0/auth/developer-access").json()[0]["is_active"]
        body = {"client_id": client.client_id, "redirect_uri": client.redirect_uri, "scope": ["read", "write"]}
        assert leaver.call("POST", "/api/v0/oauth2/request", body).json()["current_access"] == []
    assert verdict(server, grant) == "unknown_key"


def test_a_leaked_code_kills_what_it_yielded_and_a_retry_does_not(server: Server, user: Person, client: App) -> None:
    code, jwt = approved(user, client), client.jwt()
    grant = AccessGrant.parse(client.exchange(code, client_secret=jwt).json()["access_grant"])
    retry = client.exchange(code, client_secret=jwt)
    assert retry.json()["error"] == "code_already_used"
    assert verdict(server, grant) == "allowed"
    wrong_place = client.exchange(code, redirect_uri="https://attacker.example/")
    assert wrong_place.json()["error"] == "code_already_used"
    assert verdict(server, grant) == "revoked"


def test_a_leaked_code_is_recognised_long_after(server: Server, user: Person, client: App) -> None:
    code = approved(user, client)
    grant = AccessGrant.parse(client.exchange(code).json()["access_grant"])
    with server.clock.later(timedelta(days=3)):
        server.wait_for(server.grantway.tidy(server.clock()))
        assert client.exchange(code).json()["error"] == "code_already_used"
        assert verdict(server, grant) == "revoked"


def test_a_stranger_with_a_used_code_cannot_revoke(server: Server, user: Person, developer: Person, client: App) -> None:
    code = approved(user, client)
    grant = AccessGrant.parse(client.exchange(code).json()["access_grant"])
    stranger = new_app(server, developer)
    assert stranger.exchange(code).json()["error"] == "invalid_code"
    assert client.exchange(code, client_secret=client.jwt(secret="wrong key" * 5)).json()["error"] == "invalid_client"
    assert verdict(server, grant) == "allowed"


def test_every_flag_that_was_not_granted_is_written(user: Person, client: App) -> None:
    grant = collected(user, client, ["read"])
    consent = Caveat.parse(grant.api_key.caveats[0])
    flags = {name for name in Caveat.__slots__ if name.startswith("disallow_")}
    assert {name for name in flags if not getattr(consent, name)} == {"disallow_reads"}
    assert len(grant.api_key.caveats) == 2
    assert [len(Caveat.parse(one).nonce) for one in grant.api_key.caveats] == [16, 16]
    assert all(Caveat.parse(one).not_after is not None for one in grant.api_key.caveats)
