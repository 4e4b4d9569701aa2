"""What an app asks for, as it goes over the wire: scopes with spaces between them (RFC 6749 section 3.3)."""

import re
from collections.abc import Iterable
from urllib.parse import quote

_TOKEN = re.compile(r"[!#-\[\]-~]+")


def bucket(name: str, prefix: str = "") -> str:
    """The scope for one bucket, or for what lies under a prefix of it, with percent signs where they are needed."""
    if not name or "/" in name:
        raise ValueError("a bucket has a name without a slash")
    # `Place` has names that are not UTF-8 with surrogates
    place = f"bucket:{quote(name, safe='', errors='surrogateescape')}"
    return f"{place};{quote(prefix.removesuffix('/'), errors='surrogateescape')}/" if prefix.removesuffix("/") else place


def joined(scopes: str | Iterable[str]) -> str:
    """The parameter `scope`. ValueError for none at all, and for one that cannot be sent as it is."""
    asked = scopes.split() if isinstance(scopes, str) else list(scopes)
    if not asked:
        raise ValueError("an app must ask for something, such as read or list")
    if not all(_TOKEN.fullmatch(one) for one in asked):
        raise ValueError("a scope has a character that must be percent-encoded; bucket() makes scopes of any names")
    return " ".join(asked)
