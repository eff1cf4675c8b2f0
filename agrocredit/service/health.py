"""Whether the process lives, whether it can work, and what it has counted."""

from __future__ import annotations

import hmac
import ipaddress

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agrocredit.service.fields import Answer
from agrocredit.service.metrics import Metrics
from agrocredit.service.platform import PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.schema import check_schema

router = APIRouter(route_class=StrictRoute, tags=["operations"])


class Health(Answer):
    """How it is."""

    status: str


@router.get("/healthz")
async def live() -> Health:
    """Answer as long as the process can."""
    return Health(status="live")


@router.get("/readyz")
async def ready(platform: PlatformDep) -> Health:
    """Answer 200 while requests are welcome: the database is there with the right schema, and nobody asked to stop."""
    if platform.stopping.is_set():
        raise Problem("shutting_down", "this process finishes what it has begun and takes no more")
    await platform.workers.run(lambda: check_schema(platform.database), urgent=True)
    return Health(status="ready")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def figures(request: Request, platform: PlatformDep) -> Response:
    """Give Prometheus the figures; to anybody else this is not there."""
    if not _may_scrape(request, token=platform.settings.metrics_token):
        raise Problem("not_found", "nothing is here under this path")
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _may_scrape(request: Request, *, token: str) -> bool:
    """Let in who has the token; where none is set, only this machine, and nothing that came through a proxy."""
    if token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    if request.client is None or any(name in request.headers for name in ("forwarded", "x-forwarded-for", "via")):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
