"""The OpenAPI 3.1 document, written from the table of endpoints and from the same types that parse the requests."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from grantway import __version__
from grantway.accounts.account import Kind
from grantway.oauth_error import INVALID_REQUEST, RATE_LIMITED, SERVER_ERROR, TEMPORARILY_UNAVAILABLE, UNAUTHORIZED, OAuthError
from grantway.web import form
from grantway.web.answer import ErrorBody
from grantway.web.call import COOKIE, Endpoint

_SCHEMA = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")


def document(endpoints: Sequence[Endpoint], issuer: str) -> dict[str, Any]:
    """The whole document, as JSON-ready values."""
    types = [kind for endpoint in endpoints for kind in (endpoint.body, endpoint.answer) if kind is not None]
    schemas, components = msgspec.json.schema_components([*types, ErrorBody], ref_template=_SCHEMA)
    by_type = dict(zip([*map(str, types), "error"], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Grantway", "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }


_SECURITY = {
    "user": {"type": "http", "scheme": "bearer", "description": "a session token of POST /api/v0/auth/token"},
    "user_cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "developer": {"type": "http", "scheme": "bearer", "description": "a session token of POST /api/v0/developer/auth/token"},
}
_SIGNED_IN: dict[Kind | None, list[dict[str, list[str]]]] = {
    None: [],
    Kind.USER: [{"user": []}, {"user_cookie": []}],
    Kind.DEVELOPER: [{"developer": []}],
}


def _operation(endpoint: Endpoint, by_type: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()} {endpoint.path}").strip("_"),
        "security": _SIGNED_IN[endpoint.signed_in],
        "responses": {str(endpoint.status): _success(endpoint, by_type), **_errors(endpoint, by_type)},
    }
    if names := _PARAMETER.findall(endpoint.path):
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    if endpoint.body is not None:
        content = {form.MEDIA_TYPE if endpoint.form else "application/json": {"schema": by_type[str(endpoint.body)]}}
        operation["requestBody"] = {"required": not endpoint.body_optional, "content": content}
    return operation


def _success(endpoint: Endpoint, by_type: dict[str, Any]) -> dict[str, Any]:
    if endpoint.answer is None:
        return {"description": "Done; there is no body."}
    return {"description": endpoint.summary, "content": {"application/json": {"schema": by_type[str(endpoint.answer)]}}}


def possible_errors(endpoint: Endpoint) -> list[OAuthError]:
    """Every refusal that this endpoint can answer with."""
    general = [INVALID_REQUEST] if endpoint.body is not None else []
    general += [UNAUTHORIZED] if endpoint.signed_in is not None else []
    general += [RATE_LIMITED] if endpoint.limited is not None else []
    return [*general, *endpoint.errors, SERVER_ERROR, TEMPORARILY_UNAVAILABLE]


def _errors(endpoint: Endpoint, by_type: dict[str, Any]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for error in possible_errors(endpoint):
        codes = by_status.setdefault(error.status, [])
        codes.extend([error.code] if error.code not in codes else [])
    content = {"application/json": {"schema": by_type["error"]}}
    return {
        str(status): {"description": ", ".join(f"`{code}`" for code in codes), "content": content}
        for status, codes in sorted(by_status.items())
    }
