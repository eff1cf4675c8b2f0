"""https with every hop checked: scheme, host, resolved address, size, time. GDAL never sees a URL.

Each hop is resolved once and connected to the address that was checked; TLS still proves the host's name. Proxies of
the environment are not used, because behind one the address is chosen by somebody else.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin

import httpx

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.addresses import checked_address, resolve_by_system
from agrocredit.scenes.fetch import FetchLimits
from agrocredit.scenes.hrefs import check_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agrocredit.scenes.addresses import Resolver
    from agrocredit.scenes.hrefs import Access, Location

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WORTH_ANOTHER_TRY = frozenset({404, 408, 425, 429, 500, 502, 503, 504})
"""404 among them: object stores answer it for a moment while an object settles or a cache turns over."""


class _AgainError(Exception):
    """An attempt failed in a way that the next may not."""

    def __init__(self, why: str, *, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsFetcher:
    """Fetches one URL with retries, backoff and a deadline."""

    access: Access
    limits: FetchLimits = field(default_factory=FetchLimits)
    resolve: Resolver = resolve_by_system
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def fetch(self, location: Location, target: BinaryIO) -> None:
        """Write the body of a GET.

        Raises
        ------
        RefusedError
            ``href_not_allowed`` where a hop may not be asked, ``asset_unreadable`` after the last attempt.
        """
        self.send(location.href, target)

    def send(
        self,
        url: str,
        target: BinaryIO,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Write the body of the answer to a request; redirects of a GET are followed and checked.

        Raises
        ------
        RefusedError
            ``href_not_allowed`` where a hop may not be asked, ``asset_unreadable`` after the last attempt.
        """
        deadline = self.monotonic() + self.limits.deadline_s
        start = target.tell()
        why = "no attempt"
        with self._client() as client:
            for attempt in range(self.limits.attempts_max):
                target.seek(start)
                target.truncate()
                try:
                    self._attempt(client, url, target, deadline=deadline, method=method, headers=headers, body=body)
                except _AgainError as error:
                    why = str(error)
                    pause_s = max(error.wait_s, self._backoff_s(url, attempt))
                else:
                    return
                if attempt + 1 == self.limits.attempts_max or self.monotonic() + pause_s > deadline:
                    break
                self.sleep(pause_s)
        raise RefusedError("asset_unreadable", f"{url} could not be fetched in {attempt + 1} attempts: {why}")

    def _client(self) -> httpx.Client:
        timeout = httpx.Timeout(self.limits.read_timeout_s, connect=self.limits.connect_timeout_s)
        return httpx.Client(
            verify=httpx.create_ssl_context(trust_env=True), timeout=timeout, trust_env=False, follow_redirects=False
        )

    def _backoff_s(self, url: str, attempt: int) -> float:
        """Double each time, spread by the URL so that a thousand workers do not come back in the same instant."""
        spread = hashlib.sha256(f"{url}|{attempt}".encode()).digest()[0] / 255
        pause_s: float = min(self.limits.backoff_s * 2.0**attempt, self.limits.backoff_s_max)
        return pause_s * (0.5 + 0.5 * spread)

    def _attempt(
        self,
        client: httpx.Client,
        url: str,
        target: BinaryIO,
        *,
        deadline: float,
        method: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> None:
        for _ in range(self.limits.redirects_max + 1):
            request = self._request(client, url, method=method, headers=headers, body=body)
            try:
                response = client.send(request, stream=True)
            except httpx.TransportError as error:
                raise _AgainError(f"{type(error).__name__} {error}") from error
            try:
                if response.status_code not in _REDIRECTS:
                    self._take(response, target, url=url, deadline=deadline)
                    return
                url = urljoin(url, response.headers.get("location", ""))
                if method != "GET":
                    raise RefusedError("href_not_allowed", f"{method} was redirected to {url!r}, expected an answer")
            finally:
                response.close()
        raise RefusedError("href_not_allowed", f"more than {self.limits.redirects_max} redirects, the last to {url!r}")

    def _request(
        self, client: httpx.Client, url: str, *, method: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> httpx.Request:
        location = check_url(url, access=self.access)
        if location.kind != "http":
            raise RefusedError("href_not_allowed", f"redirected to {url!r}, expected https")
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise RefusedError("href_not_allowed", f"href {url[:200]!r}: {error}") from error
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        address = checked_address(parsed.host, port, named=location.named, resolve=self.resolve)
        sent = {
            **(headers or {}),
            "host": parsed.netloc.decode("ascii"),
            "accept-encoding": "identity",
            "user-agent": "agrocredit",
        }
        pinned = parsed.copy_with(host=address)
        return client.build_request(
            method, pinned, headers=sent, content=body, extensions={"sni_hostname": parsed.raw_host.decode("ascii")}
        )

    def _take(self, response: httpx.Response, target: BinaryIO, *, url: str, deadline: float) -> None:
        status = response.status_code
        if status in _WORTH_ANOTHER_TRY:
            raise _AgainError(f"status {status}", wait_s=_retry_after_s(response, self.limits.backoff_s_max))
        if not 200 <= status < 300:
            raise RefusedError("asset_unreadable", f"{url} answered with status {status}")
        taken = 0
        try:
            # as it comes, not in blocks: a server that drips a byte a second must meet the deadline
            for chunk in response.iter_raw():
                taken += len(chunk)
                if taken > self.limits.size_bytes_max:
                    raise RefusedError(
                        "asset_unreadable", f"{url} has more than {self.limits.size_bytes_max} bytes, the most we take"
                    )
                if self.monotonic() > deadline:
                    raise _AgainError(f"{taken} bytes at the deadline of {self.limits.deadline_s} s")
                target.write(chunk)
        except httpx.TransportError as error:
            raise _AgainError(f"{type(error).__name__} {error} after {taken} bytes") from error


def _retry_after_s(response: httpx.Response, most_s: float) -> float:
    text = response.headers.get("retry-after", "")
    return min(float(text), most_s) if text.isascii() and text.isdigit() else 0.0
