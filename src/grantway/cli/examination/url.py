"""The URL that `grantway doctor` is given: taken apart, or what is wrong with it. Decided without I/O."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

TOKEN_PATH = "/api/v0/oauth2/token"  # noqa: S105 - a path, not a secret
_DEFAULT_PORT = {"http": 80, "https": 443}
_PARTS_OF_THE_PATH = [TOKEN_PATH.rsplit("/", cut)[0] if cut else TOKEN_PATH for cut in range(4)]
_PREFIX = re.compile(r"(/[A-Za-z0-9._~%@:+-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to ask: `prefix` is what stands before the contract's paths, mostly empty."""

    is_tls: bool
    host: str
    port: int
    prefix: str

    @property
    def base(self) -> str:
        """The URL without a path, the port only where it is not the usual one."""
        scheme = "https" if self.is_tls else "http"
        return f"{scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL and in `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _DEFAULT_PORT["https" if self.is_tls else "http"]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, so that nobody can listen on the way."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadUrl:
    """What is wrong with the URL and what to do; says nothing of a password that it may hold."""

    evidence: str
    remedy: str


def read(url: str) -> Target | BadUrl:
    """Take a URL apart: `http` or `https`, a host, and any beginning of the token endpoint's path, or a prefix before it."""
    if not url.isprintable() or any(letter in url for letter in " \"'<>\\"):
        return BadUrl(
            evidence="it holds white space, quotes or other characters that no URL has", remedy="Give the bare URL of the server."
        )
    if "://" not in url:
        return BadUrl(evidence="the scheme is missing", remedy="Write http:// or https:// before the host.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return BadUrl(evidence="host or port cannot be read", remedy="Give the URL as scheme, host and port: https://auth.example:10002.")
    return _fault(parts) or _target(parts, port)


def shown(text: str) -> str:
    """The URL as it may be printed: no user, no password, no query."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", text, maxsplit=1)[0])


def _fault(parts: SplitResult) -> BadUrl | None:
    if parts.scheme not in _DEFAULT_PORT:
        return BadUrl(evidence=f"the scheme is {parts.scheme}", remedy="Give an http:// or https:// URL.")
    if "@" in parts.netloc:
        return BadUrl(evidence="there is a user name or password in it", remedy="Leave out what stands before the @.")
    if parts.query or parts.fragment:
        return BadUrl(evidence="there is a query or a fragment in it", remedy="Leave out what begins with ? or #.")
    return None


def _target(parts: SplitResult, port: int | None) -> Target | BadUrl:
    try:
        host = (parts.hostname or "").encode("idna").decode() if not (parts.hostname or "").isascii() else parts.hostname or ""
    except UnicodeError:
        host = ""
    prefix = _prefix(parts.path)
    if not host or port == 0:
        return BadUrl(evidence="the host is missing or cannot be one", remedy="Give the server's host name: https://auth.example.")
    if not _PREFIX.fullmatch(prefix) or ".." in prefix:
        return BadUrl(evidence="its path is none that a server would have", remedy="Leave the path out; the doctor knows it.")
    return Target(is_tls=parts.scheme == "https", host=host, port=port or _DEFAULT_PORT[parts.scheme], prefix=prefix)


def _prefix(path: str) -> str:
    """What stands before the contract's path: `/api/v0` and longer beginnings of it are taken off."""
    path = path.rstrip("/")
    return next((path.removesuffix(part) for part in _PARTS_OF_THE_PATH if part and path.endswith(part)), path)
