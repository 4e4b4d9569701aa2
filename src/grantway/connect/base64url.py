"""Bytes as letters that URLs and forms take as they are; the server has this too, of which nothing is known here."""

from base64 import urlsafe_b64encode


def encoded(data: bytes) -> str:
    """base64url without padding (RFC 4648 section 5, RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
