"""One date, cloud-masked, six indices: this program's engine against what a user would write, in CPU time.

Every candidate reads the same files of the same tile and ends with a mean an index and plot. Results are compared
before times. Candidates take turns, and the table shows the median and range of the rounds in CPU seconds of all
threads, files in the page cache, imports and compilation left out (the cold start of the kernel is printed beside).
Peers are written with their best settings known to us: exactextract in memory with all bands in one call, Dask with
threads. A peer whose packages are not all installed is left out, and the output says so.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.windows import Window

from agrocredit.indices import IndexDefinition, compile_indices, evaluate, load_indices
from agrocredit.zonal import (
    BandPixels,
    BlockPixels,
    CoverageWeights,
    Kernel,
    MaskPixels,
    build_weights,
    combine,
    finish,
    make_kernel,
)
from benchmarks.make_tile import BANDS, CRS, NORTH_M, WEST_M, Tile, make_tile

if TYPE_CHECKING:
    from collections.abc import Callable

CLEAR_CLASSES = (4, 5, 6, 7)
IS_CLEAR = np.isin(np.arange(256), CLEAR_CLASSES)
SCALE = 1e-4


def decode_only(tile: Tile, weights: CoverageWeights) -> None:
    """Read every block of every file with rasterio and throw it away: what nobody who uses rasterio can go below."""
    _each_block(tile, weights, lambda _block, _raw: None)


def ours(tile: Tile, weights: CoverageWeights, kernel: Kernel) -> np.ndarray:
    """Return the means by this program's engine: blocks read with rasterio, fused kernel, sums of plots."""
    sums = []

    def add(block: object, raw: dict[str, np.ndarray]) -> None:
        bands = {
            name: BandPixels(dn=raw[name], factor=recipe.factor, scale=SCALE, offset=0.0, nodata=0)
            for name, recipe in BANDS.items()
        }
        mask = MaskPixels(classes=raw["scl"], factor=2, is_clear=IS_CLEAR)
        sums.append(kernel.accumulate(weights, block, BlockPixels(bands=bands, mask=mask)))

    _each_block(tile, weights, add)
    table = finish(combine(sums, weights=weights, n_indices=len(kernel.names)), weights=weights, names=kernel.names)
    means = np.full((weights.n_plots, len(kernel.names)), np.nan)
    means[table["plot"].to_numpy()] = np.column_stack([table[name].to_numpy() for name in kernel.names])
    return means


