"""A curl command as the request that it would send. Nothing is run and no file read: what the text alone cannot tell is noted."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote

from grantway.web.dry_run import TokenCall
from grantway.web.form import MEDIA_TYPE
from grantway.web.portal import shell

_BOUNDARY = "of-the-dry-run"
_TAKE_VALUES = """\
abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to continue-at cookie
cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw data-urlencode delegation dns-interface
dns-servers doh-url dump-header engine expect100-timeout form form-string happy-eyeballs-timeout-ms header hsts interface json
keepalive-time key key-type limit-rate local-port login-options max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer
output output-dir parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-header proxy-user quote
range rate referer request request-target resolve retry retry-delay retry-max-time service-name socks4 socks4a socks5
socks5-hostname speed-limit speed-time stderr time-cond tls-max tls13-ciphers trace trace-ascii unix-socket upload-file url
url-query user user-agent variable write-out
"""
_VALUED = frozenset(_TAKE_VALUES.split())
_SHORT = {
    "A": "user-agent", "b": "cookie", "c": "cookie-jar", "C": "continue-at", "d": "data", "D": "dump-header", "e": "referer", "E": "cert",
    "F": "form", "G": "get", "H": "header", "I": "head", "K": "config", "m": "max-time", "o": "output", "Q": "quote", "r": "range",
    "T": "upload-file", "u": "user", "U": "proxy-user", "w": "write-out", "x": "proxy", "X": "request", "y": "speed-time",
    "Y": "speed-limit", "z": "time-cond",
}  # fmt: skip
_DATA = frozenset({"data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json"})
_PARTS = frozenset({"form", "form-string"})

_FROM_FILE = "What stands behind an @ comes from a file or from standard input, which is not here: paste it in its place."
_CONFIG = "Options from a file (--config) are not here: write them into the command."
_NO_PASSWORD = "curl would ask for the password of --user; write it behind a colon."  # noqa: S105 - no password
_NO_COLON = "A header without a colon is not sent by curl: write it as 'Name: value'."
_EQUALS = "curl takes a long option's value behind a space, not behind an equals sign."


@dataclass(frozen=True, slots=True)
class Said:
    """One option by its long name, or an argument, which is called `url`."""

    name: str
    value: str


def read(text: str) -> TokenCall | None:
    """The request of the first curl command in the text; None when there is none."""
    if "curl" not in text:
        return None
    found = shell.read(text)
    words = next((words[at + 1 :] for words in found.commands for at, word in enumerate(words) if _is_curl(word)), None)
    return None if words is None else _call(list(_said(words)), found.notes)


def _is_curl(word: str) -> bool:
    return word.rpartition("/")[2].rpartition("\\")[2] in {"curl", "curl.exe"}


def _said(words: Sequence[str]) -> Iterator[Said]:
    left = iter(words)
    for word in left:
        if word.startswith("--") and len(word) > 2:
            name = word[2:]
            yield Said(name, next(left, "") if name in _VALUED else "")
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word[1:], left)
        elif word != "--":
            yield Said("url", word)


def _short(letters: str, left: Iterator[str]) -> Iterator[Said]:
    """`-sSXPOST`: letters together, of which the first that takes a value has the rest, or the next word."""
    for at, letter in enumerate(letters, 1):
        name = _SHORT.get(letter, "")
        if name in _VALUED:
            yield Said(name, letters[at:] or next(left, ""))
            return
        yield Said(name, "")


def _call(said: Sequence[Said], notes: Sequence[str]) -> TokenCall:
    last = {one.name: one.value for one in said}
    url, user = _url(said, last.get("user"))
    pieces = [_piece(one) for one in said if one.name in _DATA]
    parts = [one.value for one in said if one.name in _PARTS]
    data = ("" if "json" in last else "&").join(pieces)
    body, kind = (_multipart(parts), f"multipart/form-data; boundary={_BOUNDARY}") if parts else (data, MEDIA_TYPE)
    sends = bool(pieces or parts)
    own = [("Content-Type", "application/json" if "json" in last else kind)] if sends and "get" not in last else []
    own += [("Authorization", f"Bearer {last['oauth2-bearer']}")] if "oauth2-bearer" in last else []
    own += [("Authorization", f"Basic {base64.b64encode(user.encode('utf-8', 'replace')).decode()}")] if user is not None else []
    if "get" in last and data:
        url, body = f"{url}{'&' if '?' in url else '?'}{data}", ""
    usual = "HEAD" if "head" in last else "POST" if sends and "get" not in last else "GET"
    return TokenCall(
        method=last.get("request") or usual,
        url=url,
        headers=_headers([one.value for one in said if one.name == "header"], own),
        body=body.encode("utf-8", "replace"),
        notes=(*notes, *dict.fromkeys(_doubts(said, user))),
    )


def _url(said: Sequence[Said], user: str | None) -> tuple[str, str | None]:
    """The URL without what it says of the user, and the user of --user, or of the URL."""
    named = [one.value for one in said if one.name == "url"]
    # the value of an option that is not known here is no URL
    url = next((one for one in named if "://" in one or "/token" in one), named[0] if named else "")
    url = url if "://" in url or not url else f"http://{url}"
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    within, at, host = authority.rpartition("@")
    return f"{scheme}{mark}{host}{slash}{path}", unquote(within) if at and user is None else user


def _piece(one: Said) -> str:
    if one.name != "data-urlencode":
        return "" if one.value.startswith("@") and one.name != "data-raw" else one.value
    name, equals, content = one.value.partition("=")
    if not equals:
        name, at, _ = one.value.partition("@")
        return f"{name}=" if at and name else "" if at else quote_plus(one.value)
    return f"{name}={quote_plus(content)}" if name else quote_plus(content)


def _multipart(parts: Sequence[str]) -> str:
    made = (f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, _, value in map(_split, parts))
    return f"{''.join(made)}--{_BOUNDARY}--\r\n"


def _split(part: str) -> tuple[str, str, str]:
    return part.partition("=")


def _headers(given: Sequence[str], own: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of --header, which stand instead of curl's own of the same name; `Name:` alone takes that away."""
    named = [(name.strip(), value.strip()) for name, colon, value in (one.partition(":") for one in given) if colon]
    there = {name.lower() for name, _ in named}
    kept = [(name, value) for name, value in own if name.lower() not in there]
    return (*((name, value) for name, value in named if name and value), *kept)


def _doubts(said: Sequence[Said], user: str | None) -> Iterator[str]:
    """What the text alone does not tell, and what curl would not send as it is meant."""
    for one in said:
        long, equals, _ = one.name.partition("=")
        if _is_of_file(one):
            yield _FROM_FILE
        elif one.name == "header" and ":" not in one.value and not one.value.endswith(";"):
            yield _NO_COLON
        elif one.name == "config":
            yield _CONFIG
        elif equals and long in _VALUED:
            yield f"--{long}=…: {_EQUALS}"
    if user is not None and ":" not in user:
        yield _NO_PASSWORD


def _is_of_file(one: Said) -> bool:
    if one.name == "form":
        return _split(one.value)[2][:1] in {"@", "<"}
    if one.name == "data-urlencode":
        return "=" not in one.value and "@" in one.value
    return one.value.startswith("@") and one.name in {"header", *_DATA} - {"data-raw"}
