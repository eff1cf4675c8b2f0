"""GeoJSON plots (RFC 7946), read strictly: geometry libraries take text, NaN and half pairs for coordinates."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.store.plot_rings import rings_by_length
from agrocredit.store.plot_source import ID_COLUMNS, OPTIONAL_COLUMNS, PlotPiece, PlotSource, missing_id_column, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_WGS84_NAMES = frozenset(
    {
        "CRS84",
        "EPSG:4326",
        "OGC:CRS84",
        "http://www.opengis.net/def/crs/EPSG/0/4326",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "urn:ogc:def:crs:EPSG::4326",
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC::CRS84",
    }
)
_RING_POINTS_MIN = 4  # RFC 7946 section 3.1.6
_VALUES_OF_A_POINT = {2, 3}
_COORDINATE_MAX = 1e8
"""No CRS has coordinates beyond this (the equator is 4e7 m); a larger one is an error of writing."""


class _NotJson:
    """What NaN and Infinity become: JSON has no such numbers, so whoever finds one where it matters refuses it."""

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def __repr__(self) -> str:
        return self.spelling


class _RepeatedKeyDict(dict[str, Any]):
    """An object that had a key twice: which value was meant cannot be known."""


def read_geojson(data: bytes, *, path: Path, id_field: str | None) -> PlotSource:
    """Return the features of a GeoJSON FeatureCollection or single Feature.

    Parameters
    ----------
    data : bytes
        The file's content, UTF-8.
    path : Path
        Where it came from, for messages.
    id_field : str or None
        The property that names the plots; None means ``id``, else ``plot_id``, else the feature's own id.

    Raises
    ------
    InputUnusableError
        ``plots_unreadable``, ``crs_missing``, ``crs_unsupported`` or ``column_missing``.
    """
    faults: dict[int, RefusedError] = {}
    polygons: list[list[list[NDArray[np.float64]]]] = []
    with _no_collection():
        features = _features(_parse(data, path), path)
        properties = [_properties(feature) for feature in features]
        for index, feature in enumerate(features):
            try:
                polygons.append(_polygons(feature))
            except RefusedError as error:
                faults[index] = error
                polygons.append([])
    return PlotSource(
        ids=_ids(features, properties, id_field=id_field, path=path),
        columns={name: [found.get(name) for found in properties] for name in OPTIONAL_COLUMNS},
        pieces=[_piece(polygons, faults)],
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause Python's search for cycles: parsing makes millions of lists, no cycle, and the search takes most of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(data: bytes, path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_NotJson)
    except (ValueError, RecursionError) as error:
        raise InputUnusableError("plots_unreadable", f"{path} is not JSON ({shown(str(error))})") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _RepeatedKeyDict(found)


def _features(document: Any, path: Path) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(document, dict) or isinstance(document, _RepeatedKeyDict):
        raise InputUnusableError("plots_unreadable", f"{path} holds no object with unique keys, expected GeoJSON")
    _check_crs(document, path)
    kind, features = document.get("type"), document.get("features")
    if kind == "Feature":
        return [document]
    if kind != "FeatureCollection" or not isinstance(features, list):
        raise InputUnusableError(
            "plots_unreadable", f"{path} is of type {shown(kind)}, expected a FeatureCollection with a list of features"
        )
    return features


def _check_crs(document: dict[str, Any], path: Path) -> None:
    """Raise unless the file is in WGS 84: by default (RFC 7946), or by a ``crs`` member of the 2008 draft."""
    if "crs" not in document:
        return
    if document["crs"] is None:
        raise InputUnusableError("crs_missing", f"{path}: the crs member is null, expected WGS 84 or no crs member")
    try:
        name = document["crs"]["properties"]["name"]
    except (TypeError, KeyError, IndexError):
        name = document["crs"]
    if not isinstance(name, str) or name not in _WGS84_NAMES:
        raise InputUnusableError("crs_unsupported", f"{path}: crs {shown(name)}, expected WGS 84 (GeoJSON, RFC 7946)")


def _properties(feature: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    found = feature.get("properties") if isinstance(feature, dict) else None
    return found if isinstance(found, dict) else {}


def _ids(
    features: list[Any], properties: Sequence[Mapping[str, Any]], *, id_field: str | None, path: Path
) -> list[object]:
    wanted = ID_COLUMNS if id_field is None else (id_field,)
    ids: list[object] = []
    for feature, found in zip(features, properties, strict=True):
        value = next((found[name] for name in wanted if found.get(name) is not None), None)
        if value is None and id_field is None and isinstance(feature, dict):
            value = feature.get("id")
        ids.append(value)
    if features and all(value is None for value in ids):
        names = sorted({name for found in properties for name in found})
        raise missing_id_column(names, id_field=id_field, path=path)
    return ids


def _polygons(feature: Any) -> list[list[NDArray[np.float64]]]:  # noqa: ANN401 - JSON
    """Return the parts of one feature, each a list of rings (n, 2), or refuse."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise RefusedError("geometry_invalid", f"{shown(feature)} is not a Feature")
    geometry = feature.get("geometry")
    if any(isinstance(part, _RepeatedKeyDict) for part in (feature, feature.get("properties"), geometry)):
        raise RefusedError("json_invalid", "an object has the same key twice, expected unique keys")
    if geometry is None:
        raise RefusedError("coordinate_invalid", "no geometry, expected a Polygon or MultiPolygon")
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        found = geometry.get("type") if isinstance(geometry, dict) else geometry
        raise RefusedError("geometry_invalid", f"geometry is {shown(found)}, expected a Polygon or MultiPolygon")
    coordinates = geometry.get("coordinates")
    parts = [coordinates] if geometry["type"] == "Polygon" else _list(coordinates)
    return [[_ring(ring) for ring in _list(part)] for part in parts]


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, list) or not value:
        raise RefusedError("coordinate_invalid", f"coordinates are {shown(value)}, expected a list that is not empty")
    return value


