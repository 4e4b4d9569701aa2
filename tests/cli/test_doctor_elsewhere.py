"""`grantway doctor` against whatever else may answer at a URL: a server like StorX's, other servers, hardly servers."""

import hashlib
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.cli.doctoring import SECRET, Answer, Ask, Handler, answering, asker, certificate, saying, storx, told_in_json
from tests.ports import free_port


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    return asker(monkeypatch)


def test_storx_accepts(ask: Ask) -> None:
    with answering(storx) as url:
        told = ask(url)
        believed = ask(url, "--no-trials")
    assert (told.code, told.verdict) == (0, "The client is accepted: client_id and secret are right.")
    assert "✗ It answers an empty request as the contract says" in told.page
    assert told.tried.startswith("trying a random key")
    assert (believed.code, believed.tried) == (0, "")
    assert "only its words say" in believed.words


STANDARD: dict[str, tuple[Answer, str]] = {
    "refused": (
        told_in_json(401, {"error": "invalid_client", "trace_id": "t1"}),
        "✗ The standard flow knows the client too invalid_client",
    ),
    "an echo": (told_in_json(400, {"error": "x", "error_description": f"{SECRET} \x1b[31m"}), "✗ The standard flow knows the client too x"),
    "broken": ((200, {}, b"<html>"), "· The standard flow knows the client too status 200"),
    "not there": ((404, {}, b""), "· The standard flow knows the client too status 404"),
}


@pytest.mark.parametrize("name", STANDARD)
def test_a_standard_flow_that_does_not_work(ask: Ask, name: str) -> None:
    """The client is accepted all the same: the line says what an OAuth library would run into."""
    answer, line = STANDARD[name]

    def answers(method: str, path: str, body: bytes) -> Answer:
        if path == "/.well-known/oauth-authorization-server":
            return told_in_json(200, {"issuer": issuer[0]})
        return answer if path == "/oauth2/token" else storx(method, path, body)

    issuer: list[str] = []
    with answering(answers) as url:
        issuer.append(url)
        told = ask(url)
    assert told.code == 0
    assert line in told.words


@pytest.mark.parametrize("issuer", [None, 1, "", "https://elsewhere.example\r\n" + "x" * 1000])
def test_metadata_that_are_odd(ask: Ask, issuer: object) -> None:
    def answers(method: str, path: str, body: bytes) -> Answer:
        return told_in_json(200, {"issuer": issuer}) if path.startswith("/.well-known") else storx(method, path, body)

    with answering(answers) as url:
        told = ask(url)
    assert told.code == 0
    assert "The standard flow" not in told.page


STORX_KEYS: dict[str, tuple[str, bytes, str]] = {
    "newline at the server": (SECRET, f"{SECRET}\n".encode(), "with a line end behind it"),
    "hex at the server": (SECRET, bytes.fromhex(SECRET), "takes the secret for hex"),
    "hash at the server": (SECRET, hashlib.sha256(SECRET.encode()).hexdigest().encode(), "the fault is the server's"),
    "white space here": (f" {SECRET}", SECRET.encode(), "white space around it"),
}


@pytest.mark.parametrize("name", STORX_KEYS)
def test_storx_with_another_key(ask: Ask, name: str) -> None:
    given, key, verdict = STORX_KEYS[name]
    with answering(lambda method, path, body: storx(method, path, body, key)) as url:
        told = ask(url, secret=given)
    assert told.code == 1
    assert verdict in told.verdict


def test_storx_refuses(ask: Ask) -> None:
    with answering(storx) as url:
        told = ask(url, secret="another" * 5)
        unknown = ask(url, client_id="nobody-at-all")
    assert told.code == 1
    assert told.remedy == "Regenerate the secret, deploy the new one, and run this again."
    assert "signature is invalid: (masked)" in told.words
    assert unknown.verdict == "The server does not know this client_id."


def test_a_server_that_looks_at_the_code_first_proves_nothing(ask: Ask) -> None:
    with answering(lambda method, path, body: storx(method, path, body, code_first=True)) as url:
        told = ask(url)
    assert told.code == 1
    assert told.verdict.startswith("It cannot be told from outside")


