"""The candidates of the comparison, each as a user would write it; run one in a process of its own.

``python -m benchmarks.candidates NAME FOLDER SIZE PLOTS_PER_SIDE DATES PLOTS`` prints CPU seconds of all threads, what
every candidate imports and what a peer does left out, and the peak memory of the process, and leaves the means of the
first date in FOLDER.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.windows import Window

from agrocredit.indices import IndexDefinition, evaluate, load_indices
from benchmarks.make_tile import BANDS, CRS, NORTH_M, WEST_M, Tile, planned_tile

if TYPE_CHECKING:
    from collections.abc import Callable

CLEAR_CLASSES = (4, 5, 6, 7)
IS_CLEAR = np.isin(np.arange(256), CLEAR_CLASSES)
SCALE = 1e-4
BLOCK = 1024
FACTORS = {name: recipe.factor for name, recipe in BANDS.items()} | {"scl": 2}


def decode(tile: Tile, dates: int, plots: np.ndarray) -> None:
    """Read every block of every file with rasterio and throw it away."""
    del plots  # the tile is full of them: no block is without
    for date in range(dates):
        files = {name: rasterio.open(tile.path(date, name)) for name in FACTORS}
        for row in range(0, tile.size, BLOCK):
            for column in range(0, tile.size, BLOCK):
                for name, factor in FACTORS.items():
                    down, across = (min(BLOCK, tile.size - at) // factor for at in (row, column))
                    files[name].read(1, window=Window(column // factor, row // factor, across, down))
        for file in files.values():
            file.close()


def observe(tile: Tile, dates: int, plots: np.ndarray, *, cache: Path | None = None) -> Callable[[], np.ndarray]:
    """Run this program's whole flow: read and check the plots, weights, scenes hashed and checked, dataset written."""
    from pipelines.observe import ObserveRequest
    from pipelines.observe import observe as run

    out = tile.folder / "observations"
    shutil.rmtree(out, ignore_errors=True)  # what is there would be taken over
    items, fields = tile.folder / f"items_{dates}.json", tile.folder / f"plots_{plots.size}.parquet"
    start, end = dt.date(2024, 1, 1), dt.date(2026, 1, 1)
    request = ObserveRequest(scenes=str(items), plots=fields, start=start, end=end, out=out, cache=cache)
    summary = run(request, workers=1)
    assert not summary.refused
    return lambda: _first_date(tile.folder, out)


def observe_kept(tile: Tile, dates: int, plots: np.ndarray) -> Callable[[], np.ndarray]:
    """Do the same with a cache, where a run before left the coverage weights."""
    return observe(tile, dates, plots, cache=tile.folder / "cache")


def _first_date(folder: Path, out: Path) -> np.ndarray:
    """Return the means of the first date, and leave the shares seen clear beside; the dataset goes."""
    from agrocredit.store.observations import read_observations

    rows = read_observations(out).to_pandas()
    shutil.rmtree(out)
    first = rows[rows["scene_id"] == "S2A_00"]
    np.save(folder / "valid_fraction.npy", first["valid_fraction"].to_numpy())
    return first[_columns()].to_numpy(float)


