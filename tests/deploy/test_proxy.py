"""nginx and Caddy in front of a real server, with the files that operators copy."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.deploy import files
from tests.deploy.started import Started, path, started
from tests.no_tls import NO_TLS
from tests.ports import free_port
from tests.stories.process import COMMAND

from grantway.web.path_app import MAX_BODY

TOKEN = "token-of-the-metrics"
SECRET = "what-is-never-logged"
SIGN_IN, REGISTER = "/api/v0/auth/token", "/api/v0/auth/register"


def certificate(folder: Path) -> Path:
    """Write a certificate for localhost, signed by itself, and its key; the certificate."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1), now + timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "fullchain.pem", folder / "privkey.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*encoding))
    return chain


def changed(name: str, **changes: str) -> str:
    """The operator's file with what an operator changes; each thing must be there."""
    text = (files.DEPLOY / "proxy" / name).read_text("utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def nginx(folder: Path, https: int, http: int, server: str) -> list[str]:
    changes = {
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen [::]:80;": "",
        "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
        "listen [::]:443 ssl;": "",
        "server 127.0.0.1:10002;": f"server {server};",
        "/etc/letsencrypt/live/login.example.org": str(folder),
        "/var/log/nginx": str(folder),
        "login.example.org": "localhost",
    }
    (folder / "grantway.conf").write_text(changed("nginx.conf", **changes))
    main = folder / "main.conf"
    places = "".join(f"{one}_temp_path {folder}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main.write_text(f"pid {folder}/pid;\nevents {{}}\nhttp {{\ngzip on;\n{places}include {folder}/grantway.conf;\n}}\n")
    command = ["nginx", "-e", str(folder / "errors"), "-p", str(folder), "-c", str(main)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=60, check=False)
    assert (tried.returncode, "warn" in tried.stderr) == (0, False), tried.stderr
    return [*command, "-g", "daemon off;"]


def caddy(folder: Path, https: int, http: int, server: str) -> list[str]:
    changes = {"login.example.org {": f"localhost {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem", "127.0.0.1:10002": server}
    changes["{\n\t#"] = f"{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\thttps_port {https}\n\thttp_port {http}\n\tskip_install_trust\n\t#"
    file = folder / "Caddyfile"
    file.write_text(changed("Caddyfile", **changes))
    command = ["--adapter", "caddyfile", "--config", str(file)]
    environment = {"HOME": str(folder), "PATH": path()}
    tried = subprocess.run(["caddy", "validate", *command], capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert tried.returncode == 0, tried.stderr
    return ["caddy", "run", *command]


@contextmanager
def in_front(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """The proxy, once it listens; ended with the block."""
    with (folder / "said").open("w") as said:
        popen = subprocess.Popen(command, stdout=said, stderr=said, env={"HOME": str(folder), "PATH": path()})
    try:
        for _ in range(500):
            with socket.socket() as one:
                one.settimeout(1)
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert popen.poll() is None, (folder / "said").read_text()
            with pytest.raises(subprocess.TimeoutExpired):
                popen.wait(0.02)
        yield
    finally:
        popen.terminate()
        popen.wait(30)


MAKES: dict[str, Callable[[Path, int, int, str], list[str]]] = {"nginx": nginx, "caddy": caddy}


@dataclass
class Site:
    """What somebody at the public URL sees, the same over plain HTTP, and the server behind."""

    http: httpx.Client
    plain: str
    server: Started


@pytest.fixture(params=MAKES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not there (Debian: {request.param})")
    chain = certificate(tmp_path)
    https, http = free_port(), free_port()
    environment = {
        "PATH": path(),
        "GRANTWAY_PORT": "0",
        "GRANTWAY_DATA": str(tmp_path / "data"),
        "GRANTWAY_ISSUER": f"https://localhost:{https}",
        "GRANTWAY_TRUSTED_PROXIES": "127.0.0.1",
        "GRANTWAY_SIGN_INS_PER_MINUTE": "1",
        "GRANTWAY_METRICS_TOKEN": TOKEN,
    }
    with started([*COMMAND, "serve"], environment, tmp_path / "log") as server:
        command = MAKES[request.param](tmp_path, https, http, server.url.removeprefix("http://"))
        trusting = ssl.create_default_context(cafile=str(chain))
        with in_front(command, tmp_path, https), httpx.Client(base_url=f"https://localhost:{https}", verify=trusting, timeout=60) as client:
            yield Site(client, f"http://localhost:{http}", server)


def test_a_proxy_hands_on_what_it_should(site: Site, tmp_path: Path) -> None:
    """One story for each proxy: a page over https, headers that are forged, metrics, sizes, a server that is away, the logs."""
    # 1. over https, with the cookie that only https gets, and not compressed
    page = site.http.get("/sign-in", headers={"Accept-Encoding": "gzip, zstd, br"})
    assert page.status_code == 200
    assert "content-encoding" not in page.headers
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert page.headers["set-cookie"].startswith("__Host-")
    sent_on = httpx.get(f"{site.plain}/sign-in?return=1", timeout=60, verify=NO_TLS)
    assert sent_on.status_code == 308
    assert re.fullmatch(r"https://localhost(:\d+)?/sign-in\?return=1", sent_on.headers["location"])
    # 2. an address that the caller makes up does not count
    who = {"email": "nobody@example.org", "password": "wrong password"}
    answers = [site.http.post(SIGN_IN, json=who, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(3)]
    assert answers == [401, 429, 429]
    # 3. what is not for everybody
    assert site.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404
    # 4. as large as the server takes; a little larger is refused in the server's own words
    sizes = [
        site.http.post(REGISTER, content=b" " * size, headers={"Content-Type": "application/json"}) for size in (MAX_BODY, MAX_BODY + 1)
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer in sizes] == [(400, "invalid_request")] * 2
    assert ["larger than" in answer.text for answer in sizes] == [False, True]
    long = site.http.get("/oauth2/authorize", params={"scope": "x" * 30_000, "state": SECRET})
    assert long.status_code not in {414, 431, 502}
    # 5. a server that is away is said, and nobody's log has what stood in a URL
    assert site.server.stop(30) == 0
    assert (
        site.http.get("/oauth2/authorize", params={"state": SECRET}, headers={"Referer": f"https://x.example/{SECRET}"}).status_code == 502
    )
    logs = {file.name: file.read_text() for file in tmp_path.iterdir() if file.is_file() and file.suffix != ".pem"}
    assert not [name for name, text in logs.items() if SECRET in text]
    assert any("/oauth2/authorize" in text for text in logs.values())
