"""What an app has to handle: one family of errors, each with what the server said and the `trace_id` that leads to why."""


class ConnectError(Exception):
    """Something did not work.

    `error` is the server's word for it (RFC 6749 sections 4.1.2.1 and 5.2), or ours where it never got that far. `description` is a
    sentence for the app's log, `status` the HTTP status where there was an answer, and `trace_id` finds the reason at the server
    (`grantway explain`, the developer's findings). No secret, code, passphrase or key is in any of them.
    """

    def __init__(self, error: str, description: str, *, status: int | None = None, trace_id: str | None = None) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status
        self.trace_id = trace_id

    def __str__(self) -> str:
        trace = f" (trace_id {self.trace_id})" if self.trace_id else ""
        return f"{self.error}: {self.description}{trace}"


class DeniedError(ConnectError):
    """The person said no. That is an answer, and no fault: show the page that they came from."""


class CallbackError(ConnectError):
    """What came to the redirect URI does not answer what this session asked: stale, doubled, or made by somebody else. Begin again."""


class RefusedError(ConnectError):
    """The server refuses. `retry_after` is in how many seconds another try makes sense, None where waiting does not help."""

    def __init__(
        self, error: str, description: str, *, status: int | None = None, trace_id: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(error, description, status=status, trace_id=trace_id)
        self.retry_after = retry_after


class NoAnswerError(ConnectError):
    """No usable answer came: the server is away, too slow, or something else answers at that address."""
