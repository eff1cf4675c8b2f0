"""One plot's whole season, from the cube and from the COGs: ``python -m benchmarks.season_cube [--dates N]``.

A synthetic tile (`benchmarks.make_tile`) is observed twice, with and without a cube. Then plots that the run did not
know are read: the window of raw numbers from the cube and, as a user would, from every COG with rasterio; the numbers
are compared first. Figures are CPU milliseconds of all threads a plot, median and range over plots, files in the page
cache. At last the cube is served over HTTP on this machine with a delay, to count requests and round trips.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from obstore.store import HTTPStore
from pyproj import Transformer
from rasterio.windows import Window

from agrocredit.zonal.cube import open_cube
from agrocredit.zonal.cube_window import window_of
from agrocredit.zonal.weights import Block
from benchmarks.make_tile import BANDS, CRS, Tile, make_tile
from benchmarks.slow_server import serve
from pipelines.fresh import fresh
from pipelines.observe import ObserveRequest, observe

if TYPE_CHECKING:
    from collections.abc import Callable

    from agrocredit.domain.grid import Grid
    from agrocredit.zonal.cube import SeasonCube
    from agrocredit.zonal.cube_window import SeasonWindow

ASSETS = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir": "B08",
    "rededge1": "B05",
    "swir16": "B11",
    "scl": "SCL",
}
FIRST_DAY = date(2022, 1, 1)
DELAY_S = 0.03


def write_items(tile: Tile) -> Path:
    """Write the item collection of a tile and return its path."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform
    outline = shapely.transform(shapely.box(*tile.grid.bounds), to_degrees, interleaved=False)
    items = [
        {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": f"scene-{number:02d}",
            "geometry": shapely.geometry.mapping(outline),
            "bbox": list(outline.bounds),
            "properties": {
                "datetime": f"{FIRST_DAY + timedelta(days=5 * number)}T10:20:30Z",
                "platform": "sentinel-2a",
                "s2:mgrs_tile": "36TXX",
                "s2:processing_baseline": "03.01",
                "proj:epsg": int(CRS.removeprefix("EPSG:")),
            },
            "links": [],
            "assets": {
                key: {"href": f"./{tile.path(number, name).name}", "type": "image/tiff; application=geotiff"}
                for name, key in ASSETS.items()
            },
        }
        for number in range(tile.dates)
    ]
    path = tile.folder / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return path


def make_cube(tile: Tile, folder: Path) -> tuple[float, float, float]:
    """Write observations alone, then with the cube; return CPU seconds of warming, plain and with cube."""
    plots = folder / "plots.parquet"
    frame = gpd.GeoDataFrame({"id": [f"{n:06d}" for n in range(tile.plots.size)]}, geometry=tile.plots, crs=CRS)
    frame.to_crs("EPSG:4326").to_parquet(plots)
    end = FIRST_DAY + timedelta(days=5 * tile.dates)
    fields = {"scenes": str(write_items(tile)), "plots": plots, "start": FIRST_DAY, "end": end}

    def run(name: str, cube: Path | None) -> float:
        return cpu_seconds(lambda: observe(ObserveRequest(**fields, out=folder / name, cube=cube)))

    return run("warm", None), run("plain", None), run("cubed", folder / "cube")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of all threads that a call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def from_cogs(tile: Tile, window: SeasonWindow) -> dict[str, np.ndarray]:
    """Return (dates, rows, columns) a band of a window with rasterio: each file opened, its window read."""
    factors = {**{name: recipe.factor for name, recipe in BANDS.items()}, "scl": 2}
    return {
        name: np.stack([_read(tile.path(day, name), window, factors[name]) for day in range(tile.dates)])
        for name in factors
    }


def _read(path: Path, window: SeasonWindow, factor: int) -> np.ndarray:
    place = Window(
        window.col0 // factor, window.row0 // factor, window.grid.width // factor, window.grid.height // factor
    )
    with rasterio.open(path) as file:
        return file.read(1, window=place)


def from_cube(source: Path | HTTPStore, geometry: shapely.Geometry) -> tuple[SeasonCube, SeasonWindow, dict]:
    """Return the chunks that hold a plot's season, decoded and checked."""
    cube = open_cube(source)
    window = window_of(cube.seasons[0], geometry)
    return cube, window, window.read(cube, whole(window.grid))


def whole(grid: Grid) -> Block:
    """Return a small grid as one block."""
    return Block(index=0, row0=0, row1=grid.height, col0=0, col1=grid.width, part_from=0, part_to=0)


