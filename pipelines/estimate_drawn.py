"""One plot drawn a moment ago, from a season cube to its estimate: the numbers that the batch would have written.

The very flows of the batch over one plot: `fresh` looks, `estimate` answers, through files in a folder that is thrown
away. Meant for a process of its own, beside a service that knows no pixels.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from datetime import date

NOT_SEEN = frozenset({"plot_outside_cube", "season_empty"})
"""What a cube that does not show the plot makes the flows say: no evidence yet, and no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonSources:
    """What all plots of a season share."""

    cube: Path
    """As ``observe --cube`` left it."""
    weather: Path | None = None
    history: Path | None = None
    region: str | None = None
    """Region whose earlier yields speak for the plots."""


def estimate_drawn(
    wkb: bytes, *, plot_id: str, crop: str, harvest_year: int, as_of: date, sources: SeasonSources
) -> list[dict[str, Any]] | None:
    """Return the rows of `agrocredit.domain.tables.ESTIMATES` of one plot, None where the cube does not show it.

    Parameters
    ----------
    wkb : bytes
        Longitude and latitude, EPSG:4326.
    plot_id, crop : str
    harvest_year : int
    as_of : date
        Nothing known later enters.
    sources : SeasonSources

    Raises
    ------
    AgrocreditError
        What `pipelines.fresh.fresh` and `pipelines.estimate.estimate` raise besides.
    """
    import shapely
    import shapely.geometry

    from agrocredit.domain.tables import ESTIMATES
    from agrocredit.store.canonical_json import write_json
    from agrocredit.store.observations import write_observations
    from agrocredit.store.tables import read_parquet_table
    from pipelines.estimate import EstimateRequest, estimate
    from pipelines.fresh import fresh

    shape = shapely.from_wkb(wkb)
    try:
        looks = fresh(shape, cube=sources.cube, plot_id=plot_id)
    except RefusedError as error:
        if error.code in NOT_SEEN:
            return None
        raise
    with tempfile.TemporaryDirectory(prefix="agrocredit-", dir=_memory()) as name:
        folder = Path(name)
        write_observations([looks], folder / "observations", manifest={})
        drawn = {
            "type": "Feature",
            "properties": {"id": plot_id, "crop": crop},
            "geometry": shapely.geometry.mapping(shape),
        }
        write_json(drawn, folder / "plot.geojson")
        request = EstimateRequest(
            observations=folder / "observations",
            plots=folder / "plot.geojson",
            crop=crop,
            harvest_year=harvest_year,
            out=folder / "estimates.parquet",
            as_of=as_of,
            weather=sources.weather,
            history=sources.history,
            region=sources.region,
        )
        estimate(request)
        rows: list[dict[str, Any]] = read_parquet_table(request.out, ESTIMATES, "estimates").to_pylist()
        return rows


def _memory() -> Path | None:
    """Return a folder in memory where the system has one: what is thrown away at once need reach no disk."""
    found = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, with a random name
    return found if found.is_dir() else None