def test_unknown_words_mean_acceptance_if_a_wrong_key_is_refused(ask: Ask) -> None:
    def odd(method: str, path: str, body: bytes) -> Answer:
        status, headers, text = storx(method, path, body)
        return status, headers, text.replace(b"code not found", b"sql: no rows in result set")

    with answering(odd) as url:
        assert ask(url).code == 0
        assert ask(url, "--no-trials").verdict.startswith("Nothing points at you: the server answers 500")


def constant(status: int, text: bytes, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _method, _path, _body: (status, named, text)


JSON = {"Content_Type": "application/json"}
S3 = b'<?xml version="1.0"?><Error><Code>MethodNotAllowed</Code><Message>no</Message></Error>'
OTHERS: dict[str, tuple[Handler, int, str]] = {
    "cookie wanted": (constant(401, b'{"error": "http: named cookie not present"}', **JSON), 1, "wants a user's session"),
    "nginx": (constant(404, b"<html><head><title>404 Not Found</title>", Content_Type="text/html"), 1, "a web page"),
    "to https": (constant(301, b"", Location="https://auth.example/"), 1, "301, to https://auth.example/"),
    "S3": (constant(405, S3, Content_Type="application/xml"), 1, "an S3 gateway"),
    "console": (constant(200, b"<!doctype html><title>Storj Console</title>", Content_Type="text/html"), 1, "a console's page"),
    "other API": (constant(404, b'{"detail": "Not Found"}', **JSON), 1, "no token endpoint"),
    "bad gateway": (constant(502, b"<html>", Content_Type="text/html"), 3, "Not you"),
    "unavailable": (constant(503, b'{"error": "temporarily_unavailable", "trace_id": "abc"}', **JSON), 3, "Not you"),
    "deep": (constant(400, b'{"error":' + b"[" * 50_000, **JSON), 1, "no JSON object"),
    "everything malformed": (constant(400, b'{"error": "invalid_request"}', **JSON), 1, "finds a request malformed"),
    "grants everything": (constant(200, b'{"access_grant": "1"}', **JSON), 1, "It cannot be told"),
    "terminal": (constant(400, b'{"error": "\\u001b[2J\\u0007", "error_description": "\\u202e"}', **JSON), 1, "It cannot be told"),
    "odd headers": (constant(400, b'{"error": "x"}', Date="\x01 never", Retry_After="\x02"), 1, "It cannot be told"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_something_else_listens(ask: Ask, name: str) -> None:
    handler, code, verdict = OTHERS[name]
    with answering(handler) as url:
        told = ask(url)
    assert verdict in told.verdict, told.page
    assert told.code == code
    assert told.remedy


@pytest.mark.parametrize(
    "finding", [[], {"faults": 5}, {"faults": [5]}, {"faults": [{"cause": ["a"], "evidence": 5}]}, {"cause": {}, "faults": [{}]}]
)
def test_a_finding_of_nonsense(ask: Ask, finding: object) -> None:
    def nonsense(method: str, path: str, body: bytes) -> Answer:
        found = "/findings/" in path
        return told_in_json(200, finding) if found else told_in_json(401, {"error": "invalid_client", "trace_id": "abc"})

    with answering(nonsense) as url:
        told = ask(url, "--no-trials", session="gwt_token")
    assert told.code == 1
    assert "do not belong together" in told.verdict


# servers that are hardly servers

HEAD = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
GARBAGE: dict[str, tuple[tuple[bytes, ...], bool, int, str]] = {
    "SSH": ((b"SSH-2.0-OpenSSH_9.6\r\n",), False, 1, "what comes is no HTTP"),
    "bytes": ((bytes(range(256)) * 4,), False, 1, "what comes is no HTTP"),
    "TLS": ((b"\x15\x03\x01\x00\x02\x02\x46",), False, 1, "speaks TLS"),
    "nothing": ((), False, 3, "closes the connection"),
    "endless line": ((b"x" * 65_536,), True, 1, "what comes is no HTTP"),
    "endless header": ((b"HTTP/1.1 200 OK\r\nA: ", b"x" * 65_536), True, 1, "what comes is no HTTP"),
    "endless headers": ((b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 1000), True, 1, "what comes is no HTTP"),
    "endless body": ((HEAD + b"\r\n", b"x" * 65_536), True, 1, "no JSON object"),
    "endless 100s": ((b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,), True, 3, "says nothing within"),
    "chunks of nonsense": ((HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",), False, 1, "no JSON object"),
    "length of nonsense": ((HEAD + b"Content-Length: -5\r\n\r\n{}",), False, 1, "It cannot be told"),
    "cut": ((HEAD + b"Content-Length: 500\r\n\r\n{",), False, 1, "no JSON object"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage(ask: Ask, name: str) -> None:
    pieces, endless, code, verdict = GARBAGE[name]
    with saying(*pieces, endless=endless) as url:
        told = ask(url, "--timeout", "0.5" if verdict == "says nothing within" else "60")
    assert verdict in told.verdict, told.page
    assert told.code == code


def test_a_server_that_never_answers(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = ask(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
        shy = ask(f"https://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
    assert told.code == shy.code == 3
    assert "says nothing within 1 s" in told.verdict
    assert "does not shake hands" in shy.verdict
    assert told.page.count("·") == 4
    assert "✓ The secret looks whole" in told.page


def test_nothing_listens(ask: Ask) -> None:
    port = free_port()
    told = ask(f"http://127.0.0.1:{port}")
    assert (told.code, told.verdict) == (3, f"The server could not be reached: refused: nothing listens on port {port}.")
    assert "✗ A connection opens" in told.page


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b"])
def test_unknown_name(ask: Ask, host: str) -> None:
    told = ask(f"http://{host}", "--timeout", "2")
    assert told.code == 3
    assert "✗ The name resolves" in told.page
    assert "Plain http" in told.words


def test_a_proxy_is_said_to_be_ignored(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://user:hunter22@proxy.example:3128")
    with answering(storx) as url:
        told = ask(url)
    assert told.code == 0
    assert "was ignored here" in told.words
    assert "hunter22" not in told.page


def test_the_session_is_not_sent_in_the_open(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ours(method: str, path: str, body: bytes) -> Answer:
        asked.append(path)
        return told_in_json(401, {"error": "invalid_client", "trace_id": "abc"})

    with answering(ours) as url:
        monkeypatch.setattr("grantway.cli.examination.url.Target.is_loopback", False)
        told = ask(url, "--no-trials", session="gwt_token")
    assert "over plain http the session would be open" in told.words
    assert not [path for path in asked if "findings" in path]


# certificates

CERTIFICATES: dict[str, tuple[dict[str, Any], bool, int, str]] = {
    "good": ({}, True, 0, "The client is accepted"),
    "self-signed": ({}, False, 3, "the certificate is self-signed"),
    "expired": ({"days": -1}, True, 3, "the certificate has expired"),
    "other host": ({"host": "auth.example"}, True, 3, "the certificate is not for 127.0.0.1"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    changes, is_trusted, code, verdict = CERTIFICATES[name]
    context, trusted = certificate(tmp_path, **changes)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with answering(storx, context) as url:
        told = ask(url)
    assert verdict in told.verdict, told.page
    assert told.code == code
    assert ("✓" if code == 0 else "✗") + " The certificate is valid" in told.page


def test_https_where_there_is_only_http(ask: Ask) -> None:
    with answering(storx) as url:
        told = ask(url.replace("http:", "https:"))
    assert told.code == 3
    assert "no TLS here" in told.verdict


def test_http_where_there_is_only_https(ask: Ask, tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with answering(storx, context) as url:
        told = ask(url.replace("https:", "http:"), "--timeout", "2")
    assert told.code in {1, 3}
    assert "✗ Something answers in HTTP" in told.page
