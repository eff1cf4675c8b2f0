"""From what stood in a file to plots that may be lent on, and for every other feature the first reason why not.

Two ways lead in. Rings that are plots beyond doubt are told by column (`plot_plain`); every other feature goes the
exact way (`plot_geometry`), which alone refuses. So a clean file costs little more than reading it, and a refusal is
the same whatever lies around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.plot import Plot
from agrocredit.store.plot_geometry import measure, normal_form, refuse_geometries
from agrocredit.store.plot_plain import plain_plots
from agrocredit.store.plot_set import PLOT_TABLE, PlotSet
from agrocredit.store.plot_source import OPTIONAL_COLUMNS
from agrocredit.store.plot_texts import areas, identifiers, rises, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from agrocredit.store.plot_source import PlotPiece, PlotSource

Faults = dict[int, RefusedError]

# A swapped plot is told from a plot far away only where the others lie together: at least this many plots, only a few
# odd ones, each this far off, and this many times farther than any of the others and than itself once turned.
SWAP_PLOTS_MIN = 5
SWAP_SHARE_MAX = 0.2
SWAP_DISTANCE_MIN_DEG = 5.0
SWAP_GAIN_MIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shapes:
    """Shapes that keep the rules of geometry, as they come in."""

    bounds: NDArray[np.float64]
    """(n, 4) west, south, east, north by position in the file; NaN where the shape was refused."""
    wkb: list[pa.Array] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    """Position in the file of each value of `wkb`."""
    doubted: dict[int, tuple[shapely.Geometry, float, float]] = field(default_factory=dict)
    """Shape, area in m2 and perimeter in m where the plot's own rules must be asked."""

    def add(self, wkb: pa.Array, rows: NDArray[np.int64], bounds: NDArray[np.float64]) -> None:
        self.wkb.append(wkb)
        self.rows.append(rows)
        self.bounds[rows] = bounds


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
    ids, faults = identifiers(source.ids)
    columns, declared_m2, attribute_faults = _attributes(source, len(ids))
    shapes = _Shapes(bounds=np.full((len(ids), 4), np.nan))
    ask = np.isinf(declared_m2) | (declared_m2 <= 0)
    for piece in source.pieces:
        _take_in(piece, shapes, faults, ask=ask)
    _refuse_swapped(shapes.bounds, faults)
    faults = attribute_faults | faults
    _refuse_sizes(shapes, declared_m2, faults)
    kept = np.flatnonzero(~_among(np.arange(len(ids)), faults))
    return PlotSet(
        table=_table(ids, shapes, columns, kept),
        bounds_deg=_total(shapes.bounds[kept]),
        refused=tuple(faults[row].refusal(plot_id=ids[row].as_py(), row=row + 1) for row in sorted(faults)),
    )


def _attributes(source: PlotSource, count: int) -> tuple[dict[str, pa.Array], NDArray[np.float64], Faults]:
    """Return all optional columns, the declared areas in m2, and the first fault of each feature that has one."""
    columns: dict[str, pa.Array] = {}
    faults: Faults = {}
    declared_m2 = np.full(count, np.nan)
    for name in OPTIONAL_COLUMNS:
        values = source.columns.get(name, pa.chunked_array([pa.nulls(count)]))
        if name == "declared_area_m2":
            declared_m2, wrong = areas(values)
            columns[name] = pa.array(declared_m2, from_pandas=True)
        else:
            columns[name], wrong = texts(values, name)
        faults = wrong | faults
    return columns, declared_m2, faults


def _take_in(piece: PlotPiece, shapes: _Shapes, faults: Faults, *, ask: NDArray[np.bool_]) -> None:
    """Add the shapes of a piece; `ask` says which plots go the exact way whatever their shape."""
    for row, error in piece.faults.items():
        faults.setdefault(row, error)
    others, rows = [piece.others], [piece.rows]
    for rings in piece.rings:
        plain = plain_plots(rings, among=~ask[rings.rows])
        shapes.add(plain.wkb, rings.rows[plain.found], plain.bounds)
        if not plain.found.all():
            others.append(rings.only(~plain.found).polygons())
            rows.append(rings.rows[~plain.found])
    _take_in_exactly(np.concatenate(others), np.concatenate(rows), shapes, faults)


