"""The access grant in what somebody gave: the grant itself, or the JSON of a token answer that holds it."""

from grantway import json_text
from grantway.access_grant import AccessGrant, ApiKey, Malformed
from grantway.json_text import JsonTextError

FIELD = "access_grant"
"""What the contract and the standard flow both call it."""


class GivenError(Exception):
    """There is no access grant in it; the message says what there is instead, and repeats nothing of it."""


def read(text: str) -> AccessGrant:
    """The grant of a text: bare, in the quotes of JSON, or as `access_grant` of a JSON object. GivenError when there is none."""
    text = text.strip()
    if not text:
        raise GivenError("it is empty")
    if text[:1] in {"{", "[", '"'}:
        return _parsed(_of_json(text), f"the value of its {FIELD} is none: " if text[0] == "{" else "")
    return _parsed(text, "")


def _of_json(text: str) -> str:
    try:
        value = json_text.read(text.encode("utf-8", "replace"), object)
    except JsonTextError as error:
        raise GivenError(f"it begins like JSON, but cannot be read ({_in_short(error)}); give the value of {FIELD} alone") from None
    if isinstance(value, str):
        return value
    grant = value.get(FIELD) if isinstance(value, dict) else None
    if isinstance(grant, str):
        return grant
    raise GivenError(f"it is {_what(value)}; give the token answer that has {FIELD}, or its value alone")


def _what(value: object) -> str:
    if isinstance(value, dict) and "error" in value:
        return "a refusal"
    if isinstance(value, dict) and "access_token" in value:
        return f"a token answer without {FIELD}, for no passphrase was known"
    return f"JSON without {FIELD} as a text"


def _in_short(error: JsonTextError) -> str:
    said = str(error).rstrip(".")
    return said[0].lower() + said[1:]


def _parsed(text: str, where: str) -> AccessGrant:
    try:
        return AccessGrant.parse(text)
    except Malformed as error:
        why = (
            f"it is an API key; give the value of {FIELD}, which holds one and more"
            if _is_api_key(text)
            else str(error).removeprefix("access grant: ")
        )
        raise GivenError(f"{where}{why}") from None


def _is_api_key(text: str) -> bool:
    try:
        ApiKey.parse(text)
    except Malformed:
        return False
    return True
