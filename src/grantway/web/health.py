"""Whether this process lives, whether it can answer, and the server's figures."""

import hmac

import msgspec

from grantway.oauth_error import NOT_FOUND, RefusedError, UnavailableError
from grantway.web.answer import Answer, PlainText
from grantway.web.call import Call, Endpoint
from grantway.web.metrics import CONTENT_TYPE


class HealthAnswer(msgspec.Struct):
    """All is well."""

    status: str


async def live(_call: Call) -> Answer:
    """The process answers; says nothing of what it depends on."""
    return Answer(body=HealthAnswer("live"))


async def ready(call: Call) -> Answer:
    """The process can do its work: the database answers."""
    if not await call.house.is_ready():
        raise UnavailableError("the database does not answer")
    return Answer(body=HealthAnswer("ready"))


async def metrics(call: Call) -> Answer:
    """The server's figures, for whoever has the operator's token; for others there is nothing here."""
    token = call.house.metrics_token
    presented = call.headers.get("authorization", "")
    if not token or not hmac.compare_digest(presented.encode(), f"Bearer {token}".encode()):
        raise RefusedError(NOT_FOUND)
    return Answer(body=PlainText(call.house.metrics.text(), CONTENT_TYPE))


ENDPOINTS = (
    Endpoint(
        method="GET", path="/health/live", handler=live, summary="Whether the process lives", answer=HealthAnswer, is_always_admitted=True
    ),
    Endpoint(
        method="GET",
        path="/health/ready",
        handler=ready,
        summary="Whether the process can do its work",
        answer=HealthAnswer,
        is_always_admitted=True,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        handler=metrics,
        summary="The server's figures for Prometheus",
        errors=(NOT_FOUND,),
        is_always_admitted=True,
    ),
)
