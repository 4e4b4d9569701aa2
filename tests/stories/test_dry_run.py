"""A token request is tried, on the developers' pages as they have it at hand or over the API, and nothing of it is used up."""

import html
import re
import secrets
from typing import Any
from urllib.parse import quote

import pytest
from tests.stories.browser import Browser
from tests.stories.mistakes import signed
from tests.stories.portal import created, developer_at, path
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, person
from tests.stories.scene import TOKEN, Scene

from grantway.authorization import pkce
from grantway.clients import assertion
from grantway.clients.client import AuthMethod

VERIFIER = "v" * 43
JSON, FORM = "/api/v0/oauth2/token", "/oauth2/token"
OF_FORM = f"-d grant_type=authorization_code --data-urlencode redirect_uri={REDIRECT_URI} -d code_verifier={VERIFIER} -d code=CODE"


def asserted(server: Server, app: App, **claims: Any) -> str:
    now = int(server.clock().timestamp())
    mine = {"iss": app.client_id, "sub": app.client_id, "aud": server.grantway.house.issuer, "exp": now + 60, "jti": secrets.token_hex(8)}
    return assertion.sign(mine | claims, app.client_secret)


def tried(browser: Browser, app: App, **typed: str) -> str:
    """What the page says, without the form to try again."""
    browser.open(f"{path(app)}/check")
    text = browser.send(f"{path(app)}/check", **typed).text
    assert browser.page.status_code == 200, text
    return html.unescape(text.partition("<h2>Try again</h2>")[0])


def filled(server: Server, app: App, command: str, code: str) -> str:
    """The command with what only the running story knows."""
    values = {
        "JWT": app.jwt(),
        "ASSERTION": f"client_assertion={asserted(server, app)} -d client_assertion_type={quote(assertion.TYPE)}",
        "ID": app.client_id,
        "SECRET": app.client_secret,
        "CODE": code,
        "HOST": server.grantway.house.issuer,
    }
    return re.sub("|".join(values), lambda found: values[found[0]], command)


WAYS = {
    "JSON": (
        AuthMethod.JWT,
        f"""curl --location 'HOST{JSON}' \\
--header 'Content-Type: application/json' \\
--data '{{
    "client_id": "ID",
    "client_secret": "JWT",
    "redirect_uri": "{REDIRECT_URI}",
    "code": "CODE",
    "code_verifier": "{VERIFIER}",
    "passphrase": ""
}}'""",
        JSON,
    ),
    "JWT in a form": (AuthMethod.JWT, f"curl HOST{FORM} {OF_FORM} -d client_id=ID -d client_secret=JWT", FORM),
    "assertion": (AuthMethod.JWT, f"curl HOST{FORM} {OF_FORM} -d ASSERTION", FORM),
    "basic": (AuthMethod.BASIC, f"curl -u 'ID:SECRET' HOST{FORM} {OF_FORM}", FORM),
    "post": (AuthMethod.POST, f'X=SECRET\ncurl HOST{FORM} {OF_FORM} -d client_id=ID -d "client_secret=$X"', FORM),
    "public": (AuthMethod.NONE, f"curl HOST{FORM} {OF_FORM} -d client_id=ID", FORM),
}


@pytest.mark.parametrize(("method", "command", "endpoint"), WAYS.values(), ids=WAYS)
def test_a_whole_command(server: Server, dana: Browser, user: Person, method: AuthMethod, command: str, endpoint: str) -> None:
    app = created(dana, server, auth_method=method.value)
    code = approved(user, app, code_challenge=pkce.challenge_of(VERIFIER))
    page = tried(dana, app, body=filled(server, app, command, code))
    assert "It would be granted." in page
    assert f"Judged as <code>POST {endpoint}</code>." in page
    assert "About what you pasted" not in page
    assert code not in dana.page.text
    assert app.client_secret not in dana.page.text
    # nothing was used up, and nothing is kept
    assert app.exchange(code, code_verifier=VERIFIER).status_code == 200
    assert dana.open(f"{path(app)}/findings").text.count("/findings/") == 0


