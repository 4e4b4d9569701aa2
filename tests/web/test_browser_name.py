"""What a session list says of a browser: names of ours, whatever a `User-Agent` holds."""

import pytest

from grantway.web.browser_name import MOST_READ, browser_name

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CASES = [
    (f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
    (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
    (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
    (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1.15", "Safari on Mac"),
    (f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} CriOS/140.0 Mobile Safari/604.1", "Chrome on iPhone"),
    (
        f"{MOZILLA} (Linux; Android 15; SM-S921B) {WEBKIT} SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36",
        "Samsung Internet on Android",
    ),
    (f"{MOZILLA} (X11; Linux x86_64) {WEBKIT} Chrome/140.0 Safari/537.36 OPR/120.0", "Opera on Linux"),
    ("curl/8.14.1", "curl"),
    ("python-httpx/0.28", "Python"),
    ("", ""),
    ("<script>alert(1)</script>", ""),
    ("\x00\xff\u202e", ""),
    ("x" * MOST_READ + "Firefox/1", ""),
    ("<b>Firefox/1</b> on\r\nSet-Cookie: Linux", "Firefox on Linux"),
]


@pytest.mark.parametrize(("user_agent", "name"), CASES)
def test_names(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
