"""Do we and Storj's library agree: on a chain of shares, a refusal, what a text means? Where we are stricter on purpose, it is said."""

import re
from datetime import timedelta

import pytest
from tests.access_grant import strategies as ours
from tests.interop import uplink

from grantway.access_grant import (
    AccessGrant,
    ApiKey,
    Caveat,
    EncryptionAccess,
    FlagSet,
    Malformed,
    NotPermitted,
    Permission,
    SharePrefix,
    base58,
    wire,
)

# What we refuse and the library does not, each for a reason told in docs/access-grant-format.md.
DELIBERATELY_STRICTER = ("is unknown", "is out of range", "satellite address is not UTF-8", "node URL: ")
OUR_WORDS = {
    "uplink: invalid access grant format": ("base58: ", "version "),
    "uplink: access grant is missing satellite address": ("satellite address is missing",),
    "uplink: access grant has malformed api key": ("api key: ",),
    "uplink: access grant has malformed encryption access": ("encryption access: ",),
    "uplink: node URL": ("node URL: ", "node id: "),
    "uplink: node id is required": ("node URL: node id is required",),
    # The library reads every message before it looks into any; we go on to the inner one later, and may meet another fault first.
    "uplink: unable to unmarshal access grant": ("offset", "encryption access: ", "api key: ", "satellite address is missing"),
}
NEWER_FIELD = re.compile(r"field (6|7|8|9|11|12|13|14|15|22) has wire type")


def agree_on_chain(grant: AccessGrant, chain: list[uplink.Share]) -> None:
    """Share the same way on both sides, link by link, as long as sharing is possible."""
    for link in chain:
        try:
            theirs = uplink.share(grant.serialise(), link)
        except uplink.UplinkError as error:
            agree_on_refusal(grant, link, error)
            return
        nonce = Caveat.parse(AccessGrant.parse(theirs).api_key.caveats[-1]).nonce
        assert len(nonce) == 4
        narrower = reproduced(grant, link, nonce)
        assert narrower.serialise() == canonical(theirs)
        grant = narrower
    assert canonical(uplink.reserialise(grant.serialise())) == grant.serialise()


def reproduced(grant: AccessGrant, link: uplink.Share, nonce: bytes) -> AccessGrant:
    permission = Permission(
        download=link.download,
        upload=link.upload,
        list=link.list,
        delete=link.delete,
        not_before=ours.EPOCH + timedelta(seconds=link.not_before) if link.not_before else None,
        not_after=ours.EPOCH + timedelta(seconds=link.not_after) if link.not_after else None,
    )
    places = [SharePrefix(bucket, prefix) for bucket, prefix in link.prefixes]
    return grant.restrict(permission, places, nonce, FlagSet.FIRST_FIVE)


def agree_on_refusal(grant: AccessGrant, link: uplink.Share, error: uplink.UplinkError) -> None:
    with pytest.raises(NotPermitted) as refused:
        reproduced(grant, link, b"")
    ours_of_theirs = {
        "permission is empty": "permission is empty",
        "invalid time range": "not_after is before not_before",
    }
    assert str(refused.value) == ours_of_theirs.get(str(error), str(error))


def agree_on_text(text: str) -> None:
    """Both accept, with one meaning; or both refuse, for one reason; or we alone refuse, for a reason that is written down."""
    try:
        grant = AccessGrant.parse(text)
    except Malformed as error:
        told = str(error).removeprefix("access grant: ")
    else:
        theirs_of_it = uplink.reserialise(text)  # accepted there, whatever its caveats
        if not any(broken_in_newer_fields(caveat) for caveat in grant.api_key.caveats):
            assert canonical(theirs_of_it) == grant.serialise()
        return
    if not would_crash(text):
        theirs = refusal(text)
        expected = DELIBERATELY_STRICTER if theirs is None else (*DELIBERATELY_STRICTER, *our_words_for(theirs))
        assert any(words in told for words in expected), (theirs, told)


def refusal(text: str) -> str | None:
    try:
        uplink.reserialise(text)
    except uplink.UplinkError as error:
        return str(error)
    return None


def our_words_for(theirs: str) -> tuple[str, ...]:
    return next((words for start, words in OUR_WORDS.items() if theirs.startswith(start)), ())


def would_crash(text: str) -> bool:
    """The library dies of a scope without field 3; only what surely has one, before anything odd, may be given to it."""
    try:
        numbers = [number for number, _, _ in wire.fields(base58.decode_check(text)[1], dict.fromkeys((1, 2, 3), wire.BYTES))]
    except Malformed as error:
        # A message that the library takes to end early may seem to it to lack field 3.
        return "is out of range" in str(error)
    return 3 not in numbers


def broken_in_newer_fields(caveat: bytes) -> bool:
    """That library is of April 2024: a caveat broken in a field that came later is readable to it, and not to us."""
    try:
        Caveat.parse(caveat)
    except Malformed as error:
        return NEWER_FIELD.match(str(error)) is not None or b"\xb2\x01" in caveat  # the tag of max_object_ttl
    return False


def ends_early(message: bytes) -> bool:
    """The library silently ends a message at a field number from 2**29 to 2**31."""
    try:
        Caveat.parse(message)
    except Malformed as error:
        return "is out of range" in str(error)
    return False


def scope(address: bytes, access: bytes) -> str:
    key = ApiKey.new(b"secret", b"head").serialise_raw()
    return base58.encode_check(wire.bytes_field(1, address) + wire.bytes_field(2, key) + wire.message_field(3, access))


def canonical(theirs: str) -> str:
    """Their entries in our order, for they write them at random; nothing else is touched, and nothing narrowed again."""
    found = {number: data for number, _, data in wire.fields(base58.decode_check(theirs)[1], dict.fromkeys((1, 2, 3), wire.BYTES))}
    key, access = ApiKey.parse_raw(found[2]), EncryptionAccess.parse(found[3])
    grant = AccessGrant(found[1].decode(), key, access)
    if not found[3]:  # emptied by an unreadable caveat: an absent cipher is read as AES-GCM, but was not written
        return base58.encode_check(base58.decode_check(grant.serialise())[1].removesuffix(b"\x1a\x02\x18\x02") + b"\x1a\x00")
    return grant.serialise()
