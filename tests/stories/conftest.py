"""One running server for each file of stories, and fresh people for each story."""

from collections.abc import Iterator

import pytest
from tests.stories.browser import BROWSERS, Browser
from tests.stories.portal import developer_at
from tests.stories.running import App, Person, Server, new_app, person
from tests.stories.scene import Scene
from tests.stories.victims import somebody


@pytest.fixture(autouse=True)
def browsers_closed() -> Iterator[None]:
    """Close every browser at the end of a story."""
    yield
    while BROWSERS:
        BROWSERS.pop().http.close()


@pytest.fixture(scope="module")
def user(server: Server) -> Person:
    return person(server)


@pytest.fixture
def client(server: Server, developer: Person) -> App:
    return new_app(server, developer)


@pytest.fixture(scope="module")
def cookies(server: Server) -> dict[str, str]:
    """Those of a developer who stays signed in through the file: registering takes its time."""
    return dict(developer_at(server).http.cookies)


@pytest.fixture
def dana(server: Server, cookies: dict[str, str]) -> Browser:
    """A developer, signed in. A story that signs out, or looks at all apps, takes one of its own."""
    one = Browser(server.grantway.house.issuer)
    one.http.cookies.update(cookies)
    return one


@pytest.fixture
def scene(server: Server, developer: Person, user: Person) -> Scene:
    """A new app, and people who stay through the file."""
    return Scene(server, developer, user, new_app(server, developer))


@pytest.fixture
def browser(server: Server) -> Browser:
    """Somebody new, registered and signed in."""
    return somebody(server)
