"""The OpenAPI document: the framework's, with scopes, keys and problems as the table of routes declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request, Response

from agrocredit.service.problems import PROBLEM_JSON, STATUS
from agrocredit.service.route_table import ROUTES, Route
from agrocredit.service.strict_route import StrictRoute

if TYPE_CHECKING:
    from fastapi import FastAPI

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "trace_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(STATUS)},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "JSON pointer into the body, or a parameter or header"},
        "trace_id": {"type": "string"},
    },
}
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    "description": "Same key and body: same answer, one effect. Kept 30 days.",
}


router = APIRouter(route_class=StrictRoute)


@router.get("/v1/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """Return the OpenAPI document, made when first asked for."""
    state = request.app.state
    if state.document is None:
        state.document = orjson.dumps(document(request.app))
    return Response(state.document, media_type="application/json")


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an app."""
    schema = app.openapi()
    app.openapi_schema = None
    components = schema.setdefault("components", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components.get("schemas", {}).pop(unused, None)
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "an API key or a farmer's token"}
    }
    for route in ROUTES:
        operation = schema["paths"].get(route.path, {}).get(route.method.lower())
        if operation is not None:
            _complete(operation, route)
    return schema


def _complete(operation: dict[str, Any], route: Route) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status in _statuses(route):
        codes = ", ".join(sorted(code for code, found in STATUS.items() if found == status))
        responses[str(status)] = {
            "description": codes,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if route.public:
        return
    operation["security"] = [{"bearer": [route.scope]}]
    operation["description"] = f"{operation.get('description', '')}\n\nRoles: {', '.join(sorted(route.roles))}."
    if route.idempotent:
        operation.setdefault("parameters", []).append(_KEY_HEADER)


def _statuses(route: Route) -> list[int]:
    """Return the statuses of the problems a route can answer with."""
    statuses = {404, 405, 422, 500, 503}
    if not route.public:
        statuses |= {400, 401, 403, 413, 415, 429}
    if route.body_bytes_max:
        statuses |= {408}
    if route.method != "GET" or "decisions" in route.path:
        statuses |= {409}
    return sorted(statuses)
