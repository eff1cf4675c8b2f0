"""Routes whose body is the one that the gate parsed; the framework's own reader takes NaN and double keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from starlette.requests import Request

from agrocredit.service.exchange import exchange_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response


class _ParsedRequest(Request):
    async def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as the gate read it."""
        return exchange_of(self.scope).value


class StrictRoute(APIRoute):
    """The class of every route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, given requests that are parsed already."""
        handler = super().get_route_handler()

        async def parsed(request: Request) -> Response:
            return await handler(_ParsedRequest(request.scope, request.receive))

        return parsed
