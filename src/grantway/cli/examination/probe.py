"""One careful request to a server that may be anything: each way of not arriving told apart, nothing endless, no redirect followed."""

import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

from grantway import __version__
from grantway.cli.examination.failure import Failure, Stage, bad_certificate, no_answer, no_connection
from grantway.cli.examination.url import Target

MAX_ANSWER = 64 * 1024
MAX_ADDRESSES = 4

Address = tuple[socket.AddressFamily, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: at most 64 KiB of its body, header names in lower case.

    Its head came `took` seconds after sending began, at `headed` (seconds of `time.monotonic`).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    took: float = 0.0
    headed: float = 0.0

    def header(self, name: str) -> str:
        """A header's value, at most 200 characters of it; empty when it is absent."""
        return self.headers.get(name, "")[:200]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def fields(self) -> Mapping[str, object] | None:
        """The body as a JSON object; None when it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class Probe:
    """Sends requests to one server, each on a connection of its own and each done within `timeout` seconds."""

    def __init__(self, target: Target, timeout: float) -> None:
        self.target = target
        self.seen: dict[Stage, str] = {}
        """What was seen at each stage that was passed."""
        self._timeout = timeout
        self._addresses: list[Address] = []

    def send(self, method: str, path: str, body: object = None, token: str | None = None) -> Reply | Failure:
        """Send one request, JSON where there is a body, and read the answer."""
        deadline = time.monotonic() + self._timeout
        if not self._addresses and (failure := self._resolve()):
            return failure
        connection = self._connected(deadline)
        if isinstance(connection, Failure):
            return connection
        with connection:
            secured = self._secured(connection, deadline) if self.target.is_tls else connection
            if isinstance(secured, Failure):
                return secured
            with secured:
                return self._exchanged(secured, self._request(method, path, body, token), deadline)

    def _resolve(self) -> Failure | None:
        """Look the name up in a thread of its own: the system's resolver knows no timeout."""
        found: list[Any] = []
        target = self.target

        def look_up() -> None:
            try:
                found.append(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                found.append(error)

        thread = threading.Thread(target=look_up, daemon=True)
        thread.start()
        thread.join(self._timeout)
        if not found:
            return Failure(stage=Stage.NAME, evidence=f"no answer within {self._timeout:g} s", remedy="Check this machine's name servers.")
        if isinstance(found[0], Exception):
            return Failure(stage=Stage.NAME, evidence="the name is unknown", remedy=f"Check the host name in the URL: {target.host}.")
        self._addresses = [(family, address) for family, _, _, _, address in found[0]][:MAX_ADDRESSES]
        self.seen[Stage.NAME] = ", ".join(dict.fromkeys(str(address[0]) for _, address in self._addresses))
        return None

    def _connected(self, deadline: float) -> socket.socket | Failure:
        """Connect to the first address that answers."""
        failed: dict[str, OSError] = {}
        for family, address in self._addresses:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                connection.connect(address)
            except OSError as error:
                connection.close()
                failed[str(address[0])] = error
                continue
            elsewhere = f" (nothing answers at {', '.join(failed)})" if failed else ""
            self.seen[Stage.CONNECTION] = f"{address[0]} port {self.target.port}{elsewhere}"
            return connection
        return no_connection(list(failed.values()), self.target.port)

    def _secured(self, connection: socket.socket, deadline: float) -> ssl.SSLSocket | Failure:
        context = ssl.create_default_context()
        try:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            secured = context.wrap_socket(connection, server_hostname=self.target.host)
        except ssl.SSLCertVerificationError as error:
            return bad_certificate(error, self.target.host)
        except TimeoutError:
            return Failure(stage=Stage.TLS, evidence="the server does not shake hands", remedy="Check that this port speaks TLS.")
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "reason", "") or type(error).__name__)
            return Failure(
                stage=Stage.TLS, evidence=f"no TLS here ({reason})", remedy="Check the port, or try http:// if it is a test server."
            )
        ends = (secured.getpeercert() or {}).get("notAfter", "")
        self.seen[Stage.TLS] = f"{secured.version()}, certificate until {ends}"
        return secured

    def _request(self, method: str, path: str, body: object, token: str | None) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {self.target.prefix}{path} HTTP/1.1",
            f"Host: {self.target.authority}",
            f"User-Agent: grantway-doctor/{__version__}",
            "Accept: application/json",
            "Connection: close",
        ]
        lines += [f"Content-Type: application/json\r\nContent-Length: {len(content)}"] if body is not None else []
        lines += [f"Authorization: Bearer {token}"] if token else []
        return "\r\n".join([*lines, "", ""]).encode() + content

    def _exchanged(self, connection: socket.socket, request: bytes, deadline: float) -> Reply | Failure:
        began = time.monotonic()
        try:
            connection.settimeout(max(0.01, deadline - began))
            connection.sendall(request)
            response = HTTPResponse(cast("socket.socket", _UntilDeadline(connection, deadline)), method=request.split(b" ", 1)[0].decode())
            response.begin()
            headed = time.monotonic()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Reply(status=response.status, headers=headers, body=_beginning(response), took=headed - began, headed=headed)
        except (OSError, HTTPException, ValueError) as error:
            return no_answer(error, self._timeout)


class _UntilDeadline:
    """What HTTPResponse asks of a socket: a file to read from, each read of which ends when the whole request must."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._raw = _Raw(connection, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


class _Raw(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def _beginning(response: HTTPResponse) -> bytes:
    """The body's first 64 KiB, or what came of it before it broke off."""
    body = b""
    try:
        while len(body) < MAX_ANSWER and (more := response.read1(MAX_ANSWER - len(body))):
            body += more
    except (OSError, HTTPException, ValueError):
        pass
    return body