def exactextract(tile: Tile, dates: int, plots: np.ndarray) -> np.ndarray:
    """Read whole rasters, mask and compute with numpy, one call of exactextract with all indices."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    for date in reversed(range(dates)):
        raw = {}
        for name in FACTORS:
            with rasterio.open(tile.path(date, name)) as file:
                raw[name] = file.read(1, out_shape=(tile.size, tile.size))
        clear = IS_CLEAR[raw["scl"]]
        bands = {name: np.where(clear, raw[name] * SCALE, np.nan) for name in BANDS}
        west, south, east, north = tile.grid.bounds
        sources = [
            NumPyRasterSource(evaluate(one, bands), west, south, east, north, name=one.column) for one in load_indices()
        ]
        frame = gpd.GeoDataFrame(geometry=plots, crs=CRS)
        means = exact_extract(sources, frame, ["mean"], output="pandas").to_numpy(float)
    return means


def odc_xvec(tile: Tile, dates: int, plots: np.ndarray) -> np.ndarray:
    """Use odc-stac on Dask threads, xarray arithmetic, and xvec with exactextract, date by date."""
    import odc.stac
    import rioxarray  # noqa: F401 - adds the accessor
    import xarray as xr
    import xvec  # noqa: F401 - adds the accessor

    for date in reversed(range(dates)):
        item = _stac_item(tile, date)
        cube = odc.stac.load([item], bands=list(FACTORS), chunks={"x": 2048, "y": 2048}, crs=CRS, resolution=10)
        clear = cube.scl.isin(CLEAR_CLASSES)
        bands = {name: (cube[name] * SCALE).where(clear) for name in BANDS}
        formulas = {one.column: _with_xarray(one, bands) for one in load_indices()}
        values = xr.Dataset(formulas).isel(time=0, drop=True).drop_vars("spatial_ref").compute().rio.write_crs(CRS)
        series = gpd.GeoSeries(plots, crs=CRS)
        means = values.xvec.zonal_stats(series, x_coords="x", y_coords="y", stats="mean", method="exactextract")
    return np.column_stack([means[name].to_numpy() for name in _columns()])


def rasterstats(tile: Tile, dates: int, plots: np.ndarray) -> np.ndarray:
    """Compute each index as a raster in memory and call rasterstats for it."""
    from rasterio.transform import from_origin
    from rasterstats import zonal_stats

    for date in reversed(range(dates)):
        means = []
        for one in load_indices():
            raw = {}
            for name in (*one.bands, "scl"):
                with rasterio.open(tile.path(date, name)) as file:
                    raw[name] = file.read(1, out_shape=(tile.size, tile.size))
            clear = IS_CLEAR[raw["scl"]]
            values = evaluate(one, {name: np.where(clear, raw[name] * SCALE, np.nan) for name in one.bands})
            transform = from_origin(WEST_M, NORTH_M, 10, 10)
            found = zonal_stats(plots, values, affine=transform, stats=["mean"], nodata=np.nan)
            means.append([np.nan if row["mean"] is None else float(row["mean"]) for row in found])
    return np.array(means, float).T


CANDIDATES: dict[str, Callable[[Tile, int, np.ndarray], object]] = {
    one.__name__: one for one in (decode, observe, observe_kept, exactextract, odc_xvec, rasterstats)
}

MODULES = {
    "exactextract": ("exactextract",),
    "odc_xvec": ("odc.stac", "rioxarray", "xarray", "xvec", "pystac"),
    "rasterstats": ("rasterstats",),
}
"""What a peer imports; it runs for one date, so its clock starts after that. What `observe` imports is counted."""

FROM_FILES = ("decode", "observe", "observe_kept")
"""Candidates that take no plots, or read them themselves."""


def _columns() -> list[str]:
    return [definition.column for definition in load_indices()]


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


def _stac_item(tile: Tile, date: int) -> object:
    import pystac

    item = pystac.Item("tile", None, None, dt.datetime(2024, 5, 1, tzinfo=dt.UTC), {"proj:code": CRS})
    for name, factor in FACTORS.items():
        extra = {
            "proj:shape": [tile.size // factor, tile.size // factor],
            "proj:transform": [10.0 * factor, 0, WEST_M, 0, -10.0 * factor, NORTH_M],
        }
        item.add_asset(name, pystac.Asset(str(tile.path(date, name)), extra_fields=extra, roles=["data"]))
    item.stac_extensions.append("https://stac-extensions.github.io/projection/v2.0.0/schema.json")
    return item


def _peak_mb() -> float:
    """Return the peak memory of this program; the figure of `getrusage` begins with that of whoever started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Run the candidate that the command line names and print what it cost."""
    name, folder, *numbers = sys.argv[1:]
    size, plots_per_side, dates, n_plots = map(int, numbers)
    warnings.filterwarnings("ignore")
    if name in FROM_FILES:  # the shapes would count as their memory
        plots = np.full(n_plots, None)
        tile = Tile(folder=Path(folder), size=size, dates=dates, plots=plots)
    else:
        tile = planned_tile(Path(folder), size=size, plots_per_side=plots_per_side, dates=dates)
        plots = tile.plots[np.linspace(0, tile.plots.size - 1, n_plots).round().astype(int)]
    for module in MODULES.get(name, ()):
        import_module(module)
    start = time.process_time()
    means = CANDIDATES[name](tile, dates, plots)
    cpu_s = time.process_time() - start
    peak_mb = _peak_mb()
    if means is not None:
        means = means() if callable(means) else means
        np.save(tile.folder / f"means_{name}.npy", means)
    print(json.dumps({"cpu_s": cpu_s, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
