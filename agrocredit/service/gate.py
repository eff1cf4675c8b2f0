"""The gate: every request passes it before any code of a route runs, and every answer leaves through it.

route -> caller -> role -> rate -> query -> body -> idempotency key -> the app, then the log and the figures

A plain ASGI callable: the framework's own middleware classes cost more than the look-up behind them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from agrocredit.service.exchange import Exchange, attach
from agrocredit.service.idempotency_key import checked_key
from agrocredit.service.problems import PROBLEM_JSON, Problem, problem_body, problem_of
from agrocredit.service.request_body import read_body, replay
from agrocredit.service.strict_json import check_text, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from agrocredit.service.access_log import AccessLog
    from agrocredit.service.caller import Caller
    from agrocredit.service.callers import Callers
    from agrocredit.service.metrics import Metrics
    from agrocredit.service.rate_limits import RateLimit
    from agrocredit.service.route_index import RouteIndex
    from agrocredit.service.route_table import Route
    from agrocredit.service.settings import Settings

_QUERY_FIELDS_MAX = 8


class Gate:
    """Wraps the app.

    Parameters
    ----------
    app : ASGI callable
        Sees declared, admitted requests with a parsed body only.
    routes, callers, metrics, log : RouteIndex, Callers, Metrics, AccessLog
    key_rate, tenant_rate : RateLimit
    settings : Settings
    ready : mapping of path template to callable
        Routes whose JSON is at hand: given caller and path, they answer here, without the cost of the framework.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: RouteIndex,
        callers: Callers,
        key_rate: RateLimit,
        tenant_rate: RateLimit,
        metrics: Metrics,
        log: AccessLog,
        settings: Settings,
        ready: Mapping[str, Callable[[Caller, str], bytes]] | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._app, self._routes, self._callers, self._ready = app, routes, callers, ready or {}
        self._key_rate, self._tenant_rate = key_rate, tenant_rate
        self._metrics, self._log, self._settings, self._clock = metrics, log, settings, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and stop."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        begun_s = self._clock()
        exchange = Exchange()
        attach(scope, exchange)
        send = exchange.watch(send)
        self._metrics.in_flight.inc()
        try:
            await self._serve(scope, receive, send, exchange)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem and no stack
            await self._refuse(error, send, exchange)
        finally:
            self._metrics.in_flight.dec()
            seconds = self._clock() - begun_s
            self._metrics.count(exchange, seconds=seconds)
            self._log.answered(exchange, seconds=seconds)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, exchange: Exchange) -> None:
        path: str = scope["path"]
        check_text(path, field="path")
        route = exchange.route = self._routes.find(scope["method"], path)
        headers = _once(scope["headers"])
        caller = None if route.public else await self._admit(scope, headers, route, exchange)
        _check_query(scope["query_string"], route)
        if route.body_bytes_max or b"content-length" in headers or b"transfer-encoding" in headers:
            settings = self._settings
            exchange.body = await read_body(
                receive, headers, bytes_max=route.body_bytes_max, seconds_max=settings.body_seconds_max
            )
            receive = replay(exchange.body, receive)
            if route.body_bytes_max:
                exchange.value = parse(exchange.body)
        answer = self._ready.get(route.path)
        if answer is not None and caller is not None:
            await _send_json(send, answer(caller, path))
            return
        if route.idempotent:
            exchange.idempotency_key = checked_key(headers.get(b"idempotency-key"))
        try:
            async with asyncio.timeout(self._settings.request_seconds_max):
                await self._app(scope, receive, send)
        except TimeoutError:
            raise Problem("timeout", f"no answer within {self._settings.request_seconds_max} s") from None

    async def _admit(self, scope: Scope, headers: Mapping[bytes, bytes], route: Route, exchange: Exchange) -> Caller:
        peer = scope.get("client")
        caller = exchange.caller = await self._callers.find(headers, address=peer[0] if peer else "")
        self._tenant_rate.check(caller.tenant_id)
        self._key_rate.take((caller.tenant_id, caller.subject))
        self._tenant_rate.take(caller.tenant_id)
        caller.may(route)
        return caller

    async def _refuse(self, error: Exception, send: Send, exchange: Exchange) -> None:
        problem = problem_of(error)
        if problem.code == "internal_error":
            self._log.failed(exchange, error)
        if exchange.code is not None:  # the app has answered with the problem and raised the error for the log
            return
        if exchange.status:  # the answer has begun: it cannot be taken back
            raise error
        exchange.code = problem.code
        status, body, headers = problem_body(problem, trace_id=exchange.trace_id)
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        pairs += [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


async def _send_json(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _once(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers by name; those that decide something may stand once only."""
    headers = dict(pairs)
    if len(headers) < len(pairs):
        names = [name for name, _ in pairs]
        for name in (b"authorization", b"content-length", b"content-type", b"idempotency-key", b"host"):
            if names.count(name) > 1:
                raise Problem("request_invalid", "the header stands twice", field=name.decode())
    return headers


def _check_query(query: bytes, route: Route) -> None:
    """Refuse parameters that the route does not declare, or that stand twice."""
    if not query:
        return
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS_MAX
        )
    except ValueError:
        detail = f"the query is not up to {_QUERY_FIELDS_MAX} percent-encoded UTF-8 fields"
        raise Problem("parameter_invalid", detail) from None
    names = [name for name, _ in pairs]
    for name, value in pairs:
        check_text(name, field="query")
        if name not in route.query or names.count(name) > 1:
            expected = ", ".join(sorted(route.query)) or "none"
            raise Problem(
                "parameter_invalid", f"parameter {name[:64]!a}, expected {expected}, each once", field=name[:64]
            )
        check_text(value, field=name)
