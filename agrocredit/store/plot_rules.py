"""From what stood in a file to plots that may be lent on, and for every other feature the first reason why not."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from agrocredit.domain.errors import Refusal, RefusedError
from agrocredit.domain.plot import Plot
from agrocredit.store.plot_geometry import measure, normal_form, refuse_geometries
from agrocredit.store.plot_source import OPTIONAL_COLUMNS, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.store.plot_source import PlotSource

PLOT_COLUMNS = ("id", "geometry", "area_m2", "perimeter_m", *OPTIONAL_COLUMNS)
TEXT_CHARACTERS_MAX = 200
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# A swapped plot is told from a plot far away only where the others lie together: at least this many plots, only a few
# odd ones, each this far off, and this many times farther than any of the others and than itself once turned.
SWAP_PLOTS_MIN = 5
SWAP_SHARE_MAX = 0.2
SWAP_DISTANCE_MIN_DEG = 5.0
SWAP_GAIN_MIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotSet:
    """The plots of one file: the usable ones, and a refusal for every other feature."""

    plots: gpd.GeoDataFrame
    """One row a plot, sorted by ``id``, EPSG:4326: ``id``, ``geometry`` (one spelling, see `plot_geometry`),
    ``area_m2`` and ``perimeter_m`` (geodesic), ``crop``, ``farmer_id``, ``declared_area_m2``, ``region`` (None or NaN
    where not given)."""
    refused: tuple[Refusal, ...]
    """In the order of the file; `row` counts features from 1."""

    @property
    def read_count(self) -> int:
        """How many features the file has."""
        return len(self.plots) + len(self.refused)


def admit(source: PlotSource) -> PlotSet:
    """Return the plots that keep all rules, and the others with a code.

    Parameters
    ----------
    source : PlotSource
        Features as a reader of `plot_files` found them.

    Returns
    -------
    PlotSet
        The same whatever the order of features, ring direction, start point or repeated points. Of several faults a
        feature shows the first: identifier, geometry, attributes, size.
    """
    ids, faults = _identifiers(source.ids)
    for index, error in source.faults.items():
        faults.setdefault(index, error)
    refuse_geometries(source.geometries, faults)
    _refuse_swapped(source.geometries, faults)
    kept = np.array([index for index in range(len(ids)) if index not in faults], dtype=np.int64)
    geometries = normal_form(source.geometries[kept])
    areas_m2, perimeters_m = measure(geometries)
    plots = []
    for at, index in enumerate(kept.tolist()):
        try:
            plots.append(
                Plot(
                    id=ids[index] or "",
                    geometry=geometries[at],
                    area_m2=float(areas_m2[at]),
                    perimeter_m=float(perimeters_m[at]),
                    **_attributes(source, index),  # type: ignore[arg-type]  # each is checked by its own reader
                )
            )
        except RefusedError as error:
            faults[index] = error
    refused = tuple(faults[index].refusal(plot_id=ids[index], row=index + 1) for index in sorted(faults))
    return PlotSet(plots=_frame(plots), refused=refused)


def _identifiers(values: Sequence[object]) -> tuple[list[str | None], dict[int, RefusedError]]:
    """Return clean identifiers, and refusals for those that are missing, unusable or not unique."""
    ids: list[str | None] = []
    faults: dict[int, RefusedError] = {}
    for index, value in enumerate(values):
        try:
            ids.append(_text(value, "id"))
        except RefusedError as error:
            ids.append(None)
            faults[index] = error
        else:
            if ids[-1] is None:
                faults[index] = RefusedError("id_missing", "no id, expected a text or whole number that no other has")
    counts = Counter(ids)
    for index, found in enumerate(ids):
        if found is not None and counts[found] > 1:
            detail = f"{counts[found]} plots have the id {shown(found)}, expected one"
            faults[index] = RefusedError("id_duplicate", detail)
    return ids, faults


def _attributes(source: PlotSource, index: int) -> dict[str, str | float | None]:
    found = {name: values[index] for name, values in source.columns.items()}
    return {
        name: _area(found.get(name)) if name == "declared_area_m2" else _text(found.get(name), name)
        for name in OPTIONAL_COLUMNS
    }


def _text(value: object, name: str) -> str | None:
    """Return a text without surrounding space, whole numbers as text, None for what is empty; refuse the rest."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise RefusedError("text_invalid", f"{name} is {shown(value)}, expected a text or a whole number")
    text = value.strip()
    if len(text) > TEXT_CHARACTERS_MAX or not (text.isprintable() or all(map(_is_harmless, text))):
        raise RefusedError(
            "text_invalid", f"{name} is {shown(value)}, expected up to {TEXT_CHARACTERS_MAX} visible characters"
        )
    return text or None


