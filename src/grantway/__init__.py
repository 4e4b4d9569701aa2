"""Grantway: the OAuth 2.0 authorization server for StorX and Storj storage."""

__version__ = "0.2.0"
