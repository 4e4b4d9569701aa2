"""The key in what an app presents: an API key, or the access grant around one."""

from grantway.access_grant import ApiKey, Malformed, key_in


def read(token: str) -> ApiKey | None:
    """The API key that a token is, or that is in the access grant that it is; None for what is neither."""
    try:
        return key_in(token)
    except Malformed:
        return None
