"""What a finding shows of what was sent: nothing that a secret at hand, or the request's own secrets, could be read from."""

import time
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.clients import secret
from grantway.diagnosis import shown, veil
from grantway.diagnosis.veil import RUN, SHORTEST, Veil

SECRET = "Tr0ub4dor-and-3-imported!"
PASSPHRASE = "open sesame, 1001"
UUID = "84feaa9c-6782-417b-b77c-f9642b5562ff"
OTHER = "a9f1c3de-0b52-4c1e-9d3a-2f0e6b7c8d91"


def over(secrets: Iterable[str] = (SECRET,), fields: Mapping[str, object] | None = None, *, is_blind: bool = False) -> Veil:
    return veil.over([one.encode() for one in secrets], [fields or {}], {UUID}, is_blind=is_blind)


def fully_encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


HIDDEN: dict[str, tuple[Veil, str]] = {
    "a secret": (over(), SECRET),
    "in other case": (over(), SECRET.swapcase()),
    "with white space around": (over(), f" {SECRET}\n"),
    "in a URL": (over(), f"https://app.example/cb?key={SECRET}&x=1"),
    "its first twelve characters": (over(), SECRET[:RUN]),
    "its last twelve characters": (over(), SECRET[-RUN:]),
    "twelve from its middle, among others": (over(), f"xx{SECRET[5 : 5 + RUN]}yy"),
    "percent-encoded": (over(["a+b/c=d+e/f=g+h/i="]), quote("a+b/c=d+e/f=g+h/i=", safe="")),
    "every character percent-encoded": (over(), fully_encoded(SECRET)),
    "twelve percent-encoded, in capitals": (over(), fully_encoded(SECRET[3 : 3 + RUN]).upper()),
    "plus for a space": (over((), {"passphrase": PASSPHRASE}), quote_plus(PASSPHRASE)),
    "beginning with the last character that is shown": (over(), "x" * (shown.MOST - 1) + SECRET),
    "percent-encoded at the edge": (over(), "x" * (shown.MOST - 1) + fully_encoded(SECRET)),
    "with percent signs of its own, at the edge": (over(["%41%42%43%44%45%46%47"]), "x" * (shown.MOST - 1) + "%41%42%43%44%45%46%47"),
    "of several secrets the last": (over([OTHER, "k" * 40, SECRET]), SECRET),
    "the longest secret, at its end": (over(["".join(f"{n:03}/" for n in range(256))]), "253/254/255/"),
    "not ASCII": (over(["Straßenbahn-über-Ängste"]), "STRASSENBAHN-ÜBER"),
    "what is sent as passphrase": (over((), {"passphrase": PASSPHRASE}), PASSPHRASE),
    "four characters": (over((), {"passphrase": "Zq7&"}), "https://app.example/Zq7&"),
    "a code": (over((), {"code": "abcdefghijkl-mnop"}), "abcdefghijkl-mnop"),
    "under a name in camel case": (over((), {"clientSecret": SECRET}), SECRET),
    "under a name with dashes": (over((), {"Client-Secret": SECRET}), SECRET),
    "digits that were sent as a number": (over((), {"passphrase": 271828182845}), "x271828182845"),
    "with lone surrogates in it": (over((), {"passphrase": "\ud800 open sesame"}), "\ud800 open sesame"),
    "behind NUL": (over(), f"\0{SECRET}"),
    "a UUID": (over([OTHER]), OTHER),
    "a token of ours, of which nothing is known": (over(()), "gws_2b4719e0"),
    "a JWT, of which nothing is known": (over(()), "eyJhbGciOiJIUzI1NiJ9.eyJjbGllbnRfaWQiOiJ4In0.AAAA"),
}


@pytest.mark.parametrize(("one", "sent"), HIDDEN.values(), ids=HIDDEN)
def test_hidden(one: Veil, sent: str) -> None:
    assert one.text(sent) == shown.MASK
    assert one.value(sent) == shown.MASK
    blind = Veil(one.runs, one.public)
    assert blind.value(sent) == shown.MASK


