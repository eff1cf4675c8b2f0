"""The server process: uvicorn with limits, and a way to stop that no accepted request notices.

Asked to stop, it says so on ``/readyz`` first and goes on serving for a moment, so that a load balancer looks away;
then it accepts no more, finishes what it has begun, and ends.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import uvicorn

from agrocredit.service.connections import Owing, bounded, connections_allowed

if TYPE_CHECKING:
    from types import FrameType

    from agrocredit.service.gate import Gate
    from agrocredit.service.platform import Platform

_KEEP_ALIVE_SECONDS = 5


class DrainingServer(uvicorn.Server):
    """A server that turns unready before it stops."""

    def __init__(self, config: uvicorn.Config, *, platform: Platform, owing: Owing) -> None:
        super().__init__(config)
        self._platform, self._owing = platform, owing
        self._stop_at_s: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; asked a second time, stop at once."""
        if self._platform.stopping.is_set():
            super().handle_exit(sig, frame)
            return
        self._platform.stopping.set()
        self._stop_at_s = time.monotonic() + self._platform.settings.drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Drop connections that are silent for too long; stop when the moment of grace is over."""
        self._owing.drop_late()
        if self._stop_at_s is not None and time.monotonic() >= self._stop_at_s:
            self.should_exit = True
        return await super().on_tick(counter)


def run_server(app: Gate, *, platform: Platform, host: str, port: int) -> None:
    """Serve until asked to stop."""
    make_server(
        app, platform=platform, host=host, port=port, owing=Owing(), connections_max=connections_allowed()
    ).run()


def make_server(
    app: Gate, *, platform: Platform, host: str, port: int, owing: Owing, connections_max: int
) -> DrainingServer:
    """Return the server, not yet running.

    Parameters
    ----------
    app : Gate
    platform : Platform
    host : str
    port : int
    owing : Owing
        Counts the connections that owe the head of a request.
    connections_max : int
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded(owing, connections_max=connections_max),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=platform.settings.stop_seconds_max,
    )
    return DrainingServer(config, platform=platform, owing=owing)
