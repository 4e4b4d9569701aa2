"""A page that was opened under another host than the issuer's: where it is under the issuer.

`Host` and `Referer` are compared and never believed: each link leads to the issuer. It is a link and no redirect, which would never end
where a proxy rewrites `Host`.
"""

from urllib.parse import quote

from grantway.web.call import Call
from grantway.web.side import Side

URI = "%/:=&?~#+!$,;'@()*[]-._"
"""What stays as it is in a link or a Location: a URI's own signs, and `%`, because it is encoded already."""


def asked_for(call: Call) -> str:
    """The page that is asked for, under the issuer; empty when its forms can be sent from where it was opened, as far as one can see."""
    host, house = call.headers.get("host", "").lower(), call.house
    # with https there is a proxy in front, which may tell another host than the browser's; a form's Origin is the browser's own word
    if house.is_https or not host or f"http://{host}" == house.origin or call.headers.get("origin") == house.origin:
        return ""
    path = quote(call.path)
    return _there(call, f"{path}?{call.query_string}" if call.query_string else path)


def sent_from(call: Call, side: Side) -> str:
    """The page with the form that was sent, under the issuer; where one arrives there, when nothing tells which page it was."""
    came, host = call.headers.get("referer", ""), call.headers.get("host", "")
    ours = next((one for one in (f"http://{host}", f"https://{host}") if host and came.startswith(f"{one}/")), None)
    return _there(call, came.removeprefix(ours) if ours else side.home)


def _there(call: Call, target: str) -> str:
    return call.house.origin + quote(target, safe=URI)
