"""base64url as RFC 4648 has it, the same in the house and in the library that apps import."""

from collections.abc import Callable

import pytest

from grantway import base64url
from grantway.connect import base64url as of_connect

# RFC 4648 section 10, without the padding
VECTORS = {b"": "", b"f": "Zg", b"fo": "Zm8", b"foo": "Zm9v", b"foob": "Zm9vYg", b"fooba": "Zm9vYmE", b"foobar": "Zm9vYmFy"}


@pytest.mark.parametrize("encoded", [base64url.encoded, of_connect.encoded])
def test_letters(encoded: Callable[[bytes], str]) -> None:
    assert {data: encoded(data) for data in VECTORS} == VECTORS
    assert encoded(b"\xfb\xff\xfe") == "-__-"
