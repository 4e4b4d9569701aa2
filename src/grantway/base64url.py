"""Bytes as letters that URLs, headers and cookies take as they are."""

from base64 import urlsafe_b64encode


def encoded(data: bytes) -> str:
    """base64url without padding (RFC 4648 section 5, RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
