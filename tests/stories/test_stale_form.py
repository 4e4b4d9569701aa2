"""A form that was opened before somebody else changed the app overwrites nothing unseen."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser
from tests.stories.portal import path
from tests.stories.running import PASSWORD, REDIRECT_URI, Person, Server, new_app

CLIENTS = "/api/v0/developer/auth/oauth2/clients"


def signed_in(server: Server, developer: Person) -> Browser:
    """A browser of somebody who has a session elsewhere too."""
    dana = Browser(server.grantway.house.issuer)
    dana.open("/developer/sign-in")
    dana.send("/developer/sign-in", email=developer.email, password=PASSWORD)
    return dana


def test_what_was_changed_after_the_form_was_opened_is_not_overwritten_unseen(server: Server, developer: Person) -> None:
    """Two tabs, or two sessions: whoever saves second sees what the first one saved, and decides."""
    app = new_app(server, developer, scopes=["read"], description="Shows photos.")
    edit, dana = f"{path(app)}/edit", signed_in(server, developer)
    dana.open(edit)
    assert "changed after" not in dana.page.text
    change = {"name": "<b>Prints</b>", "description": "", "redirect_uris": ["https://two.example/", "https://four.example/"]}
    saved = developer.call("PUT", f"{CLIENTS}/{app.client_id}", change)
    assert saved.status_code == 200
    typed = {"name": "Picture Box", "description": "Shows photos.", "redirect_uris": f"{REDIRECT_URI}\nhttps://three.example/"}
    text = dana.send(edit, **typed).text
    assert dana.page.status_code == 409
    assert "Nothing was saved: this app was changed after you opened this form" in text
    # what stands now, but for what nobody changed; and what was typed
    assert re.findall(r"<dt>(.*?)</dt>", text) == ["Name", "Description", "Redirect URIs"]
    assert re.findall(r"<dd>(.*?)</dd>", text) == [
        "<code>&lt;b&gt;Prints&lt;/b&gt;</code>",
        "left empty",
        "<code>https://two.example/</code><br><code>https://four.example/</code>",
    ]
    assert 'value="Picture Box"' in text
    assert "https://three.example/</textarea>" in text
    stored = developer.call("GET", f"{CLIENTS}/{app.client_id}").json()
    assert stored == saved.json()
    # once more, knowing
    dana.send(edit, **typed)
    assert "Saved." in dana.page.text
    stored = developer.call("GET", f"{CLIENTS}/{app.client_id}").json()
    assert (stored["name"], stored["redirect_uris"]) == ("Picture Box", [REDIRECT_URI, "https://three.example/"])


def test_what_makes_no_form_stale(server: Server, developer: Person) -> None:
    app = new_app(server, developer)
    edit, dana = f"{path(app)}/edit", signed_in(server, developer)
    # its status, which the form does not hold
    dana.open(edit)
    developer.call("PATCH", f"{CLIENTS}/{app.client_id}/status", {"status": 0})
    dana.send(edit, name="Picture Box", redirect_uris=REDIRECT_URI)
    assert "Saved." in dana.page.text
    # what the form itself saved, as a second click sends it
    dana.open(edit)
    form = {**dict(dana.form(edit).fields), "name": "Album", "redirect_uris": REDIRECT_URI, "auth_method": "client_secret_jwt"}
    answers = [dana.http.post(edit, data=form, headers={"Origin": dana.issuer}) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]
    # but not what is another's since
    developer.call("PUT", f"{CLIENTS}/{app.client_id}", {"name": "Prints"})
    assert dana.http.post(edit, data=form, headers={"Origin": dana.issuer}).status_code == 409


def test_of_two_forms_that_are_sent_at_once_one_is_saved(server: Server, developer: Person) -> None:
    app = new_app(server, developer)
    edit, dana = f"{path(app)}/edit", signed_in(server, developer)
    dana.open(edit)
    form = {**dict(dana.form(edit).fields), "redirect_uris": REDIRECT_URI, "auth_method": "client_secret_jwt"}
    with ThreadPoolExecutor(6) as threads:
        origin, cookies = {"Origin": dana.issuer}, dict(dana.http.cookies)

        def send(name: str) -> httpx.Response:
            sent = {**form, "name": name}
            return httpx.post(f"{dana.issuer}{edit}", data=sent, headers=origin, cookies=cookies, timeout=60, verify=NO_TLS)

        answers = list(threads.map(send, "abcdef"))
    assert sorted(one.status_code for one in answers) == [303, 409, 409, 409, 409, 409]
