"""One asset from its reference to an open, hashed, checked raster on this machine."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.cache import bring, cached_path, forget
from agrocredit.scenes.checksums import file_sha256
from agrocredit.scenes.grids import grid_of
from agrocredit.scenes.hrefs import locate
from agrocredit.scenes.rasters import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from agrocredit.domain.grid import Grid
    from agrocredit.scenes.fetch import Fetcher
    from agrocredit.scenes.hrefs import Location
    from agrocredit.scenes.scene import AssetRef, Scene

REFLECTANCE_DTYPES = ("uint16", "int16")
MASK_DTYPES = ("uint8",)
_WORTH_FETCHING_AGAIN = frozenset({"asset_unreadable", "checksum_mismatch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAsset:
    """An open raster and what was established about it."""

    asset: AssetRef
    dataset: Any
    """rasterio.DatasetReader; belongs to one thread."""
    grid: Grid
    sha256: str
    nodata: float | None
    """Raw count that means missing: the item's word, else the file's, else 0 in Sentinel-2 reflectance."""

    @property
    def missing(self) -> int:
        """What stands where nothing was decoded: the missing value, or 0 where the pixels' type cannot hold it."""
        info = np.iinfo(self.dataset.dtypes[0])
        held = self.nodata is not None and float(self.nodata).is_integer() and info.min <= self.nodata <= info.max
        return int(self.nodata) if held and self.nodata is not None else 0


def open_asset(asset: AssetRef, *, scene: Scene, dtypes: tuple[str, ...], cache: Path, fetcher: Fetcher) -> OpenAsset:
    """Return an asset opened; a remote copy that turns out bad is fetched once more.

    Parameters
    ----------
    asset : AssetRef
    scene : Scene
        The scene it belongs to.
    dtypes : tuple of str
        Pixel types that are accepted.
    cache : Path
        Folder of remote copies.
    fetcher : Fetcher
        Brings them.

    Raises
    ------
    RefusedError
        ``href_not_allowed``, ``asset_unreadable``, ``checksum_mismatch``, ``format_not_allowed``, ``raster_too_large``,
        ``band_type_invalid`` or ``grid_mismatch``.
    """
    location = locate(asset.href, base=asset.base, access=scene.access)
    try:
        return _open(asset, location, scene=scene, dtypes=dtypes, cache=cache, fetcher=fetcher)
    except RefusedError as error:
        if location.kind == "file" or error.code not in _WORTH_FETCHING_AGAIN:
            raise
        if not cached_path(location, cache).is_file():
            raise  # no copy that could be bad: the fetcher has used up its own attempts and its deadline
    forget(location, folder=cache)
    return _open(asset, location, scene=scene, dtypes=dtypes, cache=cache, fetcher=fetcher)


def _open(
    asset: AssetRef, location: Location, *, scene: Scene, dtypes: tuple[str, ...], cache: Path, fetcher: Fetcher
) -> OpenAsset:
    path = location.path if location.kind == "file" else bring(location, folder=cache, fetcher=fetcher)
    try:
        sha256 = _sha256(path, asset)
    except OSError as error:
        raise RefusedError("asset_unreadable", f"{asset.href[:200]} cannot be read: {error.strerror}") from error
    dataset = open_raster(path, media_type=asset.media_type)
    try:
        _check_dtype(dataset.dtypes[0], dtypes)
        grid = grid_of(dataset, projection=asset.projection, bbox_deg=scene.bbox_deg)
    except RefusedError:
        dataset.close()
        raise
    return OpenAsset(asset=asset, dataset=dataset, grid=grid, sha256=sha256, nodata=_nodata(asset, dataset))


def _check_dtype(dtype: str, dtypes: tuple[str, ...]) -> None:
    if dtype not in dtypes:
        raise RefusedError("band_type_invalid", f"pixels of {dtype}, expected {' or '.join(dtypes)}")


def _sha256(path: Path, asset: AssetRef) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        what = "has 0 bytes" if stat.S_ISREG(status.st_mode) else "is not a regular file"
        raise RefusedError("asset_unreadable", f"{path.name} {what}")
    return file_sha256(path, checksum=asset.checksum, size_bytes=asset.size_bytes)


def _nodata(asset: AssetRef, dataset: Any) -> float | None:  # noqa: ANN401 - rasterio is untyped
    if asset.nodata is not None:
        return asset.nodata
    if dataset.nodata is not None:
        return float(dataset.nodata)
    return 0.0  # Sentinel-2 counts and classes begin at 1 (S2-PDGS-TAS-DI-PSD)
