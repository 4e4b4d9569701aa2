"""The grammar of one scope: `read`, `bucket:NAME`, `bucket:NAME;PREFIX` (contract, section 4)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote_from_bytes, unquote_to_bytes

_TOKEN = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLACE = "bucket:"
_PREFIX = "prefix:"


class ScopeError(ValueError):
    """A scope that is not understood; `cause` is `scope_unknown` or `scope_syntax`, the message says what is wrong."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class ActionScope(StrEnum):
    """What an app may do."""

    READ = "read"
    WRITE = "write"
    LIST = "list"
    DELETE = "delete"
    LOCK = "lock"


_ACTIONS = {action.value: action for action in ActionScope}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an app may do it: a bucket, or what lies under a prefix of it. Both are bytes, as object keys are.

    `prefix` has no trailing slash; empty means the whole bucket.
    """

    bucket: bytes
    prefix: bytes = b""

    def within(self, other: "Place") -> bool:
        """Whether all of this place lies in the other one, component by component: `a/bc` is not within `a/b`."""
        if self.bucket != other.bucket:
            return False
        return not other.prefix or (self.prefix + b"/").startswith(other.prefix + b"/")

    def __str__(self) -> str:
        """The scope that names this place, percent-encoded where needed."""
        bucket = quote_from_bytes(self.bucket, safe="")
        # with a slash at its end, because one is dropped in reading: a prefix may end in slashes of its own
        return f"{_PLACE}{bucket};{quote_from_bytes(self.prefix)}/" if self.prefix else f"{_PLACE}{bucket}"


def parse(text: str) -> ActionScope | Place:
    """Read one scope. ScopeError names the cause; unknown scopes are refused, not ignored."""
    if action := _ACTIONS.get(text):
        return action
    if not text.startswith(_PLACE):
        raise ScopeError("scope_unknown", "A scope is unknown; there are read, write, list, delete, lock and bucket:NAME;PREFIX.")
    # in StorX's lists commas stand between scopes: one within a scope would make two of it
    if not _TOKEN.fullmatch(text) or "," in text or _BAD_PERCENT.search(text):
        raise ScopeError("scope_syntax", "A bucket scope has a character that must be percent-encoded.")
    return _place(text.removeprefix(_PLACE))


def _place(text: str) -> Place:
    bucket_text, *rest = text.split(";")
    # StorX drops such a prefix, which opens the whole bucket
    if len(rest) > 1:
        raise ScopeError("scope_syntax", "A bucket scope has more than one semicolon; write %3B for one that belongs to the prefix.")
    bucket = unquote_to_bytes(bucket_text)
    if not bucket or b"/" in bucket:
        raise ScopeError("scope_syntax", "A bucket scope needs a bucket name without a slash.")
    # both spellings are the contract's: StorX's comment has the one with `prefix:`, its code the other
    prefix = unquote_to_bytes(rest[0].removeprefix(_PREFIX)) if rest else b""
    return Place(bucket, prefix.removesuffix(b"/"))  # one, as Share does (format page, section 9)
