"""PKCE: the RFC's own vector, what can be a challenge, and what proves one."""

import pytest

from grantway.authorization import pkce

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_rfcs_vector() -> None:
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    assert pkce.is_challenge(CHALLENGE)
    assert pkce.proves(VERIFIER, CHALLENGE)


def test_without_a_challenge_there_must_be_no_verifier() -> None:
    assert pkce.proves(None, None)
    assert not pkce.proves(VERIFIER, None)
    assert not pkce.proves(None, CHALLENGE)


@pytest.mark.parametrize("length", [43, 128])
def test_the_shortest_and_the_longest_verifier(length: int) -> None:
    assert pkce.proves("~" * length, pkce.challenge_of("~" * length))


NO_PROOF = {
    "empty": "",
    "the challenge itself": CHALLENGE,
    "cut": VERIFIER[:-1],
    "padded": VERIFIER + "=",
    "one letter changed": "e" + VERIFIER[1:],
    "newline after": VERIFIER + "\n",
    "not ASCII": VERIFIER[:-1] + "é",
    "lone surrogate": VERIFIER[:-1] + "\ud800",
}


@pytest.mark.parametrize("name", NO_PROOF)
def test_no_proof(name: str) -> None:
    assert not pkce.proves(NO_PROOF[name], CHALLENGE)


@pytest.mark.parametrize("verifier", ["a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "=", "a" * 42 + " "])
def test_a_malformed_verifier_proves_nothing_even_if_it_fits(verifier: str) -> None:
    assert not pkce.proves(verifier, pkce.challenge_of(verifier))


@pytest.mark.parametrize(
    "text", ["", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE[:-1] + "=", CHALLENGE[:-1] + "+", CHALLENGE + "\n", VERIFIER[:-1] + "é"]
)
def test_cannot_be_a_challenge(text: str) -> None:
    assert not pkce.is_challenge(text)
