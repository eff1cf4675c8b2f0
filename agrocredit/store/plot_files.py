"""Plot files of every accepted format: recognised by their first bytes, never by their name, then read and admitted.

A name says nothing: GDAL opens by content, and a text file called ``plots.gpkg`` may make it read other files. So only
content that begins as one of the accepted formats is handed on.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError
from agrocredit.store.plot_archive import unpacked_shapefile
from agrocredit.store.plot_geojson import read_geojson
from agrocredit.store.plot_layers import check_geopackage, read_geoparquet, read_layer
from agrocredit.store.plot_rules import admit
from agrocredit.store.plot_source import shown

if TYPE_CHECKING:
    from pathlib import Path

    from agrocredit.store.plot_set import PlotSet
    from agrocredit.store.plot_source import PlotSource

_ZIP = b"PK\x03\x04"
_SQLITE = b"SQLite format 3\x00"
_PARQUET = b"PAR1"
_SHAPEFILE = b"\x00\x00\x27\x0a"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEAD_BYTES = 1024


def read_plots(path: Path, *, id_field: str | None = None) -> PlotSet:
    """Return the usable plots of a file, and a refusal for every other feature.

    Parameters
    ----------
    path : Path
        GeoJSON (WGS 84), GeoPackage, GeoParquet, Shapefile, or a Shapefile in a ZIP archive; all but GeoJSON state
        their CRS and are brought to EPSG:4326. Columns: a unique ``id``, and where known ``crop``, ``farmer_id``,
        ``declared_area_m2``, ``region``.
    id_field : str or None
        Column that names the plots; None means ``id``, else ``plot_id``, else (GeoJSON) the feature's own id.

    Raises
    ------
    InputUnusableError
        As `check_plots`, and ``no_usable_plots`` where every feature was refused.
    """
    found = check_plots(path, id_field=id_field)
    if not len(found):
        codes = Counter(refusal.code for refusal in found.refused)
        counted = ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "the file has no features"
        first = f"; the first: {found.refused[0].detail}" if found.refused else ""
        raise InputUnusableError(
            "no_usable_plots", f"{path}: none of {found.read_count} plots is usable: {counted}{first}"
        )
    return found


def check_plots(path: Path, *, id_field: str | None = None) -> PlotSet:
    """Return what `read_plots` returns, also where no plot is usable.

    Raises
    ------
    InputUnusableError
        ``file_missing``, ``plots_unreadable``, ``column_missing``, ``crs_missing``, ``crs_unsupported``,
        ``archive_rejected``: faults of the file as a whole.
    """
    return admit(_read(path, id_field=id_field))


def _read(path: Path, *, id_field: str | None) -> PlotSource:
    if not path.is_file():
        raise InputUnusableError("file_missing", f"plots: no file {path}")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputUnusableError("plots_unreadable", f"{path}: {error.strerror}") from error
    if head.startswith(_ZIP):
        return _read_archive(path, id_field=id_field)
    if head.startswith(_SQLITE):
        check_geopackage(path)
        return read_layer(path, id_field=id_field)
    if head.startswith(_PARQUET):
        return read_geoparquet(path, id_field=id_field)
    if head.startswith(_SHAPEFILE):
        return read_layer(path, id_field=id_field)
    if head.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(b"{"):
        return read_geojson(path.read_bytes(), path=path, id_field=id_field)
    raise InputUnusableError(
        "plots_unreadable",
        f"{path} begins with {shown(head[:8])}, expected GeoJSON, GeoPackage, GeoParquet or a (zipped) Shapefile",
    )


def _read_archive(path: Path, *, id_field: str | None) -> PlotSource:
    with unpacked_shapefile(path) as shapefile:
        try:
            return read_layer(shapefile, id_field=id_field, named=path)
        except InputUnusableError as error:
            if error.code != "plots_unreadable":
                raise
            raise InputUnusableError("archive_rejected", error.detail) from error
