"""Whether this process lives, and whether it can answer."""

import msgspec

from grantway.oauth_error import UnavailableError
from grantway.web.call import Answer, Call, Endpoint


class HealthAnswer(msgspec.Struct):
    """All is well."""

    status: str


async def live(_call: Call) -> Answer:
    """The process answers; says nothing of what it depends on."""
    return Answer(body=HealthAnswer("live"))


async def ready(call: Call) -> Answer:
    """The process can do its work: the database answers."""
    if not call.house.is_ready():
        raise UnavailableError("the database does not answer")
    return Answer(body=HealthAnswer("ready"))


ENDPOINTS = (
    Endpoint(method="GET", path="/health/live", handler=live, summary="Whether the process lives", answer=HealthAnswer),
    Endpoint(method="GET", path="/health/ready", handler=ready, summary="Whether the process can do its work", answer=HealthAnswer),
)
