"""An app on the developers' pages: created, changed, disabled and deleted; its secret is shown once, and a new one made."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser
from tests.stories.portal import NEW, answered, created, developer_at, path, shown
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, asked


def test_an_app_from_its_creation_to_its_end(server: Server, dana: Browser, user: Person) -> None:
    app = created(dana, server, description="Shows photos.", scope="read", places="bucket:photos", required="read")
    assert answered(app) == "invalid_code"
    assert "Photo Box" in dana.open("/developer/apps").text
    assert app.client_id in dana.page.text

    key = app.exchange(approved(user, app, ["read", "bucket:photos"])).json()["access_grant"]
    assert key

    dana.open(f"{path(app)}/edit")
    assert "bucket:photos</textarea>" in dana.page.text
    dana.send(
        f"{path(app)}/edit", name="Picture Box", redirect_uris=f"{REDIRECT_URI}\r\n\r\n https://two.example/ \r\n", places="bucket:photos"
    )
    assert "Saved." in dana.page.text
    assert "https://two.example/" in dana.page.text
    app.redirect_uri = "https://two.example/"
    assert asked(user, app, ["read", "bucket:photos"])["request_id"]

    dana.send(f"{path(app)}/status")
    assert "disabled" in dana.page.text
    assert answered(app) == "invalid_client"
    dana.send(f"{path(app)}/status")
    assert answered(app) == "invalid_code"

    dana.open(f"{path(app)}/delete")
    dana.send(f"{path(app)}/delete", name="Photo Box")
    assert dana.page.status_code == 400
    assert answered(app) == "invalid_code"
    dana.send(f"{path(app)}/delete", name=" Picture Box ")
    assert "Deleted." in dana.page.text
    assert answered(app) == "invalid_client"
    assert dana.open(path(app)).status_code == 404


def test_what_is_wrong_is_said_next_to_its_field_and_what_was_typed_is_kept(dana: Browser) -> None:
    dana.open(NEW)
    typed = {
        "name": "x" * 101,
        "description": "d" * 1001,
        "redirect_uris": "http://photos.example/\nhttps://photos.example/#x\nhttps://photos.example/fine",
        "scope": "read",
        "places": "bucket:a/b",
        "required": "write",
    }
    text = dana.send(NEW, **typed).text
    assert dana.page.status_code == 400
    for field in ("name", "description", "redirect_uris", "scopes"):
        assert f'id="{field}-problem"' in text, field
    assert "<code>http://photos.example/</code>: A redirect URI must use https" in text
    assert "<code>https://photos.example/#x</code>: A redirect URI must not have a fragment." in text
    assert "<code>https://photos.example/fine</code>" not in text
    assert 'value="read" checked' in text
    assert "bucket:a/b</textarea>" in text
    assert "x" * 101 in text
    assert "d" * 1001 in text


def test_asking_without_pkce(server: Server, dana: Browser) -> None:
    """An app with a secret may be let off it and stays so when something else is edited; one without a secret may not."""
    app = created(dana, server, no_pkce="1")
    edit = f"{path(app)}/edit"
    dana.open(edit)
    dana.send(edit, name="Picture Box")
    told = server.http.get(f"/oauth2/authorize?response_type=code&client_id={app.client_id}&redirect_uri={REDIRECT_URI}&scope=read")
    assert told.headers["location"].startswith("/sign-in")
    dana.open(edit)
    refused = dana.send(edit, auth_method="none")
    assert refused.status_code == 400
    assert 'id="require_pkce-problem"' in refused.text
    assert dana.open(edit).text.count("checked") == 2


def test_the_secret_is_shown_once(server: Server) -> None:
    """The same form again, as a reload or a second click sends it: no second app, and the secret is not there again."""
    dana = developer_at(server)
    dana.open(NEW)
    sent = {**dict(dana.form(NEW).fields), "name": "Photo Box", "redirect_uris": REDIRECT_URI}
    with ThreadPoolExecutor(6) as threads:
        cookies, origin = dict(dana.http.cookies), {"Origin": dana.issuer}
        send = lambda _: httpx.post(f"{dana.issuer}{NEW}", data=sent, headers=origin, cookies=cookies, timeout=60, verify=NO_TLS)  # noqa: E731
        answers = list(threads.map(send, range(6)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409, 409, 409]
    first = next(one for one in answers if one.status_code == 201)
    secret = re.findall(r"gws_[\w-]+", first.text)[0]
    assert first.headers["cache-control"] == "no-store"
    assert secret not in str(first.headers)
    links = re.findall(r"/developer/apps/[0-9a-f-]{36}", dana.open("/developer/apps").text)
    pages = [dana.open(one).text for one in ("/developer/apps", *links)]
    assert len(pages) == 2
    again = dana.http.post(NEW, data=sent, headers=origin)
    assert all(secret not in text for text in (*pages, again.text, *(one.text for one in answers if one is not first)))
    # after the app is deleted, the old form makes none either
    app = App(server.http, server.clock, re.findall(r"[0-9a-f-]{36}", pages[0])[0], secret)
    dana.open(f"{path(app)}/delete")
    dana.send(f"{path(app)}/delete", name="Photo Box")
    assert dana.http.post(NEW, data=sent, headers=origin).status_code == 409
    assert "You have no app yet" in dana.open("/developer/apps").text


def test_a_form_of_another_session_makes_another_client_id(server: Server, dana: Browser) -> None:
    """Nobody can take the client_id that somebody else's form will make."""
    other = developer_at(server)
    ids = set()
    for one in (dana, other):
        one.open(NEW)
        one.send(NEW, form_id="the same", name="x", redirect_uris=REDIRECT_URI)
        ids.add(shown(one, server).client_id)
    assert len(ids) == 2


@pytest.mark.parametrize(("overlap", "old_answer"), [("0", "invalid_client"), ("3600", "invalid_code"), ("2592000", "invalid_code")])
def test_a_new_secret(server: Server, dana: Browser, overlap: str, old_answer: str) -> None:
    app = created(dana, server)
    dana.open(f"{path(app)}/secret")
    form = dict(dana.form(f"{path(app)}/secret").fields)
    dana.send(f"{path(app)}/secret", overlap=overlap)
    fresh = shown(dana, server)
    assert fresh.client_secret != app.client_secret
    assert (answered(fresh), answered(app)) == ("invalid_code", old_answer)
    # a reload
    again = dana.http.post(f"{path(app)}/secret", data={**form, "overlap": "0"}, headers={"Origin": dana.issuer})
    assert again.status_code == 409
    assert "gws_" not in again.text
    assert (answered(fresh), answered(app)) == ("invalid_code", old_answer)


@pytest.mark.parametrize(
    "values", [{"overlap": "2592001"}, {"overlap": "-1"}, {"overlap": "9" * 400}, {"overlap": "x"}, {"version": "7"}, {"version": "9" * 30}]
)
def test_a_new_secret_that_is_not_made(server: Server, dana: Browser, values: dict[str, str]) -> None:
    app = created(dana, server)
    dana.open(f"{path(app)}/secret")
    answer = dana.send(f"{path(app)}/secret", **{"overlap": "0", **values})
    assert answer.status_code in {400, 409}
    assert answered(app) == "invalid_code"
