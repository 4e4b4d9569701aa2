"""Reading JSON strictly: each row is something that a lenient reader would take, or take in its own way."""

import json
from enum import StrEnum
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.json_text import JsonTextError, read


class Colour(StrEnum):
    RED = "red"


class Body(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=5)]
    number: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    colour: Colour = Colour.RED
    inner: dict[str, int] = {}


def test_reads() -> None:
    assert read(b' {"name": "x", "number": 2, "else": [1, {}]} ', Body) == Body(name="x", number=2)
    assert read('"été"'.encode(), str) == "été"
    assert read(b'"\\ud83d\\ude00"', str) == "😀"


SECRET = "hunter2"
REFUSED: dict[str, bytes] = {
    "empty": b"",
    "white space": b" ",
    "no JSON": b"name=x",
    "cut": b'{"name":"x"',
    "more after it": b'{"name":"x"}x',
    "two values": b'{"name":"x"}{"name":"x"}',
    "comment": b'{"name":"x"} // x',
    "an array": b"[]",
    "null": b"null",
    "missing": b"{}",
    "empty text": b'{"name":""}',
    "too long": f'{{"name":"{SECRET}"}}'.encode(),
    "another type": b'{"name":1}',
    "null for a text": b'{"name":null}',
    "too small": b'{"name":"x","number":0}',
    "too big": b'{"name":"x","number":10}',
    "a float for an integer": b'{"name":"x","number":1.5}',
    "a text for an integer": b'{"name":"x","number":"1"}',
    "a boolean for an integer": b'{"name":"x","number":true}',
    "not of the enumeration": f'{{"name":"x","colour":"{SECRET}"}}'.encode(),
    "the same name twice": b'{"name":"x","name":"x"}',
    "an unknown name twice": b'{"name":"x","y":1,"y":2}',
    "the same name twice, deep in what is skipped": b'{"name":"x","y":[[{"z":1,"z":1}]]}',
    "the same name twice, spelled differently": b'{"name":"x","n\\u0061me":"y"}',
    "NaN in what is skipped": b'{"name":"x","y":NaN}',
    "Infinity in what is skipped": b'{"name":"x","y":-Infinity}',
    "lone surrogate": b'{"name":"\\ud800"}',
    "lone surrogate in what is skipped": b'{"name":"x","y":"\\ud800"}',
    "lone surrogate as a name in what is skipped": b'{"name":"x","\\udfff":1}',
    "broken UTF-8": b'{"name":"\xff"}',
    "broken UTF-8 in what is skipped": b'{"name":"x","y":"\xff"}',
    "overlong UTF-8": b'{"name":"\xc0\xaf"}',
    "UTF-16": '{"name":"x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"name":"x"}',
    "nested without end": b'{"name":"x","y":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a number with more digits than Python reads": b'{"name":"x","y":' + b"9" * 5000 + b"}",
    "control character": b'{"name":"x\x01"}',
    "tab in a text": b'{"name":"x\t"}',
    "control character in what is skipped": b'{"name":"x","y":"\x01"}',
    "zero byte after it": b'{"name":"x"}\0',
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(JsonTextError) as refusal:
        read(REFUSED[name], Body)
    said = str(refusal.value)
    assert said.endswith(".")
    assert SECRET not in said
    assert "`" not in said


class Kinds(msgspec.Struct):
    code: str
    scope: list[str] = []
    uris: str | list[str] = ""
    number: Annotated[float, msgspec.Meta(ge=1)] = 1.0
    short: Annotated[str, msgspec.Meta(max_length=2)] = ""
    inner: dict[str, Body] = {}


IN_WORDS = {
    "[]": "The JSON must be an object, not a list.",
    "{}": "code is missing.",
    '{"code":null}': "code must be a string, not null.",
    '{"code":"x","scope":"read"}': "scope must be a list, not a string.",
    '{"code":"x","scope":["read",1]}': "scope[1] must be a string, not a whole number.",
    '{"code":"x","uris":true}': "uris must be a string or a list, not true or false.",
    '{"code":"x","number":0}': "number must be a number >= 1.0.",
    '{"code":"x","short":"long"}': "short must be a string of length <= 2.",
    '{"code":"x","inner":{"y":{}}}': "inner[...].name is missing.",
    '{"code":"x","inner":{"y":{"name":{}}}}': "inner[...].name must be a string, not an object.",
}


@pytest.mark.parametrize("text", IN_WORDS)
def test_what_is_wrong_is_told_in_words(text: str) -> None:
    with pytest.raises(JsonTextError) as refusal:
        read(text.encode(), Kinds)
    assert str(refusal.value) == IN_WORDS[text]


def test_a_name_of_a_map_is_not_repeated() -> None:
    with pytest.raises(JsonTextError) as refusal:
        read(f'{{"name":"x","inner":{{"{SECRET}":"y"}}}}'.encode(), Body)
    assert SECRET not in str(refusal.value)


class _Counted(msgspec.Struct):
    name: str
    first: int = 0
    second: int = 0
    note: str = ""


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"n","first":1,"first":2}',
        '{"name":"n","second":0,"second":0}',
        '{"name":"n","note":"","note":""}',
        '{"name":"n","other":1,"other":2}',
        '{"name":"n","other":{"in":1,"in":2}}',
        '{"name":"n","name":"m"}',
        '{"name":"n\\u0022:","name":"m"}',
    ],
)
def test_a_name_that_is_there_twice_is_seen_whatever_the_others_are(text: str) -> None:
    with pytest.raises(JsonTextError, match="twice"):
        read(text.encode(), _Counted)


@given(st.dictionaries(st.text(max_size=4), st.one_of(st.text(max_size=6), st.integers(), st.booleans(), st.none()), max_size=5))
def test_a_dict_reads_back_and_is_refused_with_a_name_added_again(value: dict[str, object]) -> None:
    text = json.dumps(value)
    assert read(text.encode(), dict[str, object]) == value
    for name in value:
        again = f"{text[:-1]},{json.dumps(name)}:1}}"
        with pytest.raises(JsonTextError):
            read(again.encode(), dict[str, object])
