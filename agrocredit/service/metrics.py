"""Figures for Prometheus, by route template and never by identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from agrocredit.service.exchange import Exchange

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one server process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("agrocredit_http_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "agrocredit_http_request_seconds",
            "Time from the first byte to the answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._problems = Counter("agrocredit_problems", "Problems by code.", ("code",), registry=self._registry)
        self.in_flight = Gauge("agrocredit_http_requests_in_flight", "Requests begun.", registry=self._registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, exchange: Exchange, *, seconds: float) -> None:
        """Count one answered request."""
        route = exchange.route
        # An undeclared path is one series, whatever it was: labels must not grow with what strangers ask for.
        key = (route.method, route.path, exchange.status) if route else ("", "undeclared", exchange.status)
        found = self._children.get(key)
        if found is None:  # looking a child up by labels costs more than counting
            found = self._requests.labels(*key), self._seconds.labels(*key[:2])
            self._children[key] = found
        found[0].inc()
        found[1].observe(seconds)
        if exchange.code is not None:
            self._problems.labels(exchange.code).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)
