"""Who the app is: what it was given when it was registered, checked once."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Registration:
    """An app at one server. `client_secret` None: a public client, which cannot keep one. ValueError for what cannot be.

    `issuer` is the server's address as its metadata have it, without a slash at its end; https, but on this machine itself.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str

    def __post_init__(self) -> None:
        _check_issuer(self.issuer)
        for name in ("client_id", "client_secret", "redirect_uri"):
            check_text(name, getattr(self, name) or "")
        if not self.client_id:
            raise ValueError("the client_id is empty")
        if self.client_secret is not None and not self.client_secret:
            raise ValueError("the client_secret is empty; a public client has None")
        if not _parts(self.redirect_uri).scheme:
            raise ValueError("the redirect URI must be a whole one, as it was registered")


def check_text(name: str, value: str) -> None:
    """ValueError for a text that UTF-8 cannot hold; Python's own error would carry the whole of it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the {name} holds what no text in UTF-8 has") from None


def _check_issuer(issuer: str) -> None:
    parts = _parts(issuer)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _is_plain(issuer):
        raise ValueError("the issuer must be an http or https URL without user, query or fragment")
    if issuer.endswith("/"):
        raise ValueError("the issuer has no slash at its end: it is compared character for character")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("the issuer must have https: over http everybody on the way reads codes and access grants")


def _is_plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and not set(url) & set(" ?#@\\")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # for its ValueError
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts
