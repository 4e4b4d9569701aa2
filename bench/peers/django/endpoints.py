"""oauthlib's server without refresh tokens, which the exchange would otherwise make and store as well."""

from oauthlib.oauth2 import Server


class NoRefreshTokens(Server):
    """As django-oauth-toolkit sets it up, but codes give access tokens alone."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.auth_grant.refresh_token = False
