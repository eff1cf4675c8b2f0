"""Clean plots as GeoParquet 1.1.0 with fiboa's names (``id``, ``geometry``): a row a plot, always the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import shapely
from pyproj import CRS

from agrocredit.store.canonical_json import json_bytes
from agrocredit.store.tables import write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from agrocredit.store.plot_set import PlotSet

PLOTS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
        pa.field("area_m2", pa.float64(), nullable=False),
        pa.field("perimeter_m", pa.float64(), nullable=False),
        pa.field("crop", pa.string()),
        pa.field("farmer_id", pa.string()),
        pa.field("declared_area_m2", pa.float64()),
        pa.field("region", pa.string()),
    ]
)
"""Columns of ``plots.parquet``: areas geodesic in m2, perimeters in m, geometry WKB in EPSG:4326, longitude first."""


def write_plots(plotset: PlotSet, path: Path) -> None:
    """Write the usable plots atomically; equal plots give equal bytes.

    Parameters
    ----------
    plotset : PlotSet
        What `read_plots` returned; refusals are not written.
    path : Path
        Final name of the GeoParquet file.

    Raises
    ------
    InputUnusableError
        ``output_unwritable`` with the cause.
    """
    write_parquet(plots_table(plotset.plots), path)


def plots_table(plots: gpd.GeoDataFrame) -> pa.Table:
    """Return the plots as a table of the schema `PLOTS` with the GeoParquet metadata.

    Parameters
    ----------
    plots : GeoDataFrame
        Columns as in `PlotSet.plots`, EPSG:4326.
    """
    wkb = shapely.to_wkb(plots.geometry.to_numpy(), byte_order=1)
    columns = [
        pa.array(wkb, pa.binary())
        if field.name == "geometry"
        else pa.array(plots[field.name], field.type, from_pandas=True)
        for field in PLOTS
    ]
    return pa.table(columns, schema=PLOTS.with_metadata({"geo": json_bytes(_geo_metadata(plots))}))


def _geo_metadata(plots: gpd.GeoDataFrame) -> dict[str, object]:
    """Return the file's metadata after the GeoParquet specification 1.1.0."""
    geometry: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": sorted(set(plots.geometry.geom_type)),
        "crs": json.loads(CRS.from_epsg(4326).to_json()),
        "orientation": "counterclockwise",
        "edges": "planar",
    }
    if len(plots):
        geometry["bbox"] = [float(value) for value in plots.geometry.total_bounds]
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
