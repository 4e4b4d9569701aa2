"""The real Go library behind a few plain functions: the grants' own authors, asked in the same process.

Load it once and never fork afterwards: Go's threads do not survive that.
"""

import ctypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar


class UplinkError(Exception):
    """The library refused; its own words."""


class _Error(ctypes.Structure):
    _fields_ = (("code", ctypes.c_int32), ("message", ctypes.c_char_p))


class _Handle(ctypes.Structure):
    _fields_ = (("handle", ctypes.c_size_t),)


class _HandleResult(ctypes.Structure):
    """An access or an encryption key, or an error."""

    _fields_ = (("handle", ctypes.POINTER(_Handle)), ("error", ctypes.POINTER(_Error)))


class _StringResult(ctypes.Structure):
    _fields_ = (("string", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Permission(ctypes.Structure):
    _fields_ = (
        ("download", ctypes.c_bool),
        ("upload", ctypes.c_bool),
        ("list", ctypes.c_bool),
        ("delete", ctypes.c_bool),
        ("not_before", ctypes.c_int64),
        ("not_after", ctypes.c_int64),
    )


class _SharePrefix(ctypes.Structure):
    _fields_ = (("bucket", ctypes.c_char_p), ("prefix", ctypes.c_char_p))


_R = TypeVar("_R", _HandleResult, _StringResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One call of Share: the C API has four switches and whole seconds, 0 for no limit; names are bytes without NUL."""

    download: bool = False
    upload: bool = False
    list: bool = False
    delete: bool = False
    not_before: int = 0
    not_after: int = 0
    prefixes: tuple[tuple[bytes, bytes], ...] = ()


def reserialise(grant: str) -> str:
    """Parse and serialise again, narrowing included."""
    with _parsed(grant) as access:
        return _serialised(access)


def satellite_address(grant: str) -> str:
    """Parse and ask for the satellite's node URL."""
    with _parsed(grant) as access:
        return _text(_library().uplink_access_satellite_address(access.handle))


def share(grant: str, link: Share) -> str:
    """Parse, share, serialise what came of it."""
    permission = _Permission(link.download, link.upload, link.list, link.delete, link.not_before, link.not_after)
    prefixes = (_SharePrefix * len(link.prefixes))(*(_SharePrefix(*prefix) for prefix in link.prefixes))
    with _parsed(grant) as access:
        result = _library().uplink_access_share(access.handle, permission, prefixes, len(prefixes))
        with _freed(result, "uplink_free_access_result") as narrower:
            return _serialised(narrower)


def override_key(grant: str, bucket: bytes, prefix: bytes, passphrase: bytes, salt: bytes) -> str:
    """Give a place in the grant the key that DeriveEncryptionKey makes; serialise."""
    derived = _library().uplink_derive_encryption_key(passphrase, salt, len(salt))
    with _parsed(grant) as access, _freed(derived, "uplink_free_encryption_key_result") as key:
        error = _library().uplink_access_override_encryption_key(access.handle, bucket, prefix, key.handle)
        if error:
            raise UplinkError(error.contents.message.decode(errors="replace").partition("\n")[0])
        return _serialised(access)


@cache
def _library() -> ctypes.CDLL:
    package = find_spec("storj_uplink")
    assert package is not None
    assert package.origin is not None
    library = ctypes.CDLL(str(Path(package.origin).with_name("libuplink.so")))
    handle, text, count = ctypes.POINTER(_Handle), ctypes.c_char_p, ctypes.c_size_t
    for name, result, arguments in (
        ("uplink_parse_access", _HandleResult, (text,)),
        ("uplink_access_share", _HandleResult, (handle, _Permission, ctypes.POINTER(_SharePrefix), count)),
        ("uplink_access_serialize", _StringResult, (handle,)),
        ("uplink_access_satellite_address", _StringResult, (handle,)),
        ("uplink_access_override_encryption_key", ctypes.POINTER(_Error), (handle, text, text, handle)),
        ("uplink_derive_encryption_key", _HandleResult, (text, text, count)),
        ("uplink_free_access_result", None, (_HandleResult,)),
        ("uplink_free_string_result", None, (_StringResult,)),
        ("uplink_free_encryption_key_result", None, (_HandleResult,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


@contextmanager
def _freed(result: _R, free: str) -> Iterator[_R]:
    """Lend a result of the library, or raise the error it holds; give its memory back either way."""
    try:
        if result.error:
            raise UplinkError(result.error.contents.message.decode(errors="replace").partition("\n")[0])
        yield result
    finally:
        getattr(_library(), free)(result)


def _parsed(grant: str) -> AbstractContextManager[_HandleResult]:
    return _freed(_library().uplink_parse_access(grant.encode()), "uplink_free_access_result")


def _serialised(access: _HandleResult) -> str:
    return _text(_library().uplink_access_serialize(access.handle))


def _text(result: _StringResult) -> str:
    with _freed(result, "uplink_free_string_result"):
        return str(result.string.decode(errors="surrogateescape"))
