"""Plots from GeoPackage, Shapefile and GeoParquet: one layer, a stated CRS, brought to longitude and latitude."""

from __future__ import annotations

import json
import sqlite3
import warnings
from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.plot_source import OPTIONAL_COLUMNS, PlotSource, id_column, shown
from agrocredit.store.plot_wkb import pieces_of_wkb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from agrocredit.store.plot_source import PlotPiece
    from agrocredit.store.plot_wkb import ToDegrees

_PIECE_PLOTS = 8_192
"""Plots whose shapes are looked at together: so many that their columns stay in the processor's cache."""
_EPSG_4326 = CRS.from_epsg(4326)
_UNDEFINED_CRS = "Undefined"  # how GDAL names the GeoPackage's srs_id 0 and -1


def read_layer(path: Path, *, id_field: str | None, named: object = None) -> PlotSource:
    """Return the features of a GeoPackage or Shapefile with exactly one layer of geometries.

    Parameters
    ----------
    path : Path
        File whose first bytes the caller has recognised, so that GDAL opens it as what it is.
    id_field : str or None
        Column that names the plots, or the layer's own key column (``fid``); None means ``id``, else ``plot_id``.
    named : object
        How messages name the file, where it is a temporary copy.

    Raises
    ------
    InputUnusableError
        ``plots_unreadable``, ``crs_missing``, ``crs_unsupported`` or ``column_missing``.
    """
    named = named or path
    try:
        with warnings.catch_warnings(action="ignore"):  # GDAL's remarks; what matters comes back as an error
            return _read_only_layer(path, id_field=id_field, named=named)
    except (RuntimeError, ValueError, OSError) as error:
        raise InputUnusableError("plots_unreadable", f"{named}: {shown(str(error))}") from error


def _read_only_layer(path: Path, *, id_field: str | None, named: object) -> PlotSource:
    import pyogrio  # brings pandas and geopandas, which take as long to start as all else; GeoParquet needs neither

    layer = _only_layer(path, named)
    info = pyogrio.read_info(path, layer=layer)
    found = [str(name) for name in info["fields"]]
    key_column = str(info.get("fid_column") or "fid")
    by_key = id_field is not None and id_field not in found and id_field == key_column
    id_name = key_column if by_key else id_column(found, id_field=id_field, key_column=key_column, path=named)
    wanted = [name for name in (id_name, *OPTIONAL_COLUMNS) if name in found]
    meta, keys, wkb, values = pyogrio.raw.read(path, layer=layer, columns=wanted, return_fids=True, force_2d=True)
    columns = {str(name): values[at].tolist() for at, name in enumerate(meta["fields"])}
    ids = keys.tolist() if by_key else columns[id_name]
    to_degrees = _to_degrees(_stated_crs(meta["crs"], named))
    parts = (pa.array(wkb[first : first + _PIECE_PLOTS], pa.binary()) for first in range(0, len(wkb), _PIECE_PLOTS))
    return _source(pieces_of_wkb(parts, to_degrees=to_degrees), ids=ids, columns=columns)


def read_geoparquet(path: Path, *, id_field: str | None) -> PlotSource:
    """Return the rows of a GeoParquet file (1.0 or 1.1, geometries as WKB); parameters and errors as `read_layer`.

    The shapes are read when the source's pieces are asked for; what is wrong with them is an error then.
    """
    with _parquet_errors(path), pq.ParquetFile(path) as file:
        geo = _geo_metadata(file.schema_arrow, path)
        geometry_name, crs = _primary_geometry(geo, path)
        found = [name for name in file.schema_arrow.names if name != geometry_name]
        id_name = id_column(found, id_field=id_field, path=path)
        wanted = [name for name in dict.fromkeys((id_name, *OPTIONAL_COLUMNS)) if name in found]
        file.schema_arrow.field(geometry_name)  # absent or there twice: an error now
        table = file.read(columns=wanted)
        columns = {name: table[name] for name in wanted}
    shapes = _shapes_of_geoparquet(path, geometry_name)
    return _source(pieces_of_wkb(shapes, to_degrees=_to_degrees(crs)), ids=columns[id_name], columns=columns)


