"""Whole stories, then a search of everything that was written: no secret, code, JWT, passphrase, grant or token is in it."""

import re
import secrets
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlencode

import httpx
from tests.no_tls import NO_TLS
from tests.stories.browser import BROWSERS, Browser, came_back
from tests.stories.process import serving

from grantway.access_grant import AccessGrant
from grantway.authorization import pkce
from grantway.clients import assertion

PASSWORD, PASSPHRASE = "a password of 41 letters", "a passphrase of 52 letters"
TYPED = "a passphrase typed on a page"
VERIFIER = "v" * 43
RESOURCE_SERVER = "a token of 46 letters for the resource servers"


def test_nothing_secret_is_written_anywhere(tmp_path: Path) -> None:
    log, data = tmp_path / "log", tmp_path / "data"
    settings = {"GRANTWAY_LOG_LEVEL": "debug", "GRANTWAY_LOG_FORMAT": "json", "GRANTWAY_METRICS_TOKEN": "a token for the figures"}
    settings |= {"GRANTWAY_INTROSPECTION_TOKEN": RESOURCE_SERVER}
    with serving(data, log=log, **settings) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        used = _story(http)
        while BROWSERS:
            BROWSERS.pop().http.close()
        figures = http.get("/metrics", headers={"Authorization": f"Bearer {settings['GRANTWAY_METRICS_TOKEN']}"}).content
        developer = {"Authorization": f"Bearer {used['developer'].decode()}"}
        findings = http.get("/api/v0/developer/auth/oauth2/findings", headers=developer).content
        assert server.stop() == 0
        said = "".join(server.said)
    assert b"grantway_findings_total" in figures
    assert b"raw_secret_sent" in findings
    written = [said.encode(), figures, findings, *(path.read_bytes() for path in (log, *data.iterdir()) if path.name != "master.key")]
    found = {name for name, secret in used.items() if any(secret in text for text in written)}
    assert found == set()
    assert sum(map(len, written)) > 10_000  # there was something to search


def _story(http: httpx.Client) -> dict[str, bytes]:
    """Success and failures of every kind; every secret that was used on the way."""
    used = {"password": PASSWORD, "passphrase": PASSPHRASE}
    who = {"name": "Somebody", "email": "somebody@example.org", "password": PASSWORD}
    for base, name in (("/api/v0/developer/auth", "developer"), ("/api/v0/auth", "user")):
        http.post(f"{base}/register", json=who)
        used[name] = http.post(f"{base}/token", json=who).json()["token"]
    http.cookies.clear()
    developer, user = ({"Authorization": f"Bearer {used[name]}"} for name in ("developer", "user"))
    made = {"name": "App", "redirect_uris": "https://myapp.com/callback"}
    client = http.post("/api/v0/developer/auth/oauth2/clients", json=made, headers=developer).json()
    used["client_secret"] = client["client_secret"]
    asked = {"client_id": client["client_id"], "redirect_uri": "https://myapp.com/callback", "scope": ["read", "bucket:photos;2024/"]}
    request_id = http.post("/api/v0/oauth2/request", json=asked, headers=user).json()["request_id"]
    allowed = {"request_id": request_id, "approved_scopes": asked["scope"]}
    used["code"] = http.post("/api/v0/oauth2/consent", json=allowed, headers=user).json()["code"]
    body = {"client_id": client["client_id"], "redirect_uri": "https://myapp.com/callback", "code": used["code"], "passphrase": PASSPHRASE}
    for lifetime in (-10, 200):
        claims = {"client_id": client["client_id"], "exp": int(time.time()) + lifetime, "jti": secrets.token_hex(8)}
        used[f"jwt {lifetime}"] = assertion.sign(claims, used["client_secret"])
        answer = http.post("/api/v0/oauth2/token", json={**body, "client_secret": used[f"jwt {lifetime}"]}).json()
        used["access_grant"] = answer.get("access_grant", "")
    http.post("/api/v0/oauth2/token", json={**body, "client_secret": used["client_secret"]})
    http.post("/api/v0/oauth2/token", content=str(body).encode())
    http.post("/api/v0/auth/token", json={**who, "password": PASSWORD + "!"})
    used |= _in_a_browser(http, client) | _asking_about_keys(http, client, used["access_grant"])
    key = AccessGrant.parse(used["access_grant"]).api_key
    raw = {"tail": key.tail, "API key": key.serialise_raw(), "signature": used["jwt 200"].rpartition(".")[2].encode()}
    return {name: secret.encode() for name, secret in used.items()} | raw


