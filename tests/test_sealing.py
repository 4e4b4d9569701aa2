"""Sealing: what is sealed opens under the same master key, for the same thing of the same owner, unaltered; and nothing else does."""

import pytest

from grantway.sealing import SealBrokenError, Sealing

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
