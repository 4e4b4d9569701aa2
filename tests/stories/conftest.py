"""One running server for each file of stories, and fresh people for each story."""

from collections.abc import Iterator

import pytest
from tests.stories.running import App, Person, Server, new_app, person, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture(scope="module")
def developer(server: Server) -> Person:
    return person(server, "developer")


@pytest.fixture(scope="module")
def user(server: Server) -> Person:
    return person(server)


@pytest.fixture
def client(server: Server, developer: Person) -> App:
    return new_app(server, developer)