def _in_a_browser(http: httpx.Client, client: dict[str, str]) -> dict[str, str]:
    """The standard flow by pages: what was typed, the cookies, the code, the tokens."""
    browser = Browser(str(http.base_url).rstrip("/").replace("127.0.0.1", "localhost"))
    portal = _as_a_developer(browser)
    browser.open("/register")
    browser.register("page@example.org", PASSWORD)
    asked = {"response_type": "code", "client_id": client["client_id"], "scope": "read bucket:photos;2024", "code_challenge_method": "S256"}
    browser.open("/oauth2/authorize?" + urlencode({**asked, "code_challenge": pkce.challenge_of(VERIFIER)}))
    code = came_back(browser.send("/oauth2/consent", decision="allow", passphrase=TYPED))["code"]
    claims = {"client_id": client["client_id"], "exp": int(time.time()) + 200, "jti": secrets.token_hex(8)}
    signed = assertion.sign(claims, client["client_secret"])
    body = {"grant_type": "authorization_code", "code": code, "client_id": client["client_id"], "client_secret": signed}
    http.post("/oauth2/token", data=body)
    answer = http.post("/oauth2/token", data={**body, "code_verifier": VERIFIER}).json()
    http.post("/oauth2/revoke", data={**body, "token": answer["access_token"]})
    shown = assertion.sign({**claims, "jti": "in the URL"}, client["client_secret"])
    link = {"client_id": client["client_id"], "redirect_uri": "https://myapp.com/callback", "scope": "read,list"}
    for secret in (shown, assertion.sign(claims, "x" * 40)):
        browser.open("/oauth2-integration?" + urlencode({**link, "client_secret": secret}))
    cookies = {name: browser.http.cookies[name] for name in ("grantway_user", "grantway_visitor", "grantway_known")}
    tokens = {"access_token": answer["access_token"], "page grant": answer["access_grant"]}
    return {"in the URL": shown, "typed": TYPED, "page code": code, "page jwt": signed, "verifier": VERIFIER, **cookies, **tokens, **portal}


def _asking_about_keys(http: httpx.Client, client: dict[str, str], token: str) -> dict[str, str]:
    """Introspection by a resource server and by the client, in ways that are refused, and findings made of them."""
    now = int(time.time())
    claims = {"iss": client["client_id"], "sub": client["client_id"], "aud": "https://elsewhere.example", "exp": now + 200}
    signed, wrong = assertion.sign(claims, client["client_secret"]), "a secret that was never handed out"
    form = {"token": token, "client_id": client["client_id"]}
    for fields, authorization in (
        ({"client_assertion_type": assertion.TYPE, "client_assertion": signed}, ""),
        ({"client_secret": client["client_secret"]}, ""),
        ({"client_secret": wrong}, ""),
        ({}, "Basic " + b64encode(f"{client['client_id']}:{wrong}".encode()).decode()),
        ({}, f"Bearer {RESOURCE_SERVER}"),
        ({}, f"Bearer {RESOURCE_SERVER}x"),
    ):
        http.post("/oauth2/introspect", data={**form, **fields}, headers={"Authorization": authorization} if authorization else {})
    return {"client_assertion": signed, "wrong secret": wrong, "resource server": RESOURCE_SERVER}


def _as_a_developer(browser: Browser) -> dict[str, str]:
    """The developers' pages: a new app's secret, the one after it, a JWT and a code in a dry run."""
    new, code = "/developer/apps/new", "gwc_a_code_in_a_dry_run"
    browser.open("/developer/sign-in")
    browser.send("/developer/sign-in", email="somebody@example.org", password=PASSWORD)
    browser.open(new)
    browser.send(new, name="Page App", redirect_uris="https://myapp.com/callback")
    client_id, first = re.findall(r"<dd><code>(.+?)</code>", browser.page.text)
    path = f"/developer/apps/{client_id}"
    browser.open(f"{path}/secret")
    browser.send(f"{path}/secret", overlap="0")
    second = re.findall(r"gws_[\w-]+", browser.page.text)[0]
    browser.open(f"{path}/check")
    jwt = assertion.sign({"client_id": client_id, "exp": int(time.time()) + 200}, first)
    browser.send(f"{path}/check", client_secret=jwt, code=code)
    browser.send(f"{path}/check", client_secret=second, code=code)
    passphrase = "a passphrase in a pasted command"
    command = f"X='{passphrase}'\ncurl -u {client_id}:{second} http://x/oauth2/token/{second} -H 'X {second}' --data=@{second} -d"
    browser.send(f"{path}/check", body=f'{command} "grant_type=authorization_code&code={code}&passphrase=$X" -d client_assertion={jwt}')
    assert "About what you pasted" in browser.page.text
    browser.http.post("/api/v0/oauth2/token", json={"client_id": client_id, "client_secret": second, "code": code, "redirect_uri": "x"})
    browser.open(f"{path}/findings?granted=1")
    cookie = browser.http.cookies["grantway_developer"]
    return {
        "first secret": first,
        "second secret": second,
        "dry jwt": jwt,
        "dry code": code,
        "dry passphrase": passphrase,
        "developer cookie": cookie,
    }