def new_plots(tile: Tile, count: int) -> list[shapely.Geometry]:
    """Return plots drawn now: those of the run, moved by some metres."""
    chosen = np.random.default_rng(5).choice(tile.plots.size, count, replace=False)
    moved = [shapely.affinity.translate(tile.plots[number], 13.0, -7.0) for number in chosen]
    return [plot for plot in moved if shapely.box(*tile.grid.bounds).contains(plot)]


def check_equal(tile: Tile, cube: Path, geometry: shapely.Geometry) -> None:
    """Stop unless the cube shows the numbers of the COGs."""
    opened, window, chunks = from_cube(cube, geometry)
    raw = from_cogs(tile, window)
    block = whole(window.grid)
    for day in range(len(opened.seasons[0].scenes)):
        pixels = window.pixels(chunks, block, scene=day)
        classes = np.kron(pixels.mask.classes, np.ones((2, 2), np.uint8))
        inside = shapely.contains_xy(geometry, *_centres(window.grid)) & pixels.mask.is_clear[classes]
        for name, band in pixels.bands.items():
            fine = [np.kron(one, np.ones((band.factor, band.factor), one.dtype)) for one in (band.dn, raw[name][day])]
            assert (fine[0][inside] == fine[1][inside]).all(), name


def _centres(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.meshgrid(np.arange(grid.height), np.arange(grid.width), indexing="ij")
    return grid.x0 + (cols + 0.5) * grid.resolution_m, grid.y0 - (rows + 0.5) * grid.resolution_m


def report(name: str, seconds: list[float]) -> None:
    """Print a line of the table."""
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    print(f"{name:<58}{middle:>9.1f} ms  ({low:.1f} to {high:.1f})")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="side of the tile in pixels of 10 m")
    parser.add_argument("--dates", type=int, default=36)
    parser.add_argument("--plots", type=int, default=25)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tile = make_tile(
            folder / "tile", size=wanted.size, plots_per_side=max(wanted.size // 11, 4), dates=wanted.dates
        )
        _, plain, cubed = make_cube(tile, folder)
        stored = sum(file.stat().st_size for file in (folder / "cube").rglob("*") if file.is_file())
        assets = sum(tile.path(day, name).stat().st_size for day in range(tile.dates) for name in ASSETS)
        print(
            f"{tile.dates} dates, {len(ASSETS)} layers, {wanted.size} x {wanted.size} pixels, {tile.plots.size} plots"
        )
        print(f"observe {plain:.1f} s CPU, with --cube {cubed:.1f} s")
        print(f"cube {stored / 1e6:.0f} MB, COGs {assets / 1e6:.0f} MB")
        compare(tile, folder / "cube", new_plots(tile, wanted.plots))


def compare(tile: Tile, cube: Path, plots: list[shapely.Geometry]) -> None:
    """Print CPU a plot for each way, and round trips over HTTP."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform
    drawn = [shapely.transform(plot, to_degrees, interleaved=False) for plot in plots]
    for plot in plots[:3]:
        check_equal(tile, cube, plot)
    fresh(drawn[0], cube=cube)
    windows = [from_cube(cube, plot)[1] for plot in plots]
    report(
        "cube: chunks of a plot read, checked, decoded", [cpu_seconds(lambda p=p: from_cube(cube, p)) for p in plots]
    )
    report("cube: fresh(), polygon to observations", [cpu_seconds(lambda p=p: fresh(p, cube=cube)) for p in drawn])
    report("COGs: rasterio, window of every file", [cpu_seconds(lambda w=w: from_cogs(tile, w)) for w in windows])
    with serve(cube, delay_s=DELAY_S) as (url, log):
        store = HTTPStore.from_url(url, client_options={"allow_http": True})
        fresh(drawn[0], cube=store)
        counts, waits = [], []
        for plot in drawn:
            log.clear()
            start = time.perf_counter()
            fresh(plot, cube=store)
            waits.append(time.perf_counter() - start)
            counts.append((len(log.spans), log.round_trips()))
        trips = sorted({trip for _, trip in counts})
        requests = sorted({count for count, _ in counts})
        print(f"over HTTP: {requests} requests, {trips} round trips a plot (cube known; one more for the first plot)")
        report(f"over HTTP with {1000 * DELAY_S:.0f} ms delay, wall clock", waits)


if __name__ == "__main__":
    main()