def _is_harmless(character: str) -> bool:
    """Say whether a character is neither control, half of a surrogate pair, nor a mark that turns the reading order."""
    return unicodedata.category(character) not in {"Cc", "Cs"} and character not in _DIRECTION_MARKS


def _area(value: object) -> float | None:
    """Return a declared area in m2; None where not given. Its range is the plot's own rule."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RefusedError("declared_area_invalid", f"declared_area_m2 is {shown(value)}, expected a number above 0")
    try:
        area_m2 = float(value)
    except OverflowError:
        area_m2 = float("inf")
    return None if np.isnan(area_m2) else area_m2


def _refuse_swapped(geometries: NDArray[np.object_], faults: dict[int, RefusedError]) -> None:
    """Refuse the few plots that lie far from all others but among them once latitude and longitude are turned."""
    rest = np.array([index for index in range(len(geometries)) if index not in faults], dtype=np.int64)
    if rest.size < SWAP_PLOTS_MIN:
        return
    west, south, east, north = shapely.bounds(geometries[rest]).T
    centres = np.column_stack([west + east, south + north]) / 2
    middle = np.median(centres, axis=0)
    distance_deg = np.abs(centres - middle).max(axis=1)
    turned_deg = np.abs(centres[:, ::-1] - middle).max(axis=1)
    far = distance_deg > SWAP_DISTANCE_MIN_DEG
    turned_in = turned_deg <= SWAP_DISTANCE_MIN_DEG
    if far.mean() > SWAP_SHARE_MAX:
        return
    among_others_deg = np.maximum(turned_deg, distance_deg[~far].max())
    suspects = np.flatnonzero(far & turned_in & (among_others_deg * SWAP_GAIN_MIN < distance_deg))
    for at in suspects.tolist():
        x, y = centres[at]
        detail = (
            f"at longitude {x:.4f}, latitude {y:.4f}, but the other plots lie around {middle[0]:.4f}, {middle[1]:.4f}; "
            "latitude and longitude look swapped"
        )
        faults[int(rest[at])] = RefusedError("axis_order_suspected", detail)


def _frame(plots: list[Plot]) -> gpd.GeoDataFrame:
    ordered = sorted(plots, key=lambda plot: plot.id)
    geometries = np.empty(len(ordered), dtype=object)
    geometries[:] = [plot.geometry for plot in ordered]
    columns: dict[str, object] = {
        "id": pd.Series([plot.id for plot in ordered], dtype=object),
        "geometry": gpd.GeoSeries(geometries, crs="EPSG:4326"),
        "area_m2": np.array([plot.area_m2 for plot in ordered], dtype=np.float64),
        "perimeter_m": np.array([plot.perimeter_m for plot in ordered], dtype=np.float64),
    }
    for name in OPTIONAL_COLUMNS:
        kind = np.float64 if name == "declared_area_m2" else object
        columns[name] = pd.Series([getattr(plot, name) for plot in ordered], dtype=kind)
    return gpd.GeoDataFrame(columns, geometry="geometry", crs="EPSG:4326")
