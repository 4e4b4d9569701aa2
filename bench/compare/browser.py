"""What a browser does for the walks to a code: cookies, and where a redirect leads."""

import re
import urllib.parse

from bench.load import LoadError


def location(head: bytes) -> str:
    """Where this answer's head sends the browser."""
    found = re.search(rb"\r\nlocation: *([^\r]+)", head, re.IGNORECASE)
    if found is None:
        raise LoadError("a redirect that leads nowhere")
    return found[1].decode()


def cookies(head: bytes) -> dict[str, str]:
    """The cookies that it sets."""
    pairs = re.findall(rb"\r\nset-cookie: *([^=]+)=([^;\r]*)", head, re.IGNORECASE)
    return {name.decode(): value.decode() for name, value in pairs}


def cookie(jar: dict[str, str]) -> dict[str, str]:
    """The header that sends them back."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}


def parameter(url: str, name: str) -> str:
    """A parameter of the URL's query."""
    values = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    if name not in values:
        raise LoadError(f"no {name} in the redirect, but {values.get('error', sorted(values))}")
    return values[name][0]
