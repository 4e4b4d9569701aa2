"""Which satellite: a node id, which is the hash of its key, and where to reach it (format page, section 6).

Read as Go's `net/url` reads it, but stricter: percent escapes in id and host, which nobody writes, are refused.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_plus

from grantway.access_grant import base58
from grantway.access_grant.errors import Malformed

ID_BYTES = 32

_ID_OF_HOST = {  # hosts of Storj's past; the Go library has the same built in (section 6)
    "us-central-1.tardigrade.io": "12EayRS2V1kEsWESU9QMRseFhdxYxKicsiFmxrsLZHeLUtdps3S",
    "mars.tardigrade.io": "12EayRS2V1kEsWESU9QMRseFhdxYxKicsiFmxrsLZHeLUtdps3S",
    "asia-east-1.tardigrade.io": "121RTSDpyNZVcEU84Ticf2L1ntiuUimbWgfATz21tuvgk3vzoA6",
    "saturn.tardigrade.io": "121RTSDpyNZVcEU84Ticf2L1ntiuUimbWgfATz21tuvgk3vzoA6",
    "europe-west-1.tardigrade.io": "12L9ZFwhzVpuEKMUNUqkaTLGzwY9G24tbiigLiXpmZWKwmcNDDs",
    "jupiter.tardigrade.io": "12L9ZFwhzVpuEKMUNUqkaTLGzwY9G24tbiigLiXpmZWKwmcNDDs",
    "saltlake.tardigrade.io": "1wFTAgs9DP5RSnCqKV1eLf6N9wtk4EAtmN5DpSxcs8EjT69tGE",
    "satellite.stefan-benten.de": "118UWpMCHzs6CvSgWd9BfFVjw5K9pZbJjkfZJexMtSkmKxvvAW",
}
_SCHEME = re.compile(r"storj://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What Go lets stand unescaped in a host, and a port of digits, even of none.
_HOST = re.compile(r"""(?:\[.*\](?::[0-9]*)?|(?!\[)[^:]*(?:.*:[0-9]*)?)""")
_HOST_CHARACTERS = re.compile(r"""[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>"\u0080-\U0010ffff]*""")
# 64 bits take fewer; of thousands of digits `int` would raise an error of its own
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,30}")


def node_id(spki_der: bytes) -> bytes:
    """Compute the id (32 bytes, the last is 0) of the node whose CA key has this DER SubjectPublicKeyInfo."""
    return hashlib.sha256(hashlib.sha256(spki_der).digest()).digest()[:-1] + b"\0"


def format_node_id(node_id: bytes) -> str:
    """Print an id; its last byte is the identity version."""
    return base58.encode_check(node_id[:-1] + b"\0", node_id[-1])


def parse_node_id(text: str) -> bytes:
    """Read a printed id. Raises Malformed. Any version is accepted, and forgotten, as in the Go library."""
    try:
        _, payload = base58.decode_check(text)
    except Malformed as error:
        raise error.within("node id") from None
    if len(payload) != ID_BYTES:
        raise Malformed(f"node id: {len(payload)} bytes instead of {ID_BYTES}")
    return payload[:-1] + b"\0"


@dataclass(frozen=True, slots=True)
class NodeURL:
    """`address` is `host:port`, its port optional; `options` are name and value, sorted, as they stand in the query."""

    node_id: bytes
    address: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `[storj://]ID@host:port[?options]`; Storj's own old hosts need no id. Raises Malformed."""
        presented_id, address, query = _split(text)
        found = bytes(ID_BYTES) if presented_id is None else parse_node_id(presented_id)
        # an id of zeros counts as none
        if not any(found):
            host = address.rpartition(":")[0] if ":" in address else address
            if host not in _ID_OF_HOST:
                raise Malformed("node URL: node id is required")
            found = parse_node_id(_ID_OF_HOST[host])
        return cls(found, address, _options(query))

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.options)
        return f"{format_node_id(self.node_id)}@{self.address}" + (f"?{query}" if query else "")


def _split(text: str) -> tuple[str | None, str, str]:
    """Return (id or None, host and port, query). Path and fragment only have to be well formed."""
    if _CONTROL.search(text):
        raise Malformed("node URL: control character")
    scheme = _SCHEME.match(text)
    # stricter than Go, which accepts one further on (section 5)
    if scheme is None and "://" in text:
        raise Malformed("node URL: scheme is not storj")
    rest, _, fragment = text[scheme.end() if scheme else 0 :].partition("#")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    if _BAD_ESCAPE.search(path) or _BAD_ESCAPE.search(fragment):
        raise Malformed("node URL: broken percent escape")
    presented_id, at, address = authority.rpartition("@")
    if not _HOST_CHARACTERS.fullmatch(address) or not _HOST.fullmatch(address):
        raise Malformed("node URL: host or port is malformed")
    return presented_id if at else None, address, query


def _options(query: str) -> tuple[tuple[str, str], ...]:
    """Normalise the options that mean something, in alphabetical order; zero and empty ones vanish."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        # Go drops a pair that it cannot read, and goes on with the others
        if ";" not in pair and not _BAD_ESCAPE.search(pair):
            name, _, value = pair.partition("=")
            found.setdefault(unquote_plus(name), unquote_plus(value))
    debounce, noise_proto = _integer(found, "debounce"), _integer(found, "noise_proto")
    normal = {
        "debounce": str(debounce) if debounce > 0 else "",
        "f": _features(found.get("f", "")),
        "noise_proto": str(noise_proto) if noise_proto else "",
        "noise_pub": _noise_key(found.get("noise_pub", "")),
    }
    return tuple((name, value) for name, value in normal.items() if value)


def _integer(options: dict[str, str], name: str) -> int:
    text = options.get(name) or "0"
    if not _DECIMAL.fullmatch(text) or not -(1 << 63) <= int(text) < 1 << 63:
        raise Malformed(f"node URL: {name} is not a number")
    return int(text)


def _features(text: str) -> str:
    if text and (not _HEXADECIMAL.fullmatch(text) or int(text, 16) >> 64):
        raise Malformed("node URL: f is not a hexadecimal number")
    return f"{int(text, 16):x}".lstrip("0") if text else ""


def _noise_key(text: str) -> str:
    if not text:
        return ""
    try:
        _, key = base58.decode_check(text)
    except Malformed as error:
        raise error.within("node URL: noise_pub") from None
    return base58.encode_check(key) if key else ""
