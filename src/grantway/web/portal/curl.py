"""A curl command as the request that it would send. Nothing is run and no file read: what the text alone cannot tell is noted."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote

from grantway.web.dry_run import TokenCall
from grantway.web.form import MEDIA_TYPE
from grantway.web.portal import curl_options, shell

_BOUNDARY = "of-the-dry-run"
_DATA = frozenset({"data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json"})
_PARTS = frozenset({"form", "form-string"})

_FROM_FILE = "What stands behind an @ comes from a file or from standard input, which is not here: paste it in its place."
_CONFIG = "Options from a file (--config) are not here: write them into the command."
_NO_PASSWORD = "curl would ask for the password of --user; write it behind a colon."  # noqa: S105 - no password
_NO_COLON = "A header without a colon is not sent by curl: write it as 'Name: value'."
_EQUALS = "curl takes a long option's value behind a space, not behind an equals sign."
_LEFT_OUT = "Whatever such options change about the request is left out here."


@dataclass(frozen=True, slots=True)
class Said:
    """One option by its long name (`-` and its letter when it has none), or an argument, which is called `url`; or `behind`, where it
    follows an option that nobody knows, and may be its value."""

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
    left, is_behind = iter(words), False
    for word in left:
        if word.startswith("-") and len(word) > 1:
            options = list(_long(word[2:], left) if word.startswith("--") else _short(word[1:], left))
            is_behind = bool(options) and not curl_options.is_known(options[-1].name)
            yield from options
        else:
            yield Said("behind" if is_behind else "url", word)
            is_behind = False


def _long(name: str, left: Iterator[str]) -> Iterator[Said]:
    if name:
        yield Said(name, next(left, "") if curl_options.takes_value(name) else "")


def _short(letters: str, left: Iterator[str]) -> Iterator[Said]:
    """`-sSXPOST`: letters together, of which the first that takes a value has the rest, or the next word. So might one that is unknown."""
    for at, letter in enumerate(letters, 1):
        name = curl_options.SHORT.get(letter, f"-{letter}")
        if curl_options.takes_value(name):
            yield Said(name, letters[at:] or next(left, ""))
            return
        yield Said(name, "")
        if not curl_options.is_known(name):
            return


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
    behind = [one.value for one in said if one.name == "behind"]
    # what may be a value must look like it: a URL is shown
    url = next((one for one in named if "://" in one or "/token" in one), "")
    url = url or next((one for one in behind if "/token" in one), named[0] if named else "")
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
        if _is_of_file(one):
            yield _FROM_FILE
        elif one.name == "header" and ":" not in one.value and not one.value.endswith(";"):
            yield _NO_COLON
        elif one.name == "config":
            yield _CONFIG
        elif _has_equals(one):
            yield f"--{one.name.partition('=')[0]}=…: {_EQUALS}"
    if user is not None and ":" not in user:
        yield _NO_PASSWORD
    if names := _not_looked_at(said):
        more = f" and {len(names) - curl_options.MOST_NAMED} more" if len(names) > curl_options.MOST_NAMED else ""
        yield f"Not looked at: {', '.join(names[: curl_options.MOST_NAMED])}{more}. {_LEFT_OUT}"


def _not_looked_at(said: Sequence[Said]) -> list[str]:
    """The options that were passed over, each once."""
    passed = (one.name for one in said if one.name != "behind" and not curl_options.is_looked_at(one.name) and not _has_equals(one))
    return list(dict.fromkeys(map(curl_options.named, passed)))


def _has_equals(one: Said) -> bool:
    """Whether a long option's value stands where curl does not take it."""
    long, equals, _ = one.name.partition("=")
    return bool(equals) and curl_options.takes_value(long)


def _is_of_file(one: Said) -> bool:
    if one.name == "form":
        return _split(one.value)[2][:1] in {"@", "<"}
    if one.name == "data-urlencode":
        return "=" not in one.value and "@" in one.value
    return one.value.startswith("@") and one.name in {"header", *_DATA} - {"data-raw"}
