"""A browser without a screen: it keeps cookies, reads forms, fills them in and presses buttons, and follows no redirect by itself."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx
from tests.no_tls import NO_TLS


@dataclass
class Form:
    """A form as it stands on the page: where it goes and what it would send, without any button."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    ticked: list[tuple[str, str]] = field(default_factory=list)
    fixed: list[tuple[str, str]] = field(default_factory=list)
    """Those of `ticked` that stand there hidden: nobody can untick them."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.forms.append(Form(has.get("action") or ""))
        if tag != "input" or not self.forms or not has.get("name") or "disabled" in has:
            return
        named = (has["name"] or "", has.get("value") or "")
        if has.get("type") in {"checkbox", "radio"}:
            self.forms[-1].ticked += [named] if "checked" in has else []
        elif named[0] == "scope":  # one of many, like a box that is always ticked
            self.forms[-1].ticked.append(named)
            self.forms[-1].fixed.append(named)
        else:
            self.forms[-1].fields.append(named)


BROWSERS: list["Browser"] = []
"""Those that were opened, for whoever closes them."""


class Browser:
    """One person's browser at one server, addressed as its issuer says."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.http = httpx.Client(base_url=issuer, timeout=60, verify=NO_TLS)
        self.page: httpx.Response
        BROWSERS.append(self)

    def open(self, url: str) -> httpx.Response:
        """Go there; redirects within the server are followed, those that lead out are not."""
        self.page = self.http.get(url)
        return self._follow()

    def form(self, action: str) -> Form:
        """The form on the page that goes to `action`."""
        reader = _Reader()
        reader.feed(self.page.text)
        return next(form for form in reader.forms if form.action == action)

    def send(self, action: str, *untick: str, **values: str | list[str]) -> httpx.Response:
        """Fill in the page's form and send it, with `untick`ed boxes left out. A list is for fields of one name, in the page's order. A
        password is repeated where the page wants it."""
        form = self.form(action)
        if "again" in dict(form.fields):
            values.setdefault("again", values.get("new") or values.get("password") or "")
        kept = [one for one in form.ticked if one in form.fixed or (one[0] not in values and one[1] not in untick)]
        sent = {name: [value] if isinstance(value, str) else list(value) for name, value in values.items()}
        for name, value in [*(one for one in form.fields if one[0] not in values), *kept]:
            sent.setdefault(name, []).append(value)
        self.page = self.http.post(action, data=sent, headers={"Origin": self.issuer})
        return self._follow()

    def register(self, email: str, password: str) -> None:
        """Fill in the registration page."""
        self.send("/register", name="Uma", email=email, password=password)

    def _follow(self) -> httpx.Response:
        while self.page.is_redirect and self.page.headers["location"].startswith("/"):
            self.page = self.http.get(self.page.headers["location"])
        return self.page


def came_back(answer: httpx.Response) -> dict[str, str]:
    """The parameters with which the browser is sent back to the app."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
