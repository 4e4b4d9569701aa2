"""The refusals, as values: what every endpoint may answer instead of what was asked (contract, sections 1 to 3)."""

from dataclasses import dataclass, replace

from grantway.trail import Trail


@dataclass(frozen=True, slots=True)
class OAuthError:
    """One refusal as the caller sees it: HTTP `status`, `code` for programs, one safe sentence for people."""

    status: int
    code: str
    description: str
    retry_after: int | None = None
    """Seconds until another try makes sense, sent as `Retry-After`."""

    def saying(self, description: str) -> "OAuthError":
        """The same refusal with a sentence of its own, which must hold nothing secret and nothing that was sent."""
        return replace(self, description=description)

    def after(self, seconds: int) -> "OAuthError":
        """The same refusal, to be tried again in that many seconds."""
        return replace(self, retry_after=max(1, seconds))


class RefusedError(Exception):
    """A use case says no; the web answers with the `error` it carries, and `trail`, where a judge said so, is for the diagnosis."""

    def __init__(self, error: OAuthError, trail: Trail | None = None) -> None:
        super().__init__(error.code)
        self.error = error
        self.trail = trail


class UnavailableError(Exception):
    """Something that the answer needs is away (database, sealed secret, room for Argon2): 503, never the caller's fault."""

    def __init__(self, what: str, retry_after: int = 1) -> None:
        super().__init__(what)
        self.retry_after = retry_after


INVALID_REQUEST = OAuthError(400, "invalid_request", "The request is malformed.")
# one sentence whatever was wrong with the client: whoever asks learns nothing of it
INVALID_CLIENT = OAuthError(401, "invalid_client", "Client authentication failed.")
CLIENT_SECRET_EXPIRED = OAuthError(401, "client_secret_expired", "The JWT in client_secret has expired; sign a fresh one.")
INVALID_CODE = OAuthError(400, "invalid_code", "The code is unknown, was not issued to this client or cannot be used like this.")
CODE_EXPIRED = OAuthError(400, "code_expired", "The code has expired; ask the user again.")
CODE_ALREADY_USED = OAuthError(400, "code_already_used", "The code has been used before; a code is good for one exchange.")
INVALID_REDIRECT_URI = OAuthError(400, "invalid_redirect_uri", "redirect_uri is not the one that is expected here.")
INVALID_SCOPE = OAuthError(400, "invalid_scope", "The scopes are unknown, not allowed here or give no permission.")
NO_PROJECT = OAuthError(400, "no_project", "The user has no project to give access to.")
INVALID_CLIENT_ID = OAuthError(400, "invalid_client_id", "No app is registered under this client_id.")
CLIENT_INACTIVE = OAuthError(400, "client_inactive", "This app is disabled.")
INVALID_REQUEST_ID = OAuthError(400, "invalid_request_id", "There is no request with this request_id.")
REQUEST_NOT_PENDING = OAuthError(400, "request_not_pending", "This request has been answered already.")
REQUEST_EXPIRED = OAuthError(400, "request_expired", "This request has expired; the app has to ask again.")
INVALID_GRANT = OAuthError(400, "invalid_grant", "The code is unknown, used, expired, or was not issued to this client for this.")
UNSUPPORTED_GRANT_TYPE = OAuthError(400, "unsupported_grant_type", "grant_type must be authorization_code.")
UNAUTHORIZED = OAuthError(401, "unauthorized", "Sign in first: the session is missing, unknown or has ended.")
ACCOUNT_DELETED = UNAUTHORIZED.saying("This account was deleted a moment ago.")
# one sentence for both, which tells nobody who has an account
WRONG_CREDENTIALS = OAuthError(401, "unauthorized", "The e-mail address or the password is wrong.")
FORBIDDEN = OAuthError(403, "forbidden", "This is not yours to use.")
NOT_FOUND = OAuthError(404, "not_found", "There is nothing here under this name.")
METHOD_NOT_ALLOWED = OAuthError(405, "method_not_allowed", "This URL does not answer to this method.")
ALREADY_EXISTS = OAuthError(409, "already_exists", "This exists already.")
RATE_LIMITED = OAuthError(429, "rate_limited", "Too many requests; wait before trying again.")
SERVER_ERROR = OAuthError(500, "server_error", "The server failed; this is not your fault. Report the trace_id to the operator.")
TEMPORARILY_UNAVAILABLE = OAuthError(503, "temporarily_unavailable", "The server cannot answer right now; try again shortly.")