def _take_in_exactly(geometries: NDArray[np.object_], rows: NDArray[np.int64], shapes: _Shapes, faults: Faults) -> None:
    new = ~_among(rows, faults)
    geometries, rows = geometries[new], rows[new]
    if not rows.size:
        return
    wrong: Faults = {}
    refuse_geometries(geometries, wrong)
    faults.update({int(rows[at]): error for at, error in wrong.items()})
    good = ~_among(np.arange(rows.size), wrong)
    rows, normal = rows[good], normal_form(geometries[good])
    shapes.add(pa.array(shapely.to_wkb(normal, byte_order=1), pa.large_binary()), rows, shapely.bounds(normal))
    areas_m2, perimeters_m = measure(normal)
    sized = zip(normal.tolist(), areas_m2.tolist(), perimeters_m.tolist(), strict=True)
    shapes.doubted.update(zip(rows.tolist(), sized, strict=True))


def _among(rows: NDArray[np.int64], faults: Mapping[int, object]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.isin(rows, np.fromiter(faults, np.int64, len(faults)))
    return found


def _refuse_swapped(bounds: NDArray[np.float64], faults: Faults) -> None:
    """Refuse the few plots that lie far from all others but among them once latitude and longitude are turned."""
    rest = np.flatnonzero(~_among(np.arange(len(bounds)), faults))
    if rest.size < SWAP_PLOTS_MIN:
        return
    west, south, east, north = bounds[rest].T
    if max(np.ptp(west + east), np.ptp(south + north)) <= 2 * SWAP_DISTANCE_MIN_DEG:
        return  # nobody is far from the middle
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


def _refuse_sizes(shapes: _Shapes, declared_m2: NDArray[np.float64], faults: Faults) -> None:
    """Let those that are not beyond doubt refuse themselves."""
    for row, (geometry, area_m2, perimeter_m) in shapes.doubted.items():
        if row in faults:
            continue
        declared = None if np.isnan(declared_m2[row]) else float(declared_m2[row])
        try:
            Plot(id=str(row), geometry=geometry, area_m2=area_m2, perimeter_m=perimeter_m, declared_area_m2=declared)
        except RefusedError as error:
            faults[row] = error


def _table(ids: pa.Array, shapes: _Shapes, columns: Mapping[str, pa.Array], rows: NDArray[np.int64]) -> pa.Table:
    """Return the plots of some rows of the file, sorted by id."""
    kept = ids if rows.size == len(ids) else ids.take(pa.array(rows))
    if not rises(kept):
        rows = rows[np.asarray(pc.sort_indices(kept))]
    place = np.full(len(ids), -1)
    place[np.concatenate([np.zeros(0, np.int64), *shapes.rows])] = np.arange(sum(map(len, shapes.rows)))
    wkb = pa.chunked_array(shapes.wkb, pa.large_binary())
    if not np.array_equal(place[rows], np.arange(len(wkb))):
        wkb = wkb.take(pa.array(place[rows]))
    found = {**columns, "id": ids}
    if not np.array_equal(rows, np.arange(len(ids))):
        found = {name: column.take(pa.array(rows)) for name, column in found.items()}
    return pa.table({**found, "geometry": wkb}, schema=PLOT_TABLE)


def _total(bounds: NDArray[np.float64]) -> tuple[float, float, float, float]:
    if not len(bounds):
        return np.nan, np.nan, np.nan, np.nan
    west, south, _, _ = bounds.min(0).tolist()
    _, _, east, north = bounds.max(0).tolist()
    return west, south, east, north
