"""A synthetic tile that costs as much to read as a real one, with plots on it: ``python -m benchmarks.make_tile OUT``.

Blue, green, red and nir at 10 m, red edge, short-wave infrared and scene classes at 20 m, as cloud-optimised GeoTIFFs
(deflate 6, predictor 2, blocks of 512, overviews). Eight-sided fields on a jittered grid, most under a hectare, each
with its own vigour, so that fields have borders; clouds and their shadows from smooth noise. Texture and noise are set
so that pixels take 1.4 to 1.6 bytes, as those of Sentinel-2 scenes do: a smooth tile would compress to almost nothing
and make every reader look fast. Nothing in it says anything about any place.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy import ndimage

from agrocredit.domain.grid import Grid

CRS = "EPSG:32636"
WEST_M, NORTH_M = 300_000.0, 4_300_000.0
FIRST_DAY = dt.date(2024, 4, 1)
CLOUD_SHARE = 0.22
SPREAD = 0.65
"""Strength of texture and noise; set by looking at the bytes a pixel that `main` prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRecipe:
    """Digital numbers of bare soil and of full cover, and the resolution in units of 10 m."""

    soil: float
    crop: float
    factor: int = 1


BANDS = {
    "blue": BandRecipe(soil=850, crop=350),
    "green": BandRecipe(soil=1050, crop=450),
    "red": BandRecipe(soil=1450, crop=550),
    "rededge1": BandRecipe(soil=750, crop=1250, factor=2),
    "nir": BandRecipe(soil=1250, crop=3050),
    "swir16": BandRecipe(soil=2100, crop=1200, factor=2),
}


