"""Read JSON strictly: one reading for every reader, or none. No duplicate names, broken UTF-8, lone surrogates or endless nesting."""

import json
import re
from collections.abc import Collection
from typing import TypeVar

import msgspec

T = TypeVar("T")


class JsonTextError(ValueError):
    """The text is not JSON of the shape asked for; the message says where and never repeats what was sent."""


def read(text: bytes, shape: type[T]) -> T:
    """The value of `text` (UTF-8 JSON) as `shape`, a msgspec type. JsonTextError when it is anything else."""
    try:
        value = msgspec.json.decode(text, type=shape)
        # msgspec lets the last of two equal names win and skips unknown members unread; a signature or a filter might see the first
        if not _is_all_read(text, value):
            _STRICT.decode(text.decode())
    except msgspec.ValidationError as error:
        raise JsonTextError(in_words(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise JsonTextError("The text is not JSON in UTF-8.") from None
    except RecursionError:
        raise JsonTextError("The JSON is nested too deeply.") from None
    except _DuplicateNameError:
        raise JsonTextError("The JSON has the same name twice in one object.") from None
    except ValueError:
        raise JsonTextError("The text is not JSON in UTF-8.") from None
    return value


def _is_all_read(text: bytes, value: object) -> bool:
    """Whether a flat value holds every string of its text, names included: then no name was there twice and none was skipped.

    A quick look that spares most texts the second reading; False when it cannot tell.
    """
    # with a backslash a quote may be inside of a string
    if not text.isascii() or b"\\" in text:
        return False
    kinds = list(map(type, _members(value)))
    # whatever is not flat, or is true, false or null, is not counted: then the second reading decides
    texts, numbers = kinds.count(str), kinds.count(int) + kinds.count(float)
    # two quotes around each name, two around each string
    return texts + numbers == len(kinds) > 0 and text.count(b'"') == 2 * (2 * texts + numbers)


def _members(value: object) -> Collection[object]:
    """A dict's values; of a struct those that were surely there, because they are not what stands for absent ones."""
    if isinstance(value, dict):
        return value.values()
    if not isinstance(value, msgspec.Struct):
        return ()
    members, defaults = msgspec.structs.astuple(value), value.__struct_defaults__
    required = len(members) - len(defaults)
    return members[:required] + tuple([one for one, absent in zip(members[required:], defaults, strict=True) if one != absent])


class _DuplicateNameError(Exception):
    pass


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _DuplicateNameError


_STRICT = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)


def in_words(error: msgspec.ValidationError) -> str:
    """What msgspec found wrong, as a sentence that names the field as it was sent and repeats no value."""
    text = str(error)
    if "Invalid enum value" in text:  # the one kind that repeats the value
        return "A value is not one of those allowed."
    if missing := _MISSING.fullmatch(text):
        return f"{'.'.join(part for part in (missing['path'], missing['name']) if part)} is missing."
    if wrong := _WRONG.fullmatch(text):
        got = f", not {_kinds(wrong['got'])}" if wrong["got"] else ""
        return f"{wrong['path'] or 'The JSON'} must be {_kinds(wrong['expected'])}{wrong['limit']}{got}."
    return text.replace("`", "") + "."


# msgspec says what is wrong in words only; should a new version choose others, tests/test_json_text.py fails
_PATH = r"(?: - at `\$\.?(?P<path>[^`]*)`)?"
_MISSING = re.compile(rf"Object missing required field `(?P<name>[^`]+)`{_PATH}")
_WRONG = re.compile(rf"Expected `(?P<expected>[^`]+)`(?P<limit>(?: of length)?(?: [<>]=? \S+)?)(?:, got `(?P<got>[^`]+)`)?{_PATH}")
_KINDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def _kinds(names: str) -> str:
    """msgspec's names of types in words: `str | array` is a string or a list."""
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))