def with_exactextract(tile: Tile, definitions: tuple[IndexDefinition, ...]) -> np.ndarray:
    """Return the means by whole rasters in numpy and one call of exactextract with all indices."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    shape = (tile.size, tile.size)
    raw = {}
    for name in (*BANDS, "scl"):
        with rasterio.open(tile.path(0, name)) as file:
            raw[name] = file.read(1, out_shape=shape)
    clear = IS_CLEAR[raw["scl"]]
    bands = {name: np.where(clear, raw[name] * SCALE, np.nan) for name in BANDS}
    west, south, east, north = tile.grid.bounds
    sources = [
        NumPyRasterSource(evaluate(definition, bands), west, south, east, north, name=definition.column)
        for definition in definitions
    ]
    plots = gpd.GeoDataFrame(geometry=tile.plots, crs=CRS)
    return exact_extract(sources, plots, ["mean"], output="pandas").to_numpy(float)


def with_odc_and_xvec(tile: Tile, definitions: tuple[IndexDefinition, ...]) -> np.ndarray:
    """Return the means by odc-stac on Dask threads, xarray arithmetic, and xvec with exactextract."""
    import odc.stac
    import rioxarray  # noqa: F401 - adds the accessor
    import xarray as xr
    import xvec  # noqa: F401 - adds the accessor

    cube = odc.stac.load(
        [_stac_item(tile)], bands=[*BANDS, "scl"], chunks={"x": 2048, "y": 2048}, crs=CRS, resolution=10
    )
    clear = cube.scl.isin(CLEAR_CLASSES)
    bands = {name: (cube[name] * SCALE).where(clear) for name in BANDS}
    formulas = {definition.column: _with_xarray(definition, bands) for definition in definitions}
    values = xr.Dataset(formulas).isel(time=0, drop=True).drop_vars("spatial_ref").compute().rio.write_crs(CRS)
    plots = gpd.GeoSeries(tile.plots, crs=CRS)
    means = values.xvec.zonal_stats(plots, x_coords="x", y_coords="y", stats="mean", method="exactextract")
    return np.column_stack([means[definition.column].to_numpy() for definition in definitions])


def _with_xarray(definition: IndexDefinition, bands: dict[str, object]) -> object:
    """Return an index of lazy arrays: the reference arithmetic, block by block."""
    import xarray as xr

    names = definition.bands
    return xr.apply_ufunc(
        lambda *arrays: evaluate(definition, dict(zip(names, arrays, strict=True))),
        *(bands[name] for name in names),
        dask="parallelized",
        output_dtypes=[float],
    )


def _stac_item(tile: Tile) -> object:
    import datetime as dt

    import pystac

    item = pystac.Item("tile", None, None, dt.datetime(2024, 5, 1, tzinfo=dt.UTC), {"proj:code": CRS})
    for name in (*BANDS, "scl"):
        factor = BANDS[name].factor if name in BANDS else 2
        extra = {
            "proj:shape": [tile.size // factor, tile.size // factor],
            "proj:transform": [10.0 * factor, 0, WEST_M, 0, -10.0 * factor, NORTH_M],
        }
        item.add_asset(name, pystac.Asset(str(tile.path(0, name)), extra_fields=extra, roles=["data"]))
    item.stac_extensions.append("https://stac-extensions.github.io/projection/v2.0.0/schema.json")
    return item


def _each_block(tile: Tile, weights: CoverageWeights, use: Callable[[object, dict[str, np.ndarray]], None]) -> None:
    factors = {name: recipe.factor for name, recipe in BANDS.items()} | {"scl": 2}
    files = {name: rasterio.open(tile.path(0, name)) for name in factors}
    for block in weights.blocks:
        raw = {}
        for name, factor in factors.items():
            row0, row1, col0, col1 = block.window(factor)
            raw[name] = files[name].read(1, window=Window(col0, row0, col1 - col0, row1 - row0))
        use(block, raw)
    for file in files.values():
        file.close()


def _cpu_s(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(tile: Tile, *, rounds: int) -> None:
    """Print the differences and the table of CPU times."""
    definitions = load_indices()
    kernel = make_kernel(compile_indices(definitions))
    build_weights(tile.plots[:10], grid=tile.grid)
    build_s = _cpu_s(lambda: build_weights(tile.plots, grid=tile.grid))
    weights = build_weights(tile.plots, grid=tile.grid)
    cold_s = _cpu_s(lambda: ours(tile, weights, kernel))
    candidates: dict[str, Callable[[], object]] = {
        "decode only, rasterio by blocks": lambda: decode_only(tile, weights),
        "agrocredit": lambda: ours(tile, weights, kernel),
        f"rasterio + numpy + exactextract {version('exactextract')}": lambda: with_exactextract(tile, definitions),
    }
    if find_spec("rioxarray"):
        name = f"odc-stac {version('odc-stac')} + xvec {version('xvec')}"
        candidates[name] = lambda: with_odc_and_xvec(tile, definitions)
    else:
        print("left out: odc-stac + xvec, whose exactextract method needs rioxarray")
    _print_differences({name: run() for name, run in candidates.items()})
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            times[name].append(_cpu_s(run))
    _print_times(times)
    print(f"once a grid: weights {build_s:.3f} s, {weights.nbytes / weights.n_plots:.0f} bytes a plot")
    print(f"once a process: first date {cold_s:.2f} s (compiles the kernel if it is not kept on disk yet)")


def _print_differences(results: dict[str, object]) -> None:
    mine = results["agrocredit"]
    assert isinstance(mine, np.ndarray)
    for name, theirs in results.items():
        if isinstance(theirs, np.ndarray) and theirs is not mine:
            both = np.isfinite(mine) & np.isfinite(theirs)
            largest = np.abs(mine - theirs)[both].max()
            print(f"largest difference to {name}: {largest:.1e} over {both.any(axis=1).sum()} plots")


def _print_times(times: dict[str, list[float]]) -> None:
    base = median(times["agrocredit"])
    print(f"{'candidate':<44}{'CPU s, median':>14}{'range':>18}{'against ours':>14}")
    for name, seconds in times.items():
        spread = f"{min(seconds):.3f} to {max(seconds):.3f}"
        print(f"{name:<44}{median(seconds):>14.3f}{spread:>18}{median(seconds) / base:>14.2f}")


def main() -> None:
    """Make a tile in a temporary folder and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1098, help="pixels of 10 m along the tile")
    parser.add_argument("--plots-per-side", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    warnings.filterwarnings("ignore", module="exactextract|xvec|odc")
    with tempfile.TemporaryDirectory() as folder:
        tile = make_tile(Path(folder), size=wanted.size, plots_per_side=wanted.plots_per_side, dates=1)
        print(f"{tile.size} x {tile.size} px, {tile.plots.size} plots, {tile.bytes_per_pixel():.2f} bytes a pixel")
        compare(tile, rounds=wanted.rounds)


if __name__ == "__main__":
    main()
