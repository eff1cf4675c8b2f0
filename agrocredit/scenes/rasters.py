"""Opening one local raster: nothing but GeoTIFF and JPEG 2000, and only within a budget read from the header.

GDAL is handed an absolute path of a regular file and the name of one driver. Neighbouring files (``.aux.xml``,
``.ovr``, world files) are not looked at, because a catalogue's checksum does not cover them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rasterio
from rasterio.errors import RasterioError

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.tiff import check_tiff

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_NUM_THREADS": "1",
    "GTIFF_VIRTUAL_MEM_IO": "NO",
    # Bytes. Holds what a row of blocks cuts of large tiles; GDAL's own choice is a share of all memory.
    "GDAL_CACHEMAX": 128_000_000,
}
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_JP2 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_OTHERS = {
    b"<VRTDataset": "a VRT",
    b"\x89HDF": "HDF5",
    b"\x0e\x03\x13\x01": "HDF4",
    b"CDF": "netCDF",
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip",
    b"SQLite format 3": "SQLite",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterBudget:
    """What a header may declare. A 10 m band of a Sentinel-2 tile has 10,980 x 10,980 pixels in one band."""

    pixels_max: int = 400_000_000
    bands_max: int = 32
    block_pixels_max: int = 32_000_000
    blocks_max: int = 500_000
    side_of_tile_min: int = 16
    """TIFF 6.0 wants tile sides to be multiples of 16."""


def open_raster(path: Path, *, media_type: str | None, budget: RasterBudget | None = None) -> Any:  # noqa: ANN401 - rasterio is untyped
    """Return an open single-band dataset of a local file.

    Parameters
    ----------
    path : Path
        Absolute path of a regular file.
    media_type : str, optional
        What the catalogue calls it; JPEG 2000 is read only where it says so.
    budget : RasterBudget, optional
        What its header may declare.

    Returns
    -------
    rasterio.DatasetReader
        To be closed by the caller; not to be shared between threads.

    Raises
    ------
    RefusedError
        ``asset_unreadable``, ``format_not_allowed``, ``raster_too_large`` or ``band_type_invalid``.
    """
    driver = driver_of(path, media_type=media_type)
    if driver == "GTiff":
        check_tiff(path)
    try:
        with rasterio.Env(**ENVIRONMENT):
            dataset = rasterio.open(str(path), driver=driver, sharing=False)
    except (RasterioError, OSError, ValueError) as error:
        raise RefusedError("asset_unreadable", f"GDAL cannot open it as {driver}: {_first_line(error)}") from error
    try:
        _check_header(dataset, budget or RasterBudget())
    except RefusedError:
        dataset.close()
        raise
    return dataset


def driver_of(path: Path, *, media_type: str | None) -> str:
    """Return the GDAL driver for a file by its first bytes.

    Raises
    ------
    RefusedError
        ``asset_unreadable`` for an empty or missing file and for what is no raster (such as an error page);
        ``format_not_allowed`` for another format.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise RefusedError("asset_unreadable", f"{path.name} cannot be read: {error.strerror}") from error
    if not head:
        raise RefusedError("asset_unreadable", f"{path.name} has 0 bytes")
    if head.startswith(_TIFF):
        return "GTiff"
    if head.startswith(_JP2):
        if media_type == "image/jp2":
            return "JP2OpenJPEG"
        raise RefusedError("format_not_allowed", f"JPEG 2000, the catalogue says {media_type}")
    for magic, name in _OTHERS.items():
        if head.lstrip().startswith(magic) or (magic.startswith(b"<") and magic in head):
            raise RefusedError("format_not_allowed", f"content is {name}, expected GeoTIFF or JPEG 2000")
    shown = head[:24].decode("latin-1")
    raise RefusedError("asset_unreadable", f"content begins with {shown!r}, expected GeoTIFF or JPEG 2000")


def read_window(
    dataset: Any,  # noqa: ANN401 - rasterio is untyped
    *,
    rows: tuple[int, int],
    columns: tuple[int, int],
    out_shape: tuple[int, int] | None = None,
) -> Any:  # noqa: ANN401
    """Return the raw pixels of a window, thinned to `out_shape` where it is given (nearest, from overviews if any).

    Raises
    ------
    RefusedError
        ``asset_unreadable`` where a block cannot be decoded; never a fill value.
    """
    try:
        with rasterio.Env(**ENVIRONMENT):
            return dataset.read(1, window=(rows, columns), out_shape=out_shape)
    except (RasterioError, OSError, ValueError) as error:
        raise RefusedError("asset_unreadable", f"a block cannot be decoded: {_first_line(error)}") from error


def _check_header(dataset: Any, budget: RasterBudget) -> None:  # noqa: ANN401
    pixels = dataset.width * dataset.height
    if pixels > budget.pixels_max or dataset.count > budget.bands_max:
        raise RefusedError(
            "raster_too_large",
            f"{dataset.height} x {dataset.width} pixels in {dataset.count} bands, expected at most"
            f" {budget.pixels_max} pixels in {budget.bands_max} bands",
        )
    rows, columns = dataset.block_shapes[0]
    blocks = -(-dataset.height // rows) * -(-dataset.width // columns)
    tiny = columns < min(budget.side_of_tile_min, dataset.width)
    if rows * columns > budget.block_pixels_max or blocks > budget.blocks_max or tiny:
        raise RefusedError(
            "raster_too_large", f"{blocks} blocks of {rows} x {columns} pixels, expected fewer or smaller ones"
        )
    if dataset.count != 1:
        raise RefusedError("band_type_invalid", f"{dataset.count} bands in the file, expected one")


def _first_line(error: BaseException) -> str:
    deepest = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return str(deepest).partition("\n")[0][:200]
