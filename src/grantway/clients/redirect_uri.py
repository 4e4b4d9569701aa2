"""Redirect URIs: which may be registered, and when a requested one is a registered one (contract, section 3; RFC 8252, 9700)."""

import re
from urllib.parse import SplitResult, urlsplit

MAX_LENGTH = 2000

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FORBIDDEN_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "ws", "wss", "ftp"})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_NOWHERE = {
    re.compile(r"#"): "A redirect URI must not have a fragment.",
    re.compile(r"\*"): "A redirect URI must not have a wildcard.",
    re.compile(r",\s*[A-Za-z][A-Za-z0-9+.-]*://"): "Several redirect URIs are a list, not one text with commas.",
    # RFC 3986's characters, but for the fragment's and the wildcard
    re.compile(r"[^A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]|%(?![0-9A-Fa-f]{2})"): (
        "A redirect URI must not have white space, control characters or others that need percent-encoding."
    ),
}
"""What a redirect URI has nowhere, and what is said of it."""
_LOOPBACK_PORT = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?=[/?]|$)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]+\](?::[0-9]*)?")  # urlsplit overlooks what stands before or after the brackets


def fault(uri: str) -> str | None:
    """Why this URI cannot be registered, as a sentence that is safe to show; None when it can."""
    if not uri or len(uri) > MAX_LENGTH:
        return f"A redirect URI has 1 to {MAX_LENGTH} characters."
    for pattern, sentence in _NOWHERE.items():
        if pattern.search(uri):
            return sentence
    try:
        parts = urlsplit(uri)
        return _scheme_fault(uri, parts)
    except ValueError:
        return "A redirect URI must be an absolute URI with a valid host and port."


def _scheme_fault(uri: str, parts: SplitResult) -> str | None:
    # as it was written: `urlsplit` folds its case, and URIs are compared as strings
    scheme = uri.partition(":")[0]
    if not _SCHEME.fullmatch(scheme) or ":" not in uri:
        return "A redirect URI must be absolute and begin with a scheme in lower case."
    if scheme in _FORBIDDEN_SCHEMES:
        return f"A redirect URI must not use the scheme {scheme}."
    if scheme in {"http", "https"}:
        return _web_fault(uri, parts)
    if "@" in parts.netloc:
        return "A redirect URI must not have user information."
    return None if len(uri) > len(scheme) + 1 else "A redirect URI needs something after its scheme."


def _web_fault(uri: str, parts: SplitResult) -> str | None:
    host, port = parts.hostname, parts.port
    well_formed = _IPV6.fullmatch(parts.netloc) if "[" in parts.netloc else _HOST.fullmatch(host or "")
    if not uri.startswith(f"{parts.scheme}://") or not well_formed:
        return "A redirect URI must be an absolute URI with a valid host and port."
    # what stands before the @ passes for the host with whoever reads it (RFC 3986 section 7.6)
    if "@" in parts.netloc:
        return "A redirect URI must not have user information."
    if port == 0 or parts.netloc.endswith(":"):
        return "A redirect URI must be an absolute URI with a valid host and port."
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "A redirect URI must use https, or http to localhost, 127.0.0.1 or [::1]."
    return None


def is_registered(requested: str, registered: tuple[str, ...]) -> bool:
    """Whether the requested URI is registered: exact strings, but that a loopback URI's port is free (RFC 8252 section 7.3)."""
    if requested in registered:
        return True
    # with another port it is a text that nobody checked when it was registered
    if fault(requested) is not None or not _LOOPBACK_PORT.match(requested):
        return False
    return _without_port(requested) in map(_without_port, registered)


def with_parameters(redirect_uri: str, query: str) -> str:
    """The URI with `query` (already encoded) appended to what query it has."""
    # a query of its own must be kept (RFC 6749 section 3.1.2)
    separator = "" if redirect_uri.endswith(("?", "&")) else "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{query}"


def _without_port(uri: str) -> str:
    return _LOOPBACK_PORT.sub(r"\1", uri, count=1)
