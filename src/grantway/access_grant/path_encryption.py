"""Paths as the satellite sees them: every component encrypted by the key of its parent (format page, section 9).

The same component under the same parent always encrypts to the same bytes: that is what makes prefixes comparable.
"""

import hmac
import re
from collections.abc import Iterable
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from grantway.access_grant import secret_box
from grantway.access_grant.errors import Malformed, NotPermitted

# AES-256, whatever a comment in Storj's source says
KEY_BYTES = 32

_GCM_NONCE_BYTES = 12
_EMPTY, _NOT_EMPTY = b"\1", b"\2"
# In this order no step escapes what an earlier one wrote.
_ESCAPES = (
    (b"\x01", b"\x01\x02"),
    (b"\x00", b"\x01\x01"),
    (b"\xfe", b"\xfe\x01"),
    (b"\xff", b"\xfe\x02"),
    (b".", b".\x01"),
    (b"/", b".\x02"),
)
_PLAIN_OF = {escaped: plain for plain, escaped in _ESCAPES}
_ESCAPED = re.compile(rb"[\x01.\xfe][\x01\x02]")
_WELL_ESCAPED = re.compile(rb"(?:[^\x00\x01./\xfe\xff]|[\x01.\xfe][\x01\x02])*+", re.DOTALL)


class PathCipher(IntEnum):
    """How path components are encrypted; the numbers are those of the protobuf enum."""

    UNSPECIFIED = 0  # can be read and kept, but encrypts nothing
    NULL = 1
    AES_GCM = 2
    SECRET_BOX = 3


def split(path: bytes) -> tuple[bytes, ...]:
    """Return the components. Empty ones count: `a/` has two. The empty path has none."""
    return tuple(path.split(b"/")) if path else ()


def child(key: bytes, component: bytes) -> bytes:
    """Derive the 32-byte key of a component from its parent's; of a bucket from the root key."""
    return _derive(key, b"path:" + component)


def path_key(key: bytes, components: Iterable[bytes]) -> bytes:
    """Walk down from `key` over plain components."""
    for component in components:
        key = child(key, component)
    return key


def content_key(path_key: bytes) -> bytes:
    """Derive the key of an object's content from the key of its full path."""
    return _derive(path_key, b"content")


def encrypt_path(path: bytes, key: bytes, cipher: PathCipher) -> bytes:
    """Encrypt a plain path below the place that `key` belongs to. Raises NotPermitted for a cipher that cannot encrypt."""
    return b"/".join(encrypt_components(split(path), key, cipher))


def decrypt_path(path: bytes, key: bytes, cipher: PathCipher) -> bytes:
    """Undo `encrypt_path`. Raises Malformed when the path does not decrypt."""
    return b"/".join(decrypt_components(split(path), key, cipher))


def encrypt_components(components: Iterable[bytes], key: bytes, cipher: PathCipher) -> list[bytes]:
    """Do the same for a path that is split already."""
    out = []
    for component in components:
        out.append(encrypt_component(component, key, cipher))
        key = child(key, component)
    return out


def decrypt_components(components: Iterable[bytes], key: bytes, cipher: PathCipher) -> list[bytes]:
    """Do the same for a path that is split already."""
    out: list[bytes] = []
    for encrypted in components:
        out.append(decrypt_component(encrypted, key, cipher))
        key = child(key, out[-1])
    return out


def encrypt_component(component: bytes, key: bytes, cipher: PathCipher) -> bytes:
    """Encrypt one component with its parent's key. Raises NotPermitted for a cipher that cannot encrypt."""
    if cipher is PathCipher.NULL:
        return component
    if cipher is PathCipher.UNSPECIFIED:
        raise NotPermitted("path cipher is unspecified")
    # derived, not random: the same component must look the same. It repeats with nothing else under this key
    seed = _hmac_sha512(child(key, component), b"nonce")
    if cipher is PathCipher.AES_GCM:
        nonce = seed[:_GCM_NONCE_BYTES]
        # an empty component is its nonce alone, without a tag (section 9)
        sealed = AESGCM(key).encrypt(nonce, component, None) if component else b""
    else:
        nonce = seed[: secret_box.NONCE_BYTES]
        sealed = secret_box.seal(component, key, nonce) if component else b""
    return escape_segment(nonce + sealed)


def decrypt_component(encrypted: bytes, key: bytes, cipher: PathCipher) -> bytes:
    """Decrypt one component with its parent's key. Raises Malformed when it does not decrypt.

    An empty component decrypts to itself under every cipher, though none but NULL ever writes one: the Go library reads it so.
    """
    if cipher is PathCipher.NULL or not encrypted:
        return encrypted
    if cipher is PathCipher.UNSPECIFIED:
        raise Malformed("path cipher is unspecified")
    data = unescape_segment(encrypted)
    size = _GCM_NONCE_BYTES if cipher is PathCipher.AES_GCM else secret_box.NONCE_BYTES
    nonce, sealed = data[:size], data[size:]
    if len(nonce) < size:
        raise Malformed(f"path component of {len(data)} bytes has no room for a nonce")
    # an empty component has no tag: nothing proves it
    if not sealed:
        return b""
    return _open_gcm(sealed, key, nonce) if cipher is PathCipher.AES_GCM else secret_box.open_sealed(sealed, key, nonce)


def escape_segment(data: bytes) -> bytes:
    """Make bytes fit between two slashes: no 0x00, 0x2f or 0xff in the result, and never an empty one."""
    if not data:
        return _EMPTY
    for plain, escaped in _ESCAPES:
        data = data.replace(plain, escaped)
    return _NOT_EMPTY + data


def unescape_segment(segment: bytes) -> bytes:
    """Undo `escape_segment`. Raises Malformed for anything it would not have written."""
    if segment == _EMPTY:
        return b""
    marker, escaped = segment[:1], segment[1:]
    if marker != _NOT_EMPTY or not escaped or not _WELL_ESCAPED.fullmatch(escaped):
        raise Malformed("path component is not escaped as it should be")
    return _ESCAPED.sub(lambda match: _PLAIN_OF[match[0]], escaped)


def _open_gcm(sealed: bytes, key: bytes, nonce: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, sealed, None)
    except InvalidTag:
        raise Malformed("path component does not decrypt with this key") from None


def _derive(key: bytes, message: bytes) -> bytes:
    return _hmac_sha512(key, message)[:KEY_BYTES]


def _hmac_sha512(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha512")