def _shapes_of_geoparquet(path: Path, name: str) -> Iterator[pa.Array]:
    with _parquet_errors(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_PIECE_PLOTS, columns=[name]):
            yield batch[name]


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InputUnusableError("plots_unreadable", f"{path}: {shown(str(error))}") from error


def check_geopackage(path: Path) -> None:
    """Raise ``plots_unreadable`` for a database with virtual tables other than the spatial index.

    Such tables can point SQLite and GDAL at other files or drivers than the one the user named.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputUnusableError(
            "plots_unreadable", f"{path} is not a readable GeoPackage ({shown(str(error))})"
        ) from error
    for name, sql in rows:
        if "USING RTREE" not in " ".join(str(sql).upper().split()):
            raise InputUnusableError("plots_unreadable", f"{path}: virtual table {shown(name)}, expected plain tables")


def _only_layer(path: Path, named: object) -> str:
    import pyogrio

    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if len(layers) != 1:
        listed = shown(", ".join(layers))
        raise InputUnusableError("plots_unreadable", f"{named} has {len(layers)} layers {listed}, expected one")
    return layers[0]


def _geo_metadata(schema: pa.Schema, path: Path) -> dict[str, Any]:
    text = (schema.metadata or {}).get(b"geo")
    if text is None:
        raise InputUnusableError("plots_unreadable", f"{path} is Parquet without the GeoParquet metadata 'geo'")
    geo = json.loads(text)
    if not isinstance(geo, dict):
        raise InputUnusableError("plots_unreadable", f"{path}: the GeoParquet metadata is not an object")
    return geo


def _primary_geometry(geo: dict[str, Any], path: Path) -> tuple[str, CRS]:
    """Return name and CRS of the primary geometry column; without a ``crs`` it is OGC:CRS84 (GeoParquet 1.1)."""
    try:
        name = str(geo["primary_column"])
        column = geo["columns"][name]
        encoding = column["encoding"]
        stated = column.get("crs", "OGC:CRS84")
    except (TypeError, KeyError, AttributeError) as error:
        raise InputUnusableError("plots_unreadable", f"{path}: the GeoParquet metadata lacks {error}") from error
    if encoding != "WKB":
        raise InputUnusableError(
            "plots_unreadable", f"{path}: geometries are encoded as {shown(encoding)}, expected WKB"
        )
    return name, _stated_crs(stated, path)


def _stated_crs(stated: object, named: object) -> CRS:
    if stated is None or stated == "":
        raise InputUnusableError("crs_missing", f"{named} states no CRS; expected one, WGS 84 or projected")
    if stated == _wgs84_of_geopandas():
        return _EPSG_4326
    try:
        crs = CRS.from_user_input(stated)
    except ProjError as error:
        raise InputUnusableError("crs_unsupported", f"{named}: CRS {shown(stated)} is unknown") from error
    if crs.name.startswith(_UNDEFINED_CRS):
        raise InputUnusableError("crs_missing", f"{named}: the CRS is {crs.name!r}; expected WGS 84 or projected")
    if not (crs.is_geographic or crs.is_projected):
        raise InputUnusableError(
            "crs_unsupported", f"{named}: CRS {shown(crs.name)} is neither geographic nor projected"
        )
    return crs


@cache
def _wgs84_of_geopandas() -> dict[str, Any]:
    """Return how geopandas spells EPSG:4326, without ids of the ensemble's members: PROJ would look up each by name."""
    stated: dict[str, Any] = _EPSG_4326.to_json_dict()
    for member in stated["datum_ensemble"]["members"]:
        del member["id"]
    return stated


def _source(
    pieces: Iterable[PlotPiece], *, ids: pa.ChunkedArray | Sequence[object], columns: Mapping[str, Any]
) -> PlotSource:
    return PlotSource(
        ids=ids, columns={name: columns[name] for name in OPTIONAL_COLUMNS if name in columns}, pieces=pieces
    )


def _to_degrees(crs: CRS) -> ToDegrees | None:
    """Return what brings points to longitude and latitude on WGS 84; those that cannot be reached become infinite."""
    if crs == _EPSG_4326 or crs.equals(_EPSG_4326, ignore_axis_order=True):
        return None
    return Transformer.from_crs(crs, _EPSG_4326, always_xy=True).transform
