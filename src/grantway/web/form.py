"""Bodies as browsers and OAuth clients send them: application/x-www-form-urlencoded, read into the endpoint's type."""

import functools
from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec

from grantway import json_text
from grantway.oauth_error import INVALID_REQUEST, RefusedError

MEDIA_TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 256
"""The consent page has two for each place, and an app may ask for ninety-nine."""

S = TypeVar("S", bound=msgspec.Struct)


def read(text: bytes, content_type: str, kind: type[S]) -> S:
    """The form as a `kind`; its fields that are lists may be there several times. `invalid_request` for any other body.

    What has no value is taken as not sent, and what is there twice is refused (RFC 6749 section 3.1).
    """
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise _refused(f"The body must be {MEDIA_TYPE}.")
    try:
        return msgspec.convert(fields(text.decode("ascii"), kind), kind, strict=False)  # in a form even numbers are text
    except msgspec.ValidationError as error:
        raise _refused(json_text.in_words(error)) from None
    except ValueError:
        raise _refused("The form cannot be read.") from None


def fields(text: str, kind: type[msgspec.Struct]) -> dict[str, str | list[str]]:
    """The parameters by name. ValueError when they cannot be read, RefusedError for one that is there twice."""
    lists = _lists(kind)
    found: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"):
        if name in lists:
            several = found.setdefault(name, [])
            if isinstance(several, list):
                several.append(value)
        elif name in found:
            raise _refused("A parameter is there twice.")
        else:
            found[name] = value
    return {name: value for name, value in found.items() if value}


@functools.cache
def _lists(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The parameters that may be there several times."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind) if get_origin(field.type) is list)


def _refused(sentence: str) -> RefusedError:
    return RefusedError(INVALID_REQUEST.saying(sentence))
