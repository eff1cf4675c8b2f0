"""The plots of one file, as a table: what flows pass on without holding a shape a plot in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import geopandas as gpd

    from agrocredit.domain.errors import Refusal

PLOT_TABLE = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("geometry", pa.large_binary(), nullable=False),
        pa.field("crop", pa.string()),
        pa.field("farmer_id", pa.string()),
        pa.field("declared_area_m2", pa.float64()),
        pa.field("region", pa.string()),
    ]
)
"""Geometries are WKB in EPSG:4326, longitude first; offsets of 64 bits, because a million plots can pass 2 GB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlotSet:  # not slotted: frame and hash are kept once they were asked for
    """The plots of one file: the usable ones, and a refusal for every other feature."""

    table: pa.Table
    """One row a plot, sorted by ``id``, with the columns of `PLOT_TABLE`; each geometry in one spelling, see
    `plot_geometry`. Absent texts and areas are null."""
    bounds_deg: tuple[float, float, float, float]
    """West, south, east, north of all plots; NaN where there is none."""
    refused: tuple[Refusal, ...]
    """In the order of the file; `row` counts features from 1."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def read_count(self) -> int:
        """How many features the file has."""
        return len(self) + len(self.refused)

    @cached_property
    def shapes_sha256(self) -> str:
        """Hash of all shapes in their order; ids and attributes do not show."""
        digest = hashlib.sha256()
        for chunk in self.table["geometry"].chunks:
            digest.update(_values(chunk)[0])
        return digest.hexdigest()

    @property
    def sha256(self) -> str:
        """Hash of all ids and shapes in their order."""
        values, lengths = _values(self.table["id"].cast(pa.large_string()).combine_chunks())
        digest = hashlib.sha256(self.shapes_sha256.encode())
        digest.update(lengths)
        digest.update(values)
        return digest.hexdigest()

    @cached_property
    def plots(self) -> gpd.GeoDataFrame:
        """One row a plot as in `table`, with shapes and sizes, EPSG:4326.

        ``id``, ``geometry``, ``area_m2`` and ``perimeter_m`` (geodesic), ``crop``, ``farmer_id``, ``declared_area_m2``,
        ``region`` (None or NaN where not given). Measured when first asked for: observing needs no areas, and a quarter
        of a million geodesic areas take seconds.
        """
        import geopandas as gpd
        import pandas as pd
        import shapely

        from agrocredit.store.plot_geometry import measure

        geometries = np.empty(len(self), dtype=object)
        geometries[:] = shapely.from_wkb(self.table["geometry"].to_numpy())
        areas_m2, perimeters_m = measure(geometries)
        columns: dict[str, object] = {
            "id": pd.Series(self.table["id"].to_pylist(), dtype=object),
            "geometry": gpd.GeoSeries(geometries, crs="EPSG:4326"),
            "area_m2": areas_m2,
            "perimeter_m": perimeters_m,
        }
        for name in self.table.column_names[2:]:
            kind = np.float64 if name == "declared_area_m2" else object
            columns[name] = pd.Series(self.table[name].to_pylist(), dtype=kind)
        return gpd.GeoDataFrame(columns, geometry="geometry", crs="EPSG:4326")


def _values(chunk: pa.LargeBinaryArray | pa.LargeStringArray) -> tuple[memoryview, memoryview]:
    """Return the bytes of all values, one after the other, and their lengths."""
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, "<i8")[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data or b"")[ends[0] : ends[-1]], np.diff(ends).data
