"""The doctor run in this process, and the servers that it is sent to: real ones, on free ports of this machine."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import jwt
import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from grantway.cli import doctor as command

SECRET = "2b4719e0" * 8
CLIENT_ID = "e45fa79a-05f5-4f00-bbfe-bd0a14aead0a"
app = typer.Typer(pretty_exceptions_enable=False)
app.command("doctor")(command.doctor)


@dataclass(frozen=True)
class Told:
    """What the doctor said."""

    code: int
    page: str
    tried: str

    @property
    def words(self) -> str:
        """The page without its line ends."""
        return " ".join(self.page.split())

    @property
    def verdict(self) -> str:
        return " ".join(self.page.split("\n\n")[1].split())

    @property
    def remedy(self) -> str:
        return " ".join(self.page.partition("What to do: ")[2].partition("\n\n")[0].split())


Ask = Callable[..., Told]


def asker(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """What runs the doctor; whatever it says, it holds no secret, no session and no JWT, and nothing that a terminal obeys."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def one(url: str, *more: str, client_id: str = CLIENT_ID, secret: str = SECRET, session: str | None = None) -> Told:
        arguments = ["--url", url, "--client-id", client_id, *more]
        environment = {"APP_SECRET": secret}
        if "--secret-file" not in more:
            arguments += ["--secret-env", "APP_SECRET"]
        if session is not None:
            arguments, environment = [*arguments, "--session-env", "SESSION"], {**environment, "SESSION": session}
        ended = CliRunner().invoke(app, arguments, env=environment)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        for hidden in (secret, secret.strip(), session or "none", "eyJ"):
            assert hidden not in ended.output
        assert all(letter.isprintable() for letter in ended.output.replace("\n", ""))
        return Told(ended.exit_code, ended.stdout, ended.stderr)

    return one


Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, bytes], Answer]


class Quiet(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """What a client that hangs up does to a test's server is nobody's concern."""


@contextlib.contextmanager
def answering(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A real HTTP server that answers by that function."""

    class Handling(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, text = handler(self.command, self.path, body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815 - http.server looks for these names

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = Quiet(("127.0.0.1", 0), Handling)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told_in_json(status: int, body: object) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def storx(method: str, path: str, body: bytes, key: str | bytes = SECRET, *, code_first: bool = False) -> Answer:
    """What StorX's own implementation does: 500 for the client's faults, in words of its own, no trace_id."""
    if path != "/api/v0/oauth2/token":
        return 404, {"Content-Type": "text/html"}, b"<html>"
    fields = json.loads(body)
    if fields.get("client_id") != CLIENT_ID:
        return told_in_json(500, {"error": "console: client not found"})
    if code_first:
        return told_in_json(500, {"error": "console: code not found"})
    try:
        jwt.decode(fields["client_secret"], key, algorithms=["HS256"])
    except jwt.PyJWTError:
        return told_in_json(500, {"error": f"signature is invalid: {fields['client_secret']}\x1b[31m\n"})
    return told_in_json(500, {"error": "console: code not found"})


@contextlib.contextmanager
def saying(*pieces: bytes, endless: bool = False) -> Iterator[str]:
    """A server that reads what comes and says these bytes; the last of them for ever if it is endless, else it hangs up."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                while endless:
                    connection.sendall(pieces[-1])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 30) -> tuple[ssl.SSLContext, Path]:
    """A self-signed certificate, good until so many days from now: the server's context, and the file to trust."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    alternative = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    no_password = serialization.NoEncryption()
    both = pem + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    (folder / "both.pem").write_bytes(both)
    (folder / "trusted.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context, folder / "trusted.pem"
