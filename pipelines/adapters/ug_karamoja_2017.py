"""Crop cuts of maize and sorghum plots in Karamoja, Uganda, and the monthly composites of some of them.

Dates of planting and harvest are placeholders; only the year is used. Points that carry a crop but no yield are known
and left out. Grain was weighed as cut: its moisture stands beside each plot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from agrocredit.domain.plot import geodesic_area_perimeter
from agrocredit.domain.units import yield_to_t_ha
from agrocredit.indices import evaluate, load_indices
from pipelines.adapters.adapted import Adapted, LabelRules, Source
from pipelines.adapters.files import read_rows, refuse_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agrocredit.domain.errors import Refusal

MONTHS = 12
MISSING = 65535
_BANDS = {
    "blue": "OPTICAL-B02-ts{}-10m",
    "green": "OPTICAL-B03-ts{}-10m",
    "red": "OPTICAL-B04-ts{}-10m",
    "nir": "OPTICAL-B08-ts{}-10m",
    "rededge1": "OPTICAL-B05-ts{}-20m",
    "swir16": "OPTICAL-B11-ts{}-20m",
}
_TEMPERATURE = "METEO-temperature_mean-ts{}-100m"
_RAIN = "METEO-precipitation_flux-ts{}-100m"
_KELVIN = 273.15
_PIXEL_M2 = 100.0
_CUT_M2 = 2.25
"""Yield in kg/ha is the grain of one square of 1.5 m: 10,000 m2 / 2.25 m2 / 1,000 g."""
_CUT_TOLERANCE = 0.02
_KG_HA_PER_T_HA = 1 / yield_to_t_ha(1, weight_unit="kg", area_unit="ha")


def _read(files: Mapping[str, Sequence[Path]]) -> Adapted:
    rows = read_rows(files["plots"])
    shapes = shapely.from_geojson(rows["geometry"].to_numpy(), on_invalid="ignore")
    centres = shapely.centroid(shapes)
    kg_ha = pd.to_numeric(rows["Yield_KgHa"], errors="coerce")
    slipped, refused = _weighed_otherwise(rows, kg_ha)
    labels = pd.DataFrame(
        {
            "unit": rows["plot_id"],
            "region": rows["District"].fillna("KARAMOJA"),  # a few plots are placed no finer
            "crop": rows["crop1"],
            "harvest_year": pd.to_datetime(rows["Estimated Harvest Date"], errors="coerce").dt.year,
            "yield_t_ha": kg_ha / _KG_HA_PER_T_HA,
            "longitude": shapely.get_x(centres),
            "latitude": shapely.get_y(centres),
            "file": rows["file"],
            "row": rows["row"],
        }
    )
    usable = shapely.is_valid(shapes)
    areas = [geodesic_area_perimeter(shape)[0] if ok else np.nan for shape, ok in zip(shapes, usable, strict=True)]
    moisture = pd.to_numeric(rows["Moisture"], errors="coerce") * 100
    static = pd.DataFrame({"unit": rows["plot_id"], "area_m2": areas, "grain_moisture_percent": moisture})
    return Adapted(
        labels=labels[~slipped],
        series=_series(read_rows(files["series"]), dict(zip(static["unit"], areas, strict=True))),
        static=static.dropna(subset=["unit"]),
        units={"valid_fraction": "1", "pixel_count": "1"} | {index.column: "1" for index in load_indices()},
        refused=refused,
    )


def _weighed_otherwise(rows: pd.DataFrame, kg_ha: pd.Series) -> tuple[pd.Series, list[Refusal]]:
    """Return which yields are not those of the grain that was weighed, and their refusals."""
    grain_g = pd.to_numeric(rows["Grain_W_g"], errors="coerce")
    differing = (kg_ha / (grain_g * 10 / _CUT_M2) - 1).abs() > _CUT_TOLERANCE
    refused = [
        refuse_row(
            "yield_contradiction",
            row,
            f"{row.Yield_KgHa} kg/ha of plot {row.plot_id}, but {row.Grain_W_g} g were weighed",
        )
        for row in rows[differing].itertuples()
    ]
    return differing, refused


def _series(rows: pd.DataFrame, area_m2: Mapping[str, float]) -> pd.DataFrame | None:
    """Return a row a plot and month, dated in the middle of the month that the composite covers."""
    if rows.empty:
        return None
    pixels = rows["plot_id"].map(area_m2).to_numpy(float) / _PIXEL_M2
    parts = []
    for month in range(MONTHS):
        counts = {band: rows[name.format(month)].to_numpy(float) for band, name in _BANDS.items()}
        seen = np.all([count != MISSING for count in counts.values()], axis=0)
        bands = {band: np.where(seen, count / 10_000, np.nan) for band, count in counts.items()}
        first = pd.to_datetime(rows["start_date"]) + pd.DateOffset(months=month)
        parts.append(
            pd.DataFrame(
                {
                    "unit": rows["plot_id"],
                    "year": rows["year"],
                    "date": (first + pd.Timedelta(days=14)).dt.date,
                    **{index.column: evaluate(index, bands) for index in load_indices()},
                    "valid_fraction": seen.astype(float),
                    "pixel_count": np.where(seen, pixels, 0.0),
                    "t_mean_c": _known(rows[_TEMPERATURE.format(month)]) / 100 - _KELVIN,
                    "rain_sum_mm": _known(rows[_RAIN.format(month)]) / 100,
                    "file": rows["file"],
                    "row": rows["row"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _known(counts: pd.Series) -> pd.Series:
    return counts.astype("float64").where(counts != MISSING)


def _of_months(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name.format(month) for name in names for month in range(MONTHS))


_OPTICAL = _of_months([*_BANDS.values(), _TEMPERATURE, _RAIN]) | {"start_date", "year"}

SOURCE = Source(
    kinds={
        "plots": frozenset(
            {
                "plot_id",
                "District",
                "crop1",
                "Yield_KgHa",
                "Grain_W_g",
                "Moisture",
                "Estimated Harvest Date",
                "geometry",
            }
        ),
        "series": _OPTICAL | {"plot_id"},
        "points_without_yield": _OPTICAL | {"sample_id", "ewoc_code"},
    },
    label_kinds=("plots",),
    rules=LabelRules(
        zero_is_missing=False,
        placed=True,
        peers="region_season",
        notes={"moisture_basis": "as weighed; grain_moisture_percent of each plot in static.parquet"},
    ),
    read=_read,
)
"""``ug_karamoja_2017``."""
