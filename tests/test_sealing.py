"""Sealing: what is sealed opens under the same master key, for the same thing of the same owner, unaltered; and nothing else does."""

import pytest

from grantway.sealing import HEADER_BYTES, SealBrokenError, Sealing, header, key_name

MASTER, NONCE, PLAINTEXT = b"m" * 32, b"n" * 12, b"a secret that is sealed"
SEALING = Sealing.under(MASTER)
SEALED = SEALING.seal(PLAINTEXT, "client secret", "row/1", NONCE)


def test_opens() -> None:
    assert Sealing.under(MASTER).unseal(SEALED, "client secret", "row/1") == PLAINTEXT
    assert SEALING.unseal(SEALING.seal(b"", "", "", NONCE), "", "") == b""


def test_has_the_format_that_is_written_down() -> None:
    assert SEALED[:1] == b"\1"
    assert SEALED[5:17] == NONCE
    assert len(SEALED) == 1 + 4 + 12 + len(PLAINTEXT) + 16
    assert PLAINTEXT not in SEALED


BROKEN = {
    "empty": b"",
    "header only": SEALED[:5],
    "nonce cut": SEALED[:10],
    "nothing after the nonce": SEALED[:17],
    "cut": SEALED[:-1],
    "padded": SEALED + b"\0",
    **{
        f"bit flipped in byte {at}": SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]
        for at in (0, 1, 4, 5, 16, 17, -1 % len(SEALED))
    },
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    with pytest.raises(SealBrokenError) as refusal:
        SEALING.unseal(BROKEN[name], "client secret", "row/1")
    assert PLAINTEXT.decode() not in str(refusal.value)


@pytest.mark.parametrize(
    ("what", "whose"), [("client secret", "row/2"), ("project root key", "row/1"), ("client secretrow", "/1"), ("client secret\0row/1", "")]
)
def test_does_not_open_for_another(what: str, whose: str) -> None:
    with pytest.raises(SealBrokenError):
        SEALING.unseal(SEALED, what, whose)


def test_does_not_open_under_another_master_key() -> None:
    with pytest.raises(SealBrokenError, match="another master key"):
        Sealing.under(b"o" * 32).unseal(SEALED, "client secret", "row/1")


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_master_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        Sealing.under(b"m" * length)


def test_shows_no_key() -> None:
    assert "AESGCM" not in repr(SEALING)


OLD, NEW = b"o" * 32, b"n" * 32


def test_of_several_keys_the_first_seals_and_all_open() -> None:
    both = Sealing.under(NEW, OLD)
    assert both.headers() == (header(NEW), header(OLD))
    sealed = both.seal(PLAINTEXT, "client secret", "row/1", NONCE)
    assert Sealing.under(NEW).unseal(sealed, "client secret", "row/1") == PLAINTEXT
    old = Sealing.under(OLD).seal(PLAINTEXT, "client secret", "row/1", NONCE)
    assert both.unseal(old, "client secret", "row/1") == PLAINTEXT
    with pytest.raises(SealBrokenError):
        both.unseal(header(NEW) + old[HEADER_BYTES:], "client secret", "row/1")


def test_is_resealed_under_the_key_that_is_named() -> None:
    both = Sealing.under(NEW, OLD)
    old = Sealing.under(OLD).seal(PLAINTEXT, "client secret", "row/1", NONCE)
    assert both.resealed(old, header(OLD), "client secret", "row/1", b"2" * 12) is old
    new = both.resealed(old, header(NEW), "client secret", "row/1", b"2" * 12)
    assert Sealing.under(NEW).unseal(new, "client secret", "row/1") == PLAINTEXT
    for wrong in (("client secret", "row/2"), ("other", "row/1")):
        with pytest.raises(SealBrokenError):
            both.resealed(old, header(NEW), *wrong, b"2" * 12)
    with pytest.raises(SealBrokenError, match="another master key"):
        both.resealed(old, header(MASTER), "client secret", "row/1", b"2" * 12)


def test_keys_are_asked_for_before_sealing_and_when_something_does_not_open() -> None:
    keys: list[tuple[bytes, ...]] = [(OLD,)]
    asked = []

    def read() -> tuple[bytes, ...]:
        asked.append(keys[0])
        return keys[0]

    sealing = Sealing(read)
    old = sealing.seal(PLAINTEXT, "x", "", NONCE)
    count = len(asked)
    assert [sealing.unseal(old, "x", "") for _ in range(3)] == [PLAINTEXT] * 3
    assert len(asked) == count
    keys[0] = (NEW, OLD)
    new = Sealing.under(NEW).seal(PLAINTEXT, "x", "", NONCE)
    assert sealing.unseal(new, "x", "") == sealing.unseal(old, "x", "") == PLAINTEXT
    keys[0] = (NEW,)
    assert sealing.seal(PLAINTEXT, "x", "", NONCE) == new
    with pytest.raises(SealBrokenError):
        sealing.unseal(old, "x", "")


def test_a_keys_name_tells_nothing_of_it() -> None:
    assert len(key_name(header(MASTER))) == 8
    assert bytes.fromhex(key_name(header(MASTER))) not in MASTER
