"""Shapes from well-known binary, as GeoPackage, Shapefile and GeoParquet hold them: nothing is taken for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from agrocredit.domain.errors import RefusedError
from agrocredit.store.plot_rings import rings_in_wkb
from agrocredit.store.plot_source import PlotPiece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    ToDegrees = Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]


def pieces_of_wkb(parts: Iterable[pa.Array], *, to_degrees: ToDegrees | None) -> Iterator[PlotPiece]:
    """Yield the shapes of a file part by part.

    Parameters
    ----------
    parts : iterable of pyarrow.Array
        WKB, or whatever the file has in its place; null where a feature has no shape.
    to_degrees : callable or None
        Takes x and y, gives longitude and latitude in degrees; None where they are so already.
    """
    first = 0
    for part in parts:
        rows = np.arange(first, first + len(part))
        first += len(part)
        if _is_binary(part.type):
            rings, rest = rings_in_wkb(part, rows)
            values = part.take(pa.array(rest)).to_pylist()
        else:
            rings, rest, values = [], np.arange(len(part)), part.to_pylist()
        others = _from_wkb(values)
        unreadable = rows[rest][[one is None and value is not None for one, value in zip(others, values, strict=True)]]
        yield PlotPiece(
            rings=[one.moved(to_degrees) for one in rings] if to_degrees else rings,
            others=_moved(others, to_degrees) if to_degrees else others,
            rows=rows[rest],
            faults=dict.fromkeys(unreadable.tolist(), _unreadable()),
        )


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _unreadable() -> RefusedError:
    detail = "a geometry that cannot be read: a ring not closed, under four points, or no polygon"
    return RefusedError("geometry_invalid", detail)


def _from_wkb(values: list[Any]) -> NDArray[np.object_]:
    """Return geometries, None where the bytes hold none that shapely knows."""
    found = np.full(len(values), None, dtype=object)
    with np.errstate(invalid="ignore"):
        try:
            found[:] = shapely.from_wkb(values, on_invalid="ignore")
        except (NotImplementedError, TypeError):  # one curve or wrong type among many fails the whole call
            found[:] = [_one_from_wkb(value) for value in values]
    return found


def _one_from_wkb(value: object) -> object:
    try:
        return shapely.from_wkb(value, on_invalid="ignore")
    except (NotImplementedError, TypeError):
        return None


def _moved(geometries: NDArray[np.object_], to_degrees: ToDegrees) -> NDArray[np.object_]:
    moved = geometries.copy()
    moved[:] = shapely.transform(geometries, to_degrees, interleaved=False)
    return moved
