"""A local HTTP server that answers byte ranges after a delay and keeps a log, so that round trips can be counted."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(slots=True)
class RequestLog:
    """When each request came and was answered, by the monotonic clock in s."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def clear(self) -> None:
        """Forget all requests."""
        self.spans.clear()

    def round_trips(self) -> int:
        """Return how many answers had to be waited for one after the other: requests that overlap are one trip."""
        trips, first_answer = 0, float("-inf")
        for start, end in sorted(self.spans):
            if start >= first_answer:
                trips, first_answer = trips + 1, end
        return trips


@contextmanager
def serve(folder: Path, *, delay_s: float) -> Iterator[tuple[str, RequestLog]]:
    """Serve a folder on this machine; yield its address and the log."""
    log = RequestLog()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            start = time.monotonic()
            time.sleep(delay_s)
            data = (folder / self.path.lstrip("/")).read_bytes()
            found = _RANGE.fullmatch(self.headers.get("Range", ""))
            status = HTTPStatus.OK if found is None else HTTPStatus.PARTIAL_CONTENT
            total = len(data)
            first, last = (0, total - 1) if found is None else (int(found[1]), min(int(found[2]), total - 1))
            self.send_response(status)
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT")
            if found is not None:
                self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
            self.end_headers()
            self.wfile.write(data[first : last + 1])
            log.spans.append((start, time.monotonic()))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", log
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
