"""The demonstration with Photo Box, over HTTP: connect, read what was given, and Ctrl-C ends both."""

import socket
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser
from tests.stories.demonstration import Demonstration, demonstration

VARIANTS = ["authlib", "connect"]


@pytest.fixture(scope="module", params=VARIANTS)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    errors = tmp_path_factory.mktemp("demo") / "errors"
    with demonstration(request.param, errors) as started:
        yield started
        assert started.interrupt() == 0
    assert errors.read_text() == ""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", urlsplit(started.photo_box).port or 0), 5)


@pytest.fixture
def box(demo: Demonstration) -> Iterator[httpx.Client]:
    """A browser at Photo Box."""
    with httpx.Client(base_url=demo.photo_box, timeout=60, verify=NO_TLS) as client:
        yield client


def decided(demo: Demonstration, box: httpx.Client, **values: str) -> str:
    """Press Connect, sign in as told, decide: the callback's URL."""
    asking = box.get("/connect").headers["location"]
    assert asking.startswith(f"{demo.issuer}/oauth2/authorize?")
    browser = Browser(demo.issuer)
    browser.open(asking)
    browser.send("/sign-in", email=demo.email, password=demo.password)
    return str(browser.send("/oauth2/consent", **{"decision": "allow", **values}).headers["location"])


def test_connect(demo: Demonstration, box: httpx.Client) -> None:
    assert "Connect your storage" in box.get("/").text
    callback = decided(demo, box, passphrase="open sesame", lifetime="day")
    back = box.get(callback)
    assert (back.status_code, back.headers["location"]) == (303, "/")
    page = box.get("/").text
    for words in ("download files", "only in the bucket photos", "24 hours from now", "encryption keys", f"{demo.issuer}/connected-apps"):
        assert words in page
    assert page.index("It may not") < page.index("delete files")
    cookie = back.headers["set-cookie"]
    assert cookie.startswith("photo_box=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_less_and_without_a_passphrase(demo: Demonstration, box: httpx.Client) -> None:
    asking = box.get("/connect").headers["location"]
    browser = Browser(demo.issuer)
    browser.open(asking)
    browser.send("/sign-in", email=demo.email, password=demo.password)
    box.get(browser.send("/oauth2/consent", "read", decision="allow", lifetime="hour").headers["location"])
    page = box.get("/").text
    assert "no encryption key" in page
    assert page.index("It may not") < page.index("download files")


def test_denied(demo: Demonstration, box: httpx.Client) -> None:
    assert "You said no" in box.get(decided(demo, box, decision="deny")).text
    assert "Connect your storage" in box.get("/").text


@pytest.mark.parametrize("changed", ["state", "iss", "code"])
def test_a_callback_that_somebody_made_up(demo: Demonstration, box: httpx.Client, changed: str) -> None:
    path, _, query = decided(demo, box).partition("?")
    forged = {**dict(parse_qsl(query)), changed: "<script>alert(1)</script>"}
    answer = box.get(f"{path}?{urlencode(forged)}")
    assert answer.status_code == 400
    assert "<script>" not in answer.text
    assert "Connect your storage" in box.get("/").text


def test_a_callback_in_a_browser_that_asked_for_nothing(demo: Demonstration, box: httpx.Client) -> None:
    callback = decided(demo, box)
    with httpx.Client(timeout=60, verify=NO_TLS) as victim:
        assert victim.get(callback).status_code == 400


def test_the_pages_are_closed_to_others(demo: Demonstration, box: httpx.Client) -> None:
    answer = box.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert box.get("/", headers={"Host": "evil.example"}).status_code == 400
