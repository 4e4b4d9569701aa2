"""A client, and a request of it that is pending: what the tables of this room change one thing about."""

from datetime import UTC, datetime, timedelta

from grantway.authorization.request import AccessRequest, Status
from grantway.clients.client import Client

NOW = datetime(2026, 3, 1, 12, 0, 0, 654_321, tzinfo=UTC)
CLIENT = Client(
    row_id="row",
    client_id="app",
    developer_id="dev",
    name="App",
    description="",
    redirect_uris=("https://app.example/cb", "http://localhost/cb"),
    scopes=(),
    required_scopes=(),
    is_active=True,
    created_at=NOW,
    updated_at=NOW,
)
REQUEST = AccessRequest(
    id="request",
    client=CLIENT,
    user_id="user",
    redirect_uri="https://app.example/cb",
    scopes=("read", "write", "bucket:photos;2024/", "bucket:music"),
    state=None,
    code_challenge=None,
    project_id=None,
    created_at=NOW - timedelta(seconds=10),
    expires_at=NOW + timedelta(seconds=50),
    status=Status.PENDING,
)