SHOWN: dict[str, tuple[Veil, str]] = {
    "an ordinary value": (over(), "https://app.example/callback"),
    "eleven characters of a secret": (over(), SECRET[: RUN - 1]),
    "its characters in another order": (over(), SECRET[::-1]),
    "what stands beyond what is shown": (over(), "x" * (shown.MOST + 3 * RUN) + SECRET),
    "three characters": (over((), {"passphrase": "abc"}), "abcdef"),
    "an empty passphrase": (over((), {"passphrase": "", "code": "   "}), "anything"),
    "the client's own id, whatever a secret holds": (over([UUID]), UUID),
    "another id, where its client is known": (over(), OTHER),
    "a value under a name that is not secret": (over((), {"state": "a-state-of-the-app"}), "a-state-of-the-app"),
    "a secret that is no text": (over((), {"code": ["abcdefghijkl-mnop"], "passphrase": True}), "abcdefghijkl-mnop is true"),
}


@pytest.mark.parametrize(("one", "sent"), SHOWN.values(), ids=SHOWN)
def test_shown(one: Veil, sent: str) -> None:
    expected = sent if len(sent) <= shown.MOST else f"{sent[: shown.MOST]}…"
    assert one.text(sent) == expected
    assert one.value(sent) == expected


BLIND: dict[str, tuple[str, str]] = {
    "a word of the protocol": ("authorization_code", "authorization_code"),
    "a longer one": (
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ),
    "what is too short for a secret": ("x" * (secret.MIN_LENGTH - 1), "x" * (secret.MIN_LENGTH - 1)),
    "what is as long as one": ("x" * secret.MIN_LENGTH, "(16 characters, not shown: letters)"),
    "short, with other characters": ("p4ss word!", "(10 characters, not shown: letters, digits, white space, other characters)"),
    "a public id": (UUID, UUID),
    "an id that may be a secret": (OTHER, "a9f1c3de… (an id's 36 characters, no more is shown)"),
    "an id and more": (f"{OTHER}x", "(37 characters, not shown: letters, digits, other characters)"),
    "a URL": ("https://app.example/cb", "(22 characters, not shown: letters, other characters)"),
    "digits not of ASCII": ("１２３", "(3 characters, not shown: digits)"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("sent", "told"), BLIND.values(), ids=BLIND)
def test_where_nobodys_secrets_are_at_hand(sent: str, told: str) -> None:
    one = over((), is_blind=True)
    assert one.value(sent) == told
    assert over(()).value(sent) == sent
    assert one.text(sent) == sent  # a word, such as a field's name


def test_of_an_id_that_may_be_a_secret_too_little_is_shown_to_use_it() -> None:
    told = over((), is_blind=True).value(OTHER)
    runs = {OTHER[at : at + RUN] for at in range(len(OTHER) - RUN + 1)}
    assert not any(run in told for run in runs)
    assert OTHER[:9] not in told


@pytest.mark.parametrize("value", [None, True, 5, 1.5, ["a"], {"a": SECRET}])
def test_of_what_is_no_text_the_kind_is_told(value: object) -> None:
    for one in (over(), over((), is_blind=True)):
        assert one.value(value) == one.text(value) == type(value).__name__


@given(st.text(), st.text(min_size=RUN), st.booleans())
def test_any_text(before: str, hidden: str, is_blind: bool) -> None:
    """Whatever a passphrase is, and whatever stands before it."""
    one = veil.over((), [{"passphrase": hidden}], (), is_blind=is_blind)
    told = one.value(before[: shown.MOST] + hidden.strip())
    assert told.isprintable()
    if len(hidden.strip()) >= SHORTEST and len(before) < shown.MOST:
        assert told == shown.MASK


LONG = {
    "letters": "a" * 65_536,
    "a run again and again": (SECRET[: RUN - 1] + "x") * 5_461,
    "percent signs": "%" * 65_536,
    "percent-encoded": "%61" * 21_845,
    "half of it": "%6" * 32_768,
    "spaces": " " * 65_536,
    "all kinds": "".join(chr(0x4E00 + n % 20_000) for n in range(21_845)),
    "lone surrogates": "\ud800" * 21_845,
}


@pytest.mark.parametrize("sent", LONG.values(), ids=LONG)
def test_64_kib_are_looked_at_in_bounded_time(sent: str) -> None:
    began = time.process_time()
    made = veil.over([b"s" * 1024] * 100, [{"passphrase": sent, "code": sent, sent: sent}], (), is_blind=True)
    made.value("https://app.example/" + sent)
    made.text(sent)
    assert len(made.runs) <= 4 * 1024
    assert time.process_time() - began < 2
