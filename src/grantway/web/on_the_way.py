"""From which app a person is on the way while they sign in: named only when its request would be put before them afterwards."""

from dataclasses import replace

from grantway.oauth_error import RefusedError
from grantway.web import authorize, integration
from grantway.web.call import Call
from grantway.web.rate_limits import Limited

_ASKING = {authorize.AUTHORIZE: authorize.asking, integration.PATH: integration.asking}


async def app(call: Call, goes_on: str) -> str:
    """The name of the app whose request is at `goes_on`, a path of ours with its query; empty when it is no request, or is refused."""
    path, _, query = goes_on.partition("?")
    if path not in _ASKING:
        return ""
    try:
        # as at the page itself: or here anybody could look clients up as often as they like. One too many is told no name
        call.house.rate_limits.count(Limited.TOKEN_REQUEST, call.address)
        client = await _ASKING[path](replace(call, query_string=query))
    except RefusedError:
        return ""
    return client.name if client else ""
