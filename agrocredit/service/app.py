"""The app: nouns behind the gate, one way out for every error."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agrocredit import __version__
from agrocredit.domain.errors import AgrocreditError
from agrocredit.service import (
    applications,
    audit,
    decisions,
    events,
    health,
    limits,
    loans,
    openapi,
    people,
    plots,
    regions,
    tokens,
)
from agrocredit.service.access_log import AccessLog
from agrocredit.service.callers import Callers
from agrocredit.service.credential_store import CredentialStore
from agrocredit.service.database_watch import watch_database
from agrocredit.service.exchange import exchange_of
from agrocredit.service.gate import Gate
from agrocredit.service.metrics import Metrics
from agrocredit.service.problems import PROBLEM_JSON, Problem, problem_body, problem_of
from agrocredit.service.rate_limits import RateLimit
from agrocredit.service.route_index import RouteIndex
from agrocredit.service.route_table import ROUTES
from agrocredit.service.validation import problem_of_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from agrocredit.service.platform import Platform

NOUNS = (plots, people, limits, applications, decisions, loans, regions, events, audit, tokens, health, openapi)
_SECONDS_A_MINUTE = 60


def create_app(
    platform: Platform, *, log: AccessLog | None = None, clock: Callable[[], float] = time.monotonic
) -> Gate:
    """Return the ASGI app of the service.

    Parameters
    ----------
    platform : Platform
        What it stands on.
    log : AccessLog, optional
        To stderr without it.
    clock : callable
        Monotonic seconds.
    """
    settings, metrics = platform.settings, Metrics()
    routes = create_routes(platform, metrics)
    callers = Callers(
        CredentialStore(platform.database),
        secrets=platform.secrets,
        workers=platform.workers,
        guesses=RateLimit(
            per_s=settings.guesses_per_minute / _SECONDS_A_MINUTE, burst=settings.guesses_per_minute, clock=clock
        ),
        clock=clock,
        now_s=lambda: platform.now().timestamp(),
    )
    return Gate(
        routes,
        routes=RouteIndex(ROUTES),
        callers=callers,
        key_rate=RateLimit(per_s=settings.key_requests_per_s, burst=settings.key_requests_burst, clock=clock),
        tenant_rate=RateLimit(per_s=settings.tenant_requests_per_s, burst=settings.tenant_requests_burst, clock=clock),
        metrics=metrics,
        log=log or AccessLog(),
        settings=settings,
        ready={limits.LOOK_UP: limits.ready_limit(platform.published)},
        clock=clock,
    )


def create_routes(platform: Platform, metrics: Metrics) -> FastAPI:
    """Return the routes without the gate: what the table of routes is checked against."""
    app = FastAPI(
        title="agrocredit",
        version=__version__,
        description="Plots, limits, applications, decisions and loans. Every error is a problem+json (RFC 9457).",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.platform, app.state.metrics, app.state.document = platform, metrics, None
    for noun in NOUNS:  # flat: nested routers are searched one inside the other at every request
        app.router.routes.extend(noun.router.routes)
    for kind in (Problem, AgrocreditError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Seal the log and watch the database while the process lives, and let work in threads end before it does."""
    platform: Platform = app.state.platform
    tasks = [asyncio.create_task(each) for each in (audit.keep_sealing(platform), watch_database(platform))]
    yield
    for task in tasks:
        task.cancel()
    platform.workers.close()
    platform.database.close()


async def _answer(request: Request, error: Exception) -> Response:
    problem = _problem(error)
    exchange = exchange_of(request.scope)
    exchange.code = problem.code
    status, body, headers = problem_body(problem, trace_id=exchange.trace_id)
    return Response(body, status_code=status, headers=headers, media_type=PROBLEM_JSON)


def _problem(error: Any) -> Problem:  # noqa: ANN401 - any exception
    if isinstance(error, RequestValidationError):
        return problem_of_errors(error.errors())
    if isinstance(error, HTTPException):  # the framework's own; the gate has answered unknown paths and methods before
        return Problem("request_invalid", "the request cannot be read")
    return problem_of(error)
