"""Cookies that a neighbour may have planted: a name that is there twice with two values is nobody's (RFC 6265 section 8.6)."""

from grantway.web.call import Call


def one_cookie(call: Call, name: str) -> str:
    """The cookie's value; empty when there is none, or several that differ: which of them is ours cannot be told.

    With https this cannot happen, since no neighbour can set a name that begins with `__Host-`.
    """
    parts = (part.strip().partition("=") for part in call.headers.get("cookie", "").split(";"))
    values = {value.strip() for found, _, value in parts if found.strip() == name}
    return values.pop() if len(values) == 1 else ""