def _ring(ring: Any) -> NDArray[np.float64]:  # noqa: ANN401 - JSON
    """Return a closed ring's longitudes and latitudes (n, 2); an altitude is dropped."""
    points = _list(ring)
    if set(map(type, points)) != {list} or not set(map(len, points)) <= _VALUES_OF_A_POINT:
        wrong = next(p for p in points if not isinstance(p, list) or len(p) not in _VALUES_OF_A_POINT)
        raise RefusedError("coordinate_invalid", f"point {shown(wrong)}, expected 2 or 3 numbers")
    if not set(map(type, chain.from_iterable(points))) <= {int, float}:
        wrong = next(p for p in points if not {*map(type, p)} <= {int, float})
        raise RefusedError("coordinate_invalid", f"point {shown(wrong)}, expected numbers")
    values = _finite(points)
    if len(values) < _RING_POINTS_MIN:
        raise RefusedError(
            "geometry_invalid", f"a ring of {len(values)} points, expected 4 or more with the closing one"
        )
    if (values[0] != values[-1]).any():
        raise RefusedError("geometry_invalid", f"the ring from {shown(points[0][:2])} is not closed")
    return values


def _finite(points: list[list[float]]) -> NDArray[np.float64]:
    """Return the points as floats (n, 2); an altitude must be a finite number as well."""
    try:
        values = np.fromiter(chain.from_iterable(points), dtype=np.float64)
    except OverflowError:  # an integer that no float can hold
        values = np.array([np.inf])
    if not (np.abs(values) < _COORDINATE_MAX).all():  # false for NaN too
        # Chained comparisons are false for NaN, and exact for integers of any size.
        wrong = next(p for p in points if not all(-_COORDINATE_MAX < value < _COORDINATE_MAX for value in p))
        raise RefusedError("coordinate_invalid", f"point {shown(wrong)}, expected finite numbers")
    width = len(points[0])
    if all(len(point) == width for point in points):
        return values.reshape(-1, width)[:, :2]
    return np.array([point[:2] for point in points], dtype=np.float64)


def _piece(polygons: list[list[list[NDArray[np.float64]]]], faults: Mapping[int, RefusedError]) -> PlotPiece:
    """Return the shapes of all features; those of one part and one ring are nearly all."""
    is_ring = [len(parts) == 1 and len(parts[0]) == 1 for parts in polygons]
    rows = [row for row, alone in enumerate(is_ring) if alone]
    others = [row for row, alone in enumerate(is_ring) if not alone and row not in faults]
    return PlotPiece(
        rings=rings_by_length([polygons[row][0][0] for row in rows], rows),
        others=_shapely([polygons[row] for row in others]),
        rows=np.array(others, dtype=np.int64),
        faults=faults,
    )


def _shapely(polygons: list[list[list[NDArray[np.float64]]]]) -> NDArray[np.object_]:
    """Return MultiPolygons from parts and rings in one step."""
    parts = list(chain.from_iterable(polygons))
    rings = list(chain.from_iterable(parts))
    if not rings:
        return np.empty(0, dtype=object)
    offsets = (_offsets(rings), _offsets(parts), _offsets(polygons))
    geometries: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, np.concatenate(rings), offsets
    )
    return geometries


def _offsets(groups: Sequence[Sequence[object] | NDArray[np.float64]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(group) for group in groups])]).astype(np.int64)


def feature_geometry(feature: object) -> shapely.Geometry:
    """Return the geometry of one parsed GeoJSON Feature with a Polygon or MultiPolygon, read as strictly as a file's.

    Raises
    ------
    RefusedError
        ``geometry_invalid`` or ``coordinate_invalid``; what makes a plot is `agrocredit.store.plot_drawn`'s to say.
    """
    return _shapely([_polygons(feature)])[0]
