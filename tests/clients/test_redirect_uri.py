"""Redirect URIs: what may be registered, what is registered, and what is appended. Each row changes one thing about one that works."""

import pytest

from grantway.clients.redirect_uri import MAX_LENGTH, fault, is_registered, with_parameters

ALLOWED = [
    "https://app.example/callback",
    "https://app.example",
    "https://app.example:8443/cb?tenant=1&x=%20",
    "https://app.example./cb",
    "https://10.0.0.1/cb",
    "https://[2001:db8::1]:8443/cb",
    "https://xn--bcher-kva.example/cb",
    "http://localhost/cb",
    "http://localhost:3000/cb",
    "http://127.0.0.1:8080/cb",
    "http://[::1]/cb",
    "http://[::1]:3000/cb",
    "com.example.app:/cb",
    "com.example.app:/cb?x=1",
    "photosync://cb",
    "photo-sync+2://cb/x",
    "https://app.example/@me",
    "https://app.example/cb?mail=a@b.example",
    "https://app.example/" + "a" * (MAX_LENGTH - len("https://app.example/")),
]

REFUSED = {
    "empty": "",
    "too long": "https://app.example/" + "a" * MAX_LENGTH,
    "no scheme": "app.example/callback",
    "relative": "/callback",
    "no authority": "https:app.example",
    "one slash": "https:/app.example/cb",
    "three slashes": "https:///app.example/cb",
    "scheme-relative": "//app.example/cb",
    "upper-case scheme": "HTTPS://app.example/cb",
    "mixed-case own scheme": "PhotoSync://cb",
    "upper-case javascript": "JavaScript:alert(1)",
    "scheme alone": "photosync:",
    "scheme begins with a digit": "1app://cb",
    "underscore in scheme": "photo_sync://cb",
    "percent in scheme": "java%73cript:alert(1)",
    "http elsewhere": "http://app.example/cb",
    "http to a host that begins like loopback": "http://localhost.evil.example/cb",
    "http to a host that ends like loopback": "http://evil-localhost/cb",
    "http to an address that begins like loopback": "http://127.0.0.1.evil.example/cb",
    "http to loopback with a dot at its end": "http://localhost./cb",
    "http to loopback, short": "http://127.1/cb",
    "http to loopback, decimal": "http://2130706433/cb",
    "http to loopback, another of its addresses": "http://127.0.0.2/cb",
    "http to loopback, IPv6 written long": "http://[0:0:0:0:0:0:0:1]/cb",
    "http to loopback, mapped": "http://[::ffff:127.0.0.1]/cb",
    "http to loopback as userinfo": "http://127.0.0.1@evil.example/cb",
    "http to loopback with port as userinfo": "http://localhost:80@evil.example/cb",
    "text before the brackets": "http://evil.example[::1]/cb",
    "text after the brackets": "http://[::1]evil.example/cb",
    "text after the brackets, a subdomain": "http://[::1].evil.example/cb",
    "https, text after the brackets": "https://[2001:db8::1]evil.example/cb",
    "http to the network": "http://0.0.0.0/cb",
    "userinfo": "https://user@app.example/cb",
    "userinfo with password": "https://user:pass@app.example/cb",
    "empty userinfo": "https://@app.example/cb",
    "userinfo of an own scheme": "photosync://user@cb",
    "fragment": "https://app.example/cb#x",
    "empty fragment": "https://app.example/cb#",
    "wildcard host": "https://*.app.example/cb",
    "two of them": "https://app.example/cb,https://app.example/cb2",
    "two of them, white space": "https://app.example/cb, com.example.app://cb",
    "wildcard path": "https://app.example/*",
    "space": "https://app.example/c b",
    "leading space": " https://app.example/cb",
    "trailing space": "https://app.example/cb ",
    "tab": "https://app.example/c\tb",
    "newline at its end": "https://app.example/cb\n",
    "carriage return": "https://app.example/cb\r\nLocation: x",
    "zero byte": "https://app.example/\x00",
    "delete": "https://app.example/\x7f",
    "non-breaking space": "https://app.example/\u00a0",
    "zero-width space": "https://app.example/\u200b",
    "lone surrogate": "https://app.example/\ud800",
    "backslash for slash": "https:\\\\app.example\\cb",
    "backslash before at": "https://app.example\\@evil.example",
    "quote": 'https://app.example/"',
    "angle brackets": "https://app.example/<script>",
    "caret": "https://app.example/^",
    "IDN, not encoded": "https://bücher.example/cb",
    "full-width dot": "https://app。example/cb",
    "unicode path": "https://app.example/é",
    "percent alone": "https://app.example/%",
    "percent cut": "https://app.example/%4",
    "percent, no hex": "https://app.example/%zz",
    "percent in host": "https://app%2eexample/cb",
    "percent-encoded slash in host": "https://app.example%2f.evil.example/cb",
    "no host": "https:///cb",
    "no host, port": "https://:443/cb",
    "host is a dot": "https://./cb",
    "host begins with a hyphen": "https://-app.example/cb",
    "port 0": "https://app.example:0/cb",
    "port 0 on loopback": "http://localhost:0/cb",
    "port 70000": "https://app.example:70000/cb",
    "port negative": "https://app.example:-1/cb",
    "port no number": "https://app.example:http/cb",
    "port empty": "https://app.example:/cb",
    "two ports": "https://app.example:80:80/cb",
    "brackets not closed": "https://[::1/cb",
    "brackets round a name": "https://[app.example]/cb",
    "brackets empty": "https://[]/cb",
    **{
        f"scheme {scheme}": f"{scheme}:{rest}"
        for scheme, rest in {
            "javascript": "alert(1)",
            "data": "text/html,x",
            "vbscript": "x",
            "file": "///etc/passwd",
            "blob": "https://app.example/x",
            "about": "blank",
            "filesystem": "https://app.example/x",
            "ws": "//app.example/cb",
            "wss": "//app.example/cb",
            "ftp": "//app.example/cb",
        }.items()
    },
}


