"""What the routes stand on: the database, the policies, the published limits, the clock. Made once a process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Event
from typing import TYPE_CHECKING, Annotated, Protocol
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from agrocredit.service.caller import Caller
from agrocredit.service.exchange import exchange_of
from agrocredit.store.sql.credentials import tenant_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import pyarrow as pa
    import shapely

    from agrocredit.credit import CreditPolicy
    from agrocredit.domain.crop import Crop
    from agrocredit.service.published import PublishedLimits
    from agrocredit.service.secrets_file import Secrets
    from agrocredit.service.settings import Settings
    from agrocredit.service.workers import Workers
    from agrocredit.store.sql.database import Database


class Estimator(Protocol):
    """Estimates a plot that no flow has seen yet; runs elsewhere, since this process knows no pixels."""

    def __call__(
        self, geometry: shapely.Geometry, *, plot_id: str, crop: str, harvest_year: int, as_of: date
    ) -> Awaitable[pa.Table | None]:
        """Return a row of `agrocredit.domain.tables.ESTIMATES`, None where there is no evidence of the plot yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One process' dependencies."""

    database: Database
    settings: Settings
    secrets: Secrets
    workers: Workers
    published: PublishedLimits
    policies: Mapping[str, CreditPolicy]
    """By name; the first is the one that applications without a name are decided by."""
    crops: Mapping[str, Crop]
    now: Callable[[], datetime]
    """The instant, with its zone."""
    business_date: date | None = None
    """The lenders' calendar day, for seasons past or simulated; None means today in each lender's time zone."""
    estimator: Estimator | None = None
    stopping: Event = field(default_factory=Event)
    """Set once somebody asked the process to stop: it is not ready any more."""

    def business_on(self, tenant_id: str) -> date:
        """Return a lender's business date; blocking."""
        if self.business_date is not None:
            return self.business_date
        with self.database.oversee(read_only=True) as connection:
            zone = tenant_of(connection, tenant_id)["time_zone"]
        return self.now().astimezone(ZoneInfo(zone)).date()


def utc_now() -> datetime:
    """Return the instant."""
    return datetime.now(tz=UTC)


async def _platform(request: Request) -> Platform:
    found: Platform = request.app.state.platform
    return found


async def _caller(request: Request) -> Caller:
    caller = exchange_of(request.scope).caller
    if caller is None:
        msg = "a route asks for its caller and is declared public"
        raise RuntimeError(msg)
    return caller


PlatformDep = Annotated[Platform, Depends(_platform)]
CallerDep = Annotated[Caller, Depends(_caller)]
