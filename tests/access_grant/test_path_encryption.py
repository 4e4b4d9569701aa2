"""Paths: components, escapes, three ciphers; against the worked example of the Go library and NaCl's published secretbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.access_grant import strategies as ours

from grantway.access_grant import Malformed, NotPermitted, PathCipher, path_encryption, secret_box

KEY = bytes(range(32))
ROOT = bytes.fromhex("745196f1fe97b9e8709f719838ee6fd2059942fe6838415209afb047612aca72")
BUCKET = bytes.fromhex("982e76cb11b9d8cc207af0aacfc0673dbd5e124002e7324e8c2a01ee5f0f72cf")
SUMMER = bytes.fromhex("08d62ff035c5dd278528f80c3d23ed5189f4e2c5a61799e11866a1249fb98cee")
ENCRYPTED = bytes.fromhex(
    "02218bafee158fc8e0cb45596f93b97975b9eb985c5629df8c39d8430bbcb922f2"
    "2f026b50554e30577019b0ce3e5fce3940164abcc03d2e0225c2c3b85eac9ab7b365cde857"
)


def test_the_worked_example() -> None:
    assert path_encryption.child(ROOT, b"photos") == BUCKET
    assert path_encryption.path_key(BUCKET, [b"2024", b"summer"]) == SUMMER
    assert path_encryption.encrypt_path(b"2024/summer", BUCKET, PathCipher.AES_GCM) == ENCRYPTED
    assert path_encryption.decrypt_path(ENCRYPTED, BUCKET, PathCipher.AES_GCM) == b"2024/summer"
    assert path_encryption.content_key(SUMMER) not in (SUMMER, path_encryption.child(SUMMER, b"content"))


def test_nacls_published_secretbox() -> None:
    # "Cryptography in NaCl", sections 9 and 10.
    key = bytes.fromhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
    nonce = bytes.fromhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
    message = bytes.fromhex(
        "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31"
        "0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864"
        "5e0705"
    )
    sealed = bytes.fromhex(
        "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972"
        "71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b3"
        "7973f622a43d14a6599b1f654cb45a74e355a5"
    )
    assert secret_box.seal(message, key, nonce) == sealed
    assert secret_box.open_sealed(sealed, key, nonce) == message
    with pytest.raises(Malformed):
        secret_box.open_sealed(sealed[:-1] + b"\0", key, nonce)


@pytest.mark.parametrize(
    ("path", "components"),
    [(b"", ()), (b"a", (b"a",)), (b"a/", (b"a", b"")), (b"/a", (b"", b"a")), (b"//", (b"", b"", b""))],
)
def test_empty_components_count(path: bytes, components: tuple[bytes, ...]) -> None:
    assert path_encryption.split(path) == components


@given(st.binary())
def test_segments_come_back(data: bytes) -> None:
    segment = path_encryption.escape_segment(data)
    assert path_encryption.unescape_segment(segment) == data
    assert not set(segment) & {0x00, 0x2F, 0xFF}


@given(st.binary(max_size=6))
def test_a_segment_has_one_spelling(segment: bytes) -> None:
    try:
        data = path_encryption.unescape_segment(segment)
    except Malformed:
        return
    assert path_encryption.escape_segment(data) == segment


OTHER_SPELLINGS = ["00", "02", "0100", "0161", "0361", "0200", "022f", "02ff", "022e", "022e03", "02fe", "0201", "020161", "022e2e01"]


@pytest.mark.parametrize("segment", ["", *OTHER_SPELLINGS])
def test_other_spellings_are_refused(segment: str) -> None:
    with pytest.raises(Malformed, match="escaped"):
        path_encryption.unescape_segment(bytes.fromhex(segment))


@given(ours.paths, ours.keys, ours.real_ciphers)
def test_paths_come_back(path: bytes, key: bytes, cipher: PathCipher) -> None:
    encrypted = path_encryption.encrypt_path(path, key, cipher)
    assert path_encryption.decrypt_path(encrypted, key, cipher) == path
    assert len(path_encryption.split(encrypted)) == len(path_encryption.split(path))


@pytest.mark.parametrize("cipher", [PathCipher.AES_GCM, PathCipher.SECRET_BOX])
def test_another_key_opens_nothing(cipher: PathCipher) -> None:
    encrypted = path_encryption.encrypt_component(b"name", KEY, cipher)
    with pytest.raises(Malformed, match="key"):
        path_encryption.decrypt_component(encrypted, bytes(32), cipher)
    with pytest.raises(Malformed, match="nonce"):
        path_encryption.decrypt_component(b"\x02abc", KEY, cipher)


def test_an_unspecified_cipher_does_neither() -> None:
    with pytest.raises(NotPermitted):
        path_encryption.encrypt_component(b"a", KEY, PathCipher.UNSPECIFIED)
    with pytest.raises(Malformed):
        path_encryption.decrypt_component(b"a", KEY, PathCipher.UNSPECIFIED)