@pytest.mark.parametrize("uri", ALLOWED)
def test_allowed(uri: str) -> None:
    assert fault(uri) is None
    assert is_registered(uri, (uri,))


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    said = fault(REFUSED[name])
    assert said is not None
    assert not REFUSED[name] or REFUSED[name] not in said


REGISTERED = [
    ("https://app.example/cb", "https://app.example/cb", True),
    ("https://app.example/cb/", "https://app.example/cb", False),
    ("https://app.example/cb?x=1", "https://app.example/cb", False),
    ("https://app.example:443/cb", "https://app.example/cb", False),
    ("https://APP.example/cb", "https://app.example/cb", False),
    ("https://app.example/CB", "https://app.example/cb", False),
    ("https://app.example/c%62", "https://app.example/cb", False),
    ("https://app.example/x/../cb", "https://app.example/cb", False),
    ("http://app.example/cb", "https://app.example/cb", False),
    ("https://app.example/cb\n", "https://app.example/cb", False),
    ("http://localhost:5/cb", "http://localhost/cb", True),
    ("http://localhost/cb", "http://localhost:5/cb", True),
    ("http://localhost:65535/cb", "http://localhost:5/cb", True),
    ("http://127.0.0.1:5/cb", "http://127.0.0.1:6/cb", True),
    ("http://[::1]:5/cb", "http://[::1]/cb", True),
    ("http://localhost:5", "http://localhost", True),
    ("http://localhost:5?x=1", "http://localhost?x=1", True),
    ("http://127.0.0.1:5/cb", "http://localhost/cb", False),
    ("http://LOCALHOST:5/cb", "http://localhost/cb", False),
    ("http://localhost:5/cb/", "http://localhost/cb", False),
    ("http://localhost:5/cb?x=1", "http://localhost/cb", False),
    ("http://localhost:0/cb", "http://localhost/cb", False),
    ("http://localhost:70000/cb", "http://localhost/cb", False),
    ("http://localhost:/cb", "http://localhost/cb", False),
    ("http://localhost:5/cb#x", "http://localhost/cb", False),
    ("http://localhost:5@evil.example/cb", "http://localhost/cb", False),
    ("http://localhost.evil.example:5/cb", "http://localhost/cb", False),
    ("https://localhost:5/cb", "https://localhost/cb", False),
    ("http://localhost:5/cb\n", "http://localhost/cb", False),
    ("photosync://cb:5", "photosync://cb", False),
]


@pytest.mark.parametrize(("requested", "registered", "expected"), REGISTERED)
def test_is_registered(requested: str, registered: str, expected: bool) -> None:
    assert is_registered(requested, ("https://other.example", registered)) is expected
    assert not is_registered(requested, ())


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://app.example/cb", "https://app.example/cb?code=1"),
        ("https://app.example/cb?x=1", "https://app.example/cb?x=1&code=1"),
        ("https://app.example/cb?", "https://app.example/cb?code=1"),
        ("https://app.example/cb?x=1&", "https://app.example/cb?x=1&code=1"),
        ("https://app.example", "https://app.example?code=1"),
        ("com.example.app:/cb", "com.example.app:/cb?code=1"),
    ],
)
def test_parameters_are_appended(uri: str, expected: str) -> None:
    assert with_parameters(uri, "code=1") == expected
