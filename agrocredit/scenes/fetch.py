"""The fetcher: bytes of one checked location into an open file. A protocol, the real one, and a fake beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.scenes.hrefs import Access, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Bounds of one download. A Sentinel-2 band of a whole tile has 0.13 GB; ten times that is no band of ours."""

    size_bytes_max: int = 2_000_000_000
    redirects_max: int = 5
    attempts_max: int = 5
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    deadline_s: float = 900.0
    """All attempts together."""
    backoff_s: float = 0.5
    """Before the second attempt; doubles with each."""
    backoff_s_max: float = 20.0


class Fetcher(Protocol):
    """Brings remote bytes here."""

    def fetch(self, location: Location, target: BinaryIO) -> None:
        """Write all bytes of a location, or raise; what was written before an error is void.

        Raises
        ------
        RefusedError
            ``href_not_allowed`` or ``asset_unreadable``.
        """
        ...


@dataclass(slots=True)
class FakeFetcher:
    """Serves bytes from memory and remembers what it was asked for."""

    contents: Mapping[str, bytes]
    """URL -> bytes."""
    asked: list[str] = field(default_factory=list)

    def fetch(self, location: Location, target: BinaryIO) -> None:
        """Write the bytes of a known URL.

        Raises
        ------
        RefusedError
            ``asset_unreadable`` for a URL it does not hold.
        """
        self.asked.append(location.href)
        if location.href not in self.contents:
            raise RefusedError("asset_unreadable", f"{location.href} does not exist")
        target.write(self.contents[location.href])


@dataclass(frozen=True, slots=True)
class RemoteFetcher:
    """Sends each location to the fetcher of its kind."""

    access: Access
    limits: FetchLimits = field(default_factory=FetchLimits)

    def fetch(self, location: Location, target: BinaryIO) -> None:
        """Write all bytes of a location over https or from an object store.

        Raises
        ------
        RefusedError
            ``href_not_allowed`` or ``asset_unreadable``.
        """
        if location.kind == "s3":
            from agrocredit.scenes.object_store import ObjectStoreFetcher  # obstore only where a bucket is read

            ObjectStoreFetcher(limits=self.limits).fetch(location, target)
        else:
            from agrocredit.scenes.https import HttpsFetcher

            HttpsFetcher(access=self.access, limits=self.limits).fetch(location, target)


_FITS: type[Fetcher] = FakeFetcher
_FITS_TOO: type[Fetcher] = RemoteFetcher
