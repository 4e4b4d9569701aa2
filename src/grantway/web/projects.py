"""A user's projects (contract, section 2)."""

import msgspec

from grantway.accounts.account import Kind
from grantway.accounts.project import Project
from grantway.oauth_error import NOT_FOUND
from grantway.web.answer import Answer, iso
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited

PATH = "/api/v0/projects"


class ProjectBody(msgspec.Struct):
    """A new project."""

    name: str


class ProjectAnswer(msgspec.Struct):
    """A project as its owner sees it."""

    id: str
    name: str
    created_at: str


async def list_all(call: Call) -> Answer:
    """One's own projects, the oldest first."""
    return Answer(body=[_shown(project) for project in await call.house.projects.of(call.account)])


async def make(call: Call) -> Answer:
    """Make one more."""
    body: ProjectBody = call.body
    return Answer(201, _shown(await call.house.projects.make(call.account, body.name, call.now)))


async def delete(call: Call) -> Answer:
    """Delete one; every access grant for it is dead then."""
    await call.house.projects.delete(call.account, call.parameters["project_id"])
    return Answer(204)


def _shown(project: Project) -> ProjectAnswer:
    return ProjectAnswer(project.id, project.name, iso(project.created_at))


ENDPOINTS = (
    Endpoint(method="GET", path=PATH, handler=list_all, summary="One's own projects", answer=list[ProjectAnswer], signed_in=Kind.USER),
    Endpoint(
        method="POST",
        path=PATH,
        handler=make,
        summary="Make a project",
        body=ProjectBody,
        answer=ProjectAnswer,
        status=201,
        signed_in=Kind.USER,
        limited=Limited.CHANGE,
    ),
    Endpoint(
        method="DELETE",
        path=f"{PATH}/{{project_id}}",
        handler=delete,
        summary="Delete a project; every access grant for it is dead then",
        status=204,
        signed_in=Kind.USER,
        errors=(NOT_FOUND,),
    ),
)