ASSETS = {"blue": "B02", "green": "B03", "red": "B04", "rededge1": "B05", "nir": "B08", "swir16": "B11", "scl": "SCL"}
"""Names of the files in the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """What was written."""

    folder: Path
    size: int
    dates: int
    plots: np.ndarray
    """Polygons in the CRS of the tile."""

    @property
    def grid(self) -> Grid:
        """The 10 m grid."""
        return Grid(crs=CRS, x0=WEST_M, y0=NORTH_M, resolution_m=10.0, height=self.size, width=self.size)

    def path(self, date: int, name: str) -> Path:
        """Return the file of a band, or of the classes (``scl``)."""
        return self.folder / f"{date:02d}_{name}.tif"

    def write_catalogue(self, *, dates: int, plots: int) -> tuple[Path, Path]:
        """Write an item collection of the first dates and a file of some plots, spread evenly; return their paths."""
        items, fields = self.folder / f"items_{dates}.json", self.folder / f"plots_{plots}.parquet"
        chosen = np.linspace(0, self.plots.size - 1, plots).round().astype(int)
        frame = gpd.GeoDataFrame({"id": [f"p{at:07d}" for at in chosen]}, geometry=self.plots[chosen], crs=CRS)
        frame.to_crs(4326).to_parquet(fields)
        collection = [_item(date, gpd.GeoSeries(self.plots, crs=CRS)) for date in range(dates)]
        items.write_text(json.dumps({"type": "FeatureCollection", "features": collection}))
        return items, fields

    def bytes_per_pixel(self) -> float:
        """Return the mean size of a band's pixel as stored, without overviews."""
        stored = sum(_stored_bytes(self.path(0, name)) for name in BANDS)
        return stored / sum((self.size // recipe.factor) ** 2 for recipe in BANDS.values())


def _item(date: int, plots: gpd.GeoSeries) -> dict[str, object]:
    """Return the catalogue's word on one date; baseline 03.01 has no offset."""
    box = shapely.box(*gpd.GeoSeries([shapely.box(*plots.total_bounds)], crs=CRS).to_crs(4326).total_bounds)
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"S2A_{date:02d}",
        "bbox": box.bounds,
        "geometry": shapely.geometry.mapping(box),
        "properties": {
            "datetime": f"{FIRST_DAY + dt.timedelta(days=5 * date)}T10:20:30Z",
            "platform": "sentinel-2a",
            "s2:mgrs_tile": "36TTT",
            "s2:processing_baseline": "03.01",
            "proj:epsg": int(CRS.removeprefix("EPSG:")),
        },
        "links": [],
        "assets": {asset: {"href": f"{date:02d}_{name}.tif", "type": "image/tiff"} for name, asset in ASSETS.items()},
    }


def _stored_bytes(path: Path) -> int:
    with rasterio.open(path) as file:
        blocks = [index for index, _ in file.block_windows(1)]
        return sum(file.block_size(1, row, col) for row, col in blocks)


def make_tile(folder: Path, *, size: int, plots_per_side: int, dates: int) -> Tile:
    """Write a tile of `size` x `size` pixels of 10 m and return it.

    Parameters
    ----------
    folder : Path
    size : int
        Even.
    plots_per_side : int
        Its square is the number of plots.
    dates : int
    """
    folder.mkdir(parents=True, exist_ok=True)
    tile = planned_tile(folder, size=size, plots_per_side=plots_per_side, dates=dates)
    plots = tile.plots
    owner = rasterize(
        zip(plots, range(1, plots.size + 1), strict=True),
        out_shape=(size, size),
        transform=from_origin(WEST_M, NORTH_M, 10, 10),
        dtype="int32",
    )
    for date in range(dates):
        _write_date(tile, date, owner)
    return tile


def planned_tile(folder: Path, *, size: int, plots_per_side: int, dates: int) -> Tile:
    """Return the tile that `make_tile` writes with the same arguments, without writing it."""
    plots = _fields(size * 10.0, plots_per_side, np.random.default_rng(7))
    return Tile(folder=folder, size=size, dates=dates, plots=plots)


def _fields(side_m: float, plots_per_side: int, rng: np.random.Generator) -> np.ndarray:
    """Return turned octagons, one a cell of a square grid, filling about half of it."""
    cell = side_m / plots_per_side
    rows, cols = np.divmod(np.arange(plots_per_side**2), plots_per_side)
    n = rows.size
    filled = 0.25 + 0.75 * rng.beta(2.2, 1.1, n)
    stretch = np.sqrt(rng.uniform(0.7, 1.35, n))
    half = np.minimum(0.485 * cell * filled * np.stack([stretch, 1 / stretch]), 0.62 * cell)[:, :, None]
    corners = np.array([(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)]).T[:, None, :]
    x, y = corners * half * rng.uniform(0.88, 1.0, (2, n, 8))
    turn = rng.normal(0, 0.25, n)[:, None]
    east = x * np.cos(turn) - y * np.sin(turn) + WEST_M + (cols[:, None] + 0.5) * cell
    north = x * np.sin(turn) + y * np.cos(turn) + NORTH_M - (rows[:, None] + 0.5) * cell
    return shapely.polygons(np.stack([east, north], axis=-1))


def _smooth(size: int, scale: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise that changes over about `scale` pixels."""
    knots = max(4, size // scale + 3)
    return ndimage.zoom(rng.standard_normal((knots, knots), np.float32), size / (knots - 2), order=1)[:size, :size]


def _write_date(tile: Tile, date: int, owner: np.ndarray) -> None:
    rng = np.random.default_rng(100 + date)
    size = tile.size
    vigour = np.clip(rng.normal(0.35 + 0.1 * (date % 5), 0.15, tile.plots.size + 1), 0.05, 1).astype(np.float32)
    cover = vigour[owner] + 0.05 * _smooth(size, 60, rng) + 0.08 * _smooth(size, 400, rng)
    cloud, shadow = _sky(size // 2, rng)
    classes = np.where(cloud, 9, np.where(shadow, 3, np.where(cover[::2, ::2] > 0.4, 4, 5))).astype(np.uint8)
    _write(tile.path(date, "scl"), classes, factor=2)
    texture = ndimage.gaussian_filter(rng.standard_normal((size, size), np.float32), 1.2)
    texture /= texture.std()
    white = 3500 + 700 * texture
    cloudy = cloud.repeat(2, 0).repeat(2, 1)
    for name, recipe in BANDS.items():
        level = min(recipe.soil, recipe.crop)
        dn = recipe.soil + (recipe.crop - recipe.soil) * cover + SPREAD * 0.1 * level * texture
        dn += rng.standard_normal((size, size), np.float32) * SPREAD * (10 + 0.045 * level)
        dn = np.clip(np.where(cloudy, 0.3 * dn + white, dn), 1, 15_000)
        if recipe.factor > 1:
            half = size // recipe.factor
            dn = dn.reshape(half, recipe.factor, half, recipe.factor).mean(axis=(1, 3))
        _write(tile.path(date, name), dn.astype(np.uint16), factor=recipe.factor)


def _sky(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return where cloud is and where its shadow falls."""
    height = _smooth(size, 300, rng) + 0.5 * _smooth(size, 60, rng) + 0.2 * _smooth(size, 12, rng)
    cloud = height > np.quantile(height, 1 - CLOUD_SHARE)
    return cloud, np.roll(cloud, (25, 25), (0, 1)) & ~cloud


def _write(path: Path, raster: np.ndarray, *, factor: int) -> None:
    is_class = raster.dtype == np.uint8
    options = {
        "driver": "COG",
        "compress": "DEFLATE",
        "level": 6,
        "predictor": "NO" if is_class else "YES",
        "blocksize": 512,
        "overview_resampling": "nearest" if is_class else "average",
    }
    with rasterio.open(
        path,
        "w",
        height=raster.shape[0],
        width=raster.shape[1],
        count=1,
        dtype=raster.dtype,
        crs=CRS,
        transform=from_origin(WEST_M, NORTH_M, 10 * factor, 10 * factor),
        nodata=0,
        **options,
    ) as file:
        file.write(raster, 1)


def main() -> None:
    """Write a tile where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=5490)
    parser.add_argument("--plots-per-side", type=int, default=500)
    parser.add_argument("--dates", type=int, default=6)
    wanted = parser.parse_args()
    tile = make_tile(wanted.out, size=wanted.size, plots_per_side=wanted.plots_per_side, dates=wanted.dates)
    mean_ha = shapely.area(tile.plots).mean() / 1e4
    print(f"{tile.plots.size} plots of {mean_ha:.2f} ha on average, {tile.bytes_per_pixel():.2f} bytes a pixel")


if __name__ == "__main__":
    main()