MISTAKES = {
    "a form to the JSON endpoint": (f"curl HOST{JSON} {OF_FORM} -d client_id=ID -d client_secret=JWT", "body_content_type", ""),
    "JSON to the standard endpoint": (f'curl HOST{FORM} --json \'{{"client_id": "ID", "code": "CODE"}}\'', "body_content_type", ""),
    "another path": (f"curl HOST/oauth/token {OF_FORM} -u ID:SECRET", "raw_secret_sent", "no token endpoint at /oauth/token"),
    "another server": (f"curl https://x.example{FORM} {OF_FORM} -u ID:SECRET", "raw_secret_sent", "sent to https://x.example, and"),
    "the secret by Basic": (f"curl HOST{FORM} {OF_FORM} -u ID:SECRET", "raw_secret_sent", ""),
    "a wrong secret by Basic": (f"curl HOST{FORM} {OF_FORM} -u ID:SECRETx", "unknown_key", ""),
    "twice": (f"curl HOST{FORM} {OF_FORM} -u ID:SECRET -d client_secret=JWT", "multiple_auth_methods", ""),
    "two headers": (f"curl HOST{FORM} {OF_FORM} -H 'Authorization: Basic a' -H 'Authorization: Basic b'", "multiple_auth_methods", ""),
    "no grant_type": (f"curl HOST{FORM} -d code=CODE -d client_id=ID -d client_secret=JWT", "field_missing", ""),
    "a variable of the shell": (f'curl HOST{FORM} {OF_FORM} -d client_id=ID -d "client_secret=$J"', "no_credentials", "$J has no value"),
    "GET": (f"curl -G HOST{FORM} {OF_FORM} -d client_id=ID -d client_secret=JWT", "method_not_allowed", ""),
    "in the query": (f"curl -X POST 'HOST{FORM}?grant_type=authorization_code&code=CODE'", "field_in_query_string", ""),
    "an unknown method": (f"curl -X SEND HOST{FORM} {OF_FORM}", "method_not_allowed", ""),
    "multipart": (f"curl HOST{FORM} -F grant_type=authorization_code -F code=CODE -F client_id=ID", "body_content_type", ""),
    "no URL": ("curl -d a=b", "field_missing", ""),
    "no URL that can be read": ("curl 'http://[::1/' -d a=b", "field_missing", "cannot be read"),
    "too long": ("A=" + "a" * 40_000 + f'\ncurl HOST{JSON} -d "$A$A"', "body_too_large", ""),
}


@pytest.mark.parametrize(("command", "cause", "note"), MISTAKES.values(), ids=MISTAKES)
def test_a_command_with_a_mistake(server: Server, dana: Browser, command: str, cause: str, note: str) -> None:
    app = created(dana, server)
    page = tried(dana, app, body=filled(server, app, command, "gwc_no_code"))
    assert "It would be refused" in page
    assert f"causes#{cause}" in page
    assert note in page
    assert ("About what you pasted" in page) == bool(note)
    assert app.client_secret not in dana.page.text


BODIES = {
    "form": (
        {"body": f"grant_type=authorization_code&code=CODE&redirect_uri={REDIRECT_URI}&client_id=ID&client_secret=JWT"},
        FORM,
        "code_",
    ),
    "JSON": ({"body": '{"client_id": "ID", "client_secret": "JWT", "redirect_uri": "x", "code": "CODE"}'}, JSON, "code_"),
    "form, said to go to the JSON endpoint": ({"to": JSON, "body": "code=CODE"}, JSON, "body_content_type"),
    "JSON, said to go to the standard endpoint": ({"to": FORM, "body": '{"code": "CODE"}'}, FORM, "body_content_type"),
    "a header beside": ({"authorization": "Basic nonsense", "body": "grant_type=authorization_code&code=CODE"}, FORM, "basic_malformed"),
    "fields": ({"client_secret": "JWT", "code": "CODE"}, JSON, "code_"),
    "fields of a form": ({"to": FORM, "client_secret": "JWT", "code": "CODE"}, FORM, "code_"),
    "an assertion": ({"client_assertion": "a.b.c", "code": "CODE"}, FORM, "assertion_malformed"),
    "an endpoint that there is not": ({"to": "/x", "client_secret": "JWT", "code": "CODE"}, JSON, "code_"),
}


@pytest.mark.parametrize(("typed", "endpoint", "cause"), BODIES.values(), ids=BODIES)
def test_a_body_or_fields(server: Server, dana: Browser, typed: dict[str, str], endpoint: str, cause: str) -> None:
    app = created(dana, server)
    page = tried(dana, app, **{name: filled(server, app, value, "gwc_no_code") for name, value in typed.items()})
    assert f"Judged as <code>POST {endpoint}</code>." in page
    assert f"causes#{cause}" in page


