"""The server process: uvicorn with limits, and a way to stop that no accepted request notices.

Asked to stop, it says so on ``/readyz`` first and goes on serving for a moment, so that a load balancer looks away;
then it accepts no more, finishes what it has begun, and ends.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

    from agrocredit.service.gate import Gate
    from agrocredit.service.platform import Platform

_KEEP_ALIVE_SECONDS = 5
_HEAD_BYTES_MAX = 16_384
_CONNECTIONS_MAX = 2_048


class DrainingServer(uvicorn.Server):
    """A server that turns unready before it stops."""

    def __init__(self, config: uvicorn.Config, *, platform: Platform) -> None:
        super().__init__(config)
        self._platform = platform
        self._stop_at_s: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; asked a second time, stop at once."""
        if self._platform.stopping.is_set():
            super().handle_exit(sig, frame)
            return
        self._platform.stopping.set()
        self._stop_at_s = time.monotonic() + self._platform.settings.drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Stop when the moment of grace is over."""
        if self._stop_at_s is not None and time.monotonic() >= self._stop_at_s:
            self.should_exit = True
        return await super().on_tick(counter)


def run_server(app: Gate, *, platform: Platform, host: str, port: int) -> None:
    """Serve until asked to stop."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=platform.settings.stop_seconds_max,
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
    )
    DrainingServer(config, platform=platform).run()
