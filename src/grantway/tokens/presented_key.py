"""The key in what an app presents: an API key, or the access grant around one."""

import contextlib

from grantway.access_grant import AccessGrant, ApiKey, Malformed


def read(token: str) -> ApiKey | None:
    """The API key that a token is, or that is in the access grant that it is; None for what is neither."""
    for reader in (ApiKey.parse, lambda text: AccessGrant.parse(text).api_key):
        with contextlib.suppress(Malformed):
            return reader(token)
    return None
