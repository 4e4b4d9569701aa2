"""Nonces: each byte is handed out once, in this process and in one that it makes."""

import os

import pytest

from grantway import nonces
from grantway.nonces import Nonces


def test_no_byte_is_handed_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bytes] = []

    def urandom(count: int) -> bytes:
        drawn.append(bytes(range(len(drawn), len(drawn) + count)))
        return drawn[-1]

    monkeypatch.setattr(nonces, "AT_ONCE", 40)
    monkeypatch.setattr(os, "urandom", urandom)
    some = Nonces()
    assert [some(count) for count in (16, 12, 12, 1, 40)] == [
        drawn[0][:16],
        drawn[0][16:28],
        drawn[0][28:],
        drawn[1][:1],
        drawn[2],  # what was left was too little
    ]


def test_a_forked_process_draws_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    some = Nonces()
    first = some(16)
    ahead = some._bytes[16:32]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert some(16) not in (first, ahead)
    assert some(16) != ahead


def test_many_are_all_different() -> None:
    some = Nonces()
    assert len({some(16) for _ in range(10_000)}) == 10_000