@pytest.mark.parametrize("method", AuthMethod)
def test_fields_are_sent_as_the_app_is_registered_to(server: Server, dana: Browser, user: Person, method: AuthMethod) -> None:
    app = created(dana, server, auth_method=method.value)
    code = approved(user, app, code_challenge=pkce.challenge_of(VERIFIER))
    secret = {AuthMethod.JWT: app.jwt(), AuthMethod.NONE: ""}.get(method, app.client_secret)
    assert "It would be granted." in tried(dana, app, client_secret=secret, code=code, code_verifier=VERIFIER)


@pytest.mark.parametrize("method", AuthMethod)
@pytest.mark.parametrize("command", [command for _, command, _ in WAYS.values()], ids=WAYS)
def test_another_developers_app_is_one_that_there_is_not(server: Server, dana: Browser, method: AuthMethod, command: str) -> None:
    theirs = created(dana, server, auth_method=method.value)
    mallory = developer_at(server)
    own = created(mallory, server)
    nobody = App(server.http, server.clock, f"{theirs.client_id[:-12]}{secrets.token_hex(6)}", theirs.client_secret)
    pages = []
    for app in (theirs, nobody):
        page = tried(mallory, own, body=filled(server, app, command, "gwc_no_code"))
        assert "causes#client_unknown" in page
        # each id is described by its first digits, which are the same here
        pages.append(re.sub(r'name="csrf".*', "", page))
    assert pages[0] == pages[1]


def test_a_prefix_needs_a_passphrase(server: Server, dana: Browser, user: Person) -> None:
    app = created(dana, server)
    code = approved(user, app, ["read", "bucket:photos;2026/"], {"approved_scopes": ["read", "bucket:photos;2026/"]})
    command = filled(server, app, f"curl HOST{FORM} -d grant_type=authorization_code -d code=CODE -d client_id=ID", code)
    sent = f"{command} -d redirect_uri={quote(REDIRECT_URI)}"
    assert "causes#passphrase_missing" in tried(dana, app, body=f"{sent} -d client_secret={app.jwt()}")
    assert "It would be granted." in tried(dana, app, body=f"{sent} -d client_secret={app.jwt()} -d passphrase=x")


def test_a_code_that_was_used_stays_what_it_was(server: Server, dana: Browser, user: Person) -> None:
    """Shown again by the app it would revoke what it gave; tried here it does not, and is not said to."""
    app = created(dana, server)
    code = approved(user, app)
    assert app.exchange(code).status_code == 200
    for endpoint, command in ((JSON, WAYS["JSON"][1]), (FORM, WAYS["JWT in a form"][1])):
        page = tried(dana, app, body=filled(server, app, command, code))
        assert f"Judged as <code>POST {endpoint}</code>." in page
        assert "causes#code_already_used" in page
        assert "was revoked" not in page
    assert server.rows("SELECT count(*) FROM revoked_tails")[0][0] == 0


def test_a_dry_run_uses_nothing_up(scene: Scene) -> None:
    body = scene.app.body(scene.code())
    tried = [scene.developer.call("POST", f"{TOKEN}/check", body) for _ in range(2)]
    assert [one.json()["outcome"] for one in tried] == ["granted", "granted"]
    assert {check["outcome"] for check in tried[0].json()["checks"]} == {"passed"}
    assert scene.send(body).status_code == 200
    again = scene.developer.call("POST", f"{TOKEN}/check", body).json()
    assert (again["cause"], again["error"]) == ("code_already_used", "code_already_used")


def test_a_dry_run_does_not_take_the_session_for_a_credential(scene: Scene) -> None:
    wrong = scene.app.body(scene.code(), client_secret=signed(b"k" * 40, scene.app))
    found = scene.developer.call("POST", f"{TOKEN}/check", wrong).json()
    assert [one["cause"] for one in found["faults"]] == ["unknown_key"]
    missing = scene.developer.call("POST", f"{TOKEN}/check", scene.app.body("x" * 20, client_secret=None))
    assert scene.finding(missing)["cause"] == "no_credentials"


def test_a_dry_run_knows_no_other_developers_client(scene: Scene) -> None:
    stranger = person(scene.server, "developer")
    found = stranger.call("POST", f"{TOKEN}/check", scene.app.body(scene.code())).json()
    nobody = stranger.call("POST", f"{TOKEN}/check", scene.app.body("x" * 20) | {"client_id": scene.app.client_id[::-1]}).json()
    assert found["cause"] == nobody["cause"] == "client_unknown"
    assert [(one["name"], one["outcome"]) for one in found["checks"]][:5] == [(one["name"], one["outcome"]) for one in nobody["checks"]][:5]
