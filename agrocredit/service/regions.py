"""Regional figures for analysts: sums over enough farmers that nobody stands out, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from agrocredit.service.fields import Answer
from agrocredit.service.platform import CallerDep, PlatformDep
from agrocredit.service.problems import Problem
from agrocredit.service.strict_route import StrictRoute
from agrocredit.store.sql.region_queries import decided_by_outcome, has_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

router = APIRouter(route_class=StrictRoute, tags=["regions"])


class Cell(Answer):
    """One group of farmers."""

    outcome: str
    currency: str
    farmers: int
    limit_minor: int


class RegionSummary(Answer):
    """A region's season. A group under the minimum is left out, and so is the next smallest, or a difference tells."""

    region_id: str
    season: str
    farmers_min: int
    cells: list[Cell]
    suppressed: bool


@router.get("/v1/regions/{region_id}/summary")
async def region_summary(
    region_id: str,
    platform: PlatformDep,
    caller: CallerDep,
    season: Annotated[str, Query(pattern=r"^(19|20|21)[0-9]{2}$"), Field(description="the year of the harvest")],
) -> RegionSummary:
    """Return farmers and limits of a region by outcome."""

    def work() -> RegionSummary:
        with platform.database.read(caller.tenant_id) as session:
            if not has_region(session, region_id):
                raise Problem("not_found", "no such region, expected one of your own")
            rows = decided_by_outcome(session, region_id, season=season)
        farmers_min = platform.settings.group_farmers_min
        shown = shown_cells([dict(row) for row in rows], farmers_min=farmers_min)
        cells = [Cell.model_validate({**row, "limit_minor": int(row["limit_minor"])}) for row in shown]
        return RegionSummary(
            region_id=region_id,
            season=season,
            farmers_min=farmers_min,
            cells=cells,
            suppressed=len(shown) < len(rows),
        )

    return await platform.workers.run(work)


def shown_cells(rows: Sequence[Mapping[str, Any]], *, farmers_min: int) -> list[Mapping[str, Any]]:
    """Return the groups that may be shown.

    Whoever knows the region's total could subtract the others from it, so a single group under the minimum takes the
    smallest of the others with it.

    Parameters
    ----------
    rows : sequence of mappings
        With ``farmers``.
    farmers_min : int
    """
    large = [row for row in rows if row["farmers"] >= farmers_min]
    hidden = sum(row["farmers"] for row in rows if row["farmers"] < farmers_min)
    if 0 < hidden < farmers_min and large:
        smallest = min(range(len(large)), key=lambda at: large[at]["farmers"])
        large.pop(smallest)
    return large
