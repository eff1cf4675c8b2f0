"""A small made-up catalogue whose pixels are known, so that what a flow says can be computed by hand."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin
from shapely import box, transform
from shapely.geometry import mapping

CRS = "EPSG:32632"
X0, Y0, SIDE = 500_000.0, 5_270_000.0, 40
TEN_METRES = {"B02": 600, "B03": 900, "B04": 700, "B08": 4_500}
TWENTY_METRES = {"B05": 1_500, "B11": 2_000}
DAYS = 6
TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform


def _field_of(plot_id, column, row, width, height, **properties):
    """A rectangular plot given in pixels of the made-up grid."""
    west, north = X0 + column * 10, Y0 - row * 10
    square = transform(box(west, north - height * 10, west + width * 10, north), TO_DEGREES, interleaved=False)
    return {"type": "Feature", "properties": {"id": plot_id, **properties}, "geometry": mapping(square)}


def _write_plots(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


@dataclass
class Catalogue:
    """Scenes on disk; `write` puts the item collection beside them."""

    folder: Path
    items: list = field(default_factory=list)

    def add(
        self,
        scene_id,
        day,
        *,
        counts=None,
        classes=4,
        tile="32TNT",
        bands=None,
        baseline="05.10",
        x0=X0,
        y0=Y0,
        crs=CRS,
        properties=None,
    ):
        """Add a scene of constant counts, or arrays of them; `classes` is one class or an array on the 20 m grid."""
        counts = {**TEN_METRES, **TWENTY_METRES, **(counts or {})}
        assets = {}
        for name in bands or [*counts, "SCL"]:
            coarse = name in TWENTY_METRES or name == "SCL"
            shape = (SIDE // 2, SIDE // 2) if coarse else (SIDE, SIDE)
            if name == "SCL":
                pixels = np.broadcast_to(np.asarray(classes, dtype=np.uint8), shape)
            else:
                # The sensor's counts stand 1000 above reflectance * 10000; a little relief keeps it from being flat.
                relief = np.arange(shape[0] * shape[1]).reshape(shape) % 5
                pixels = (counts[name] + 1_000 + relief).astype(np.uint16)
            origin = from_origin(x0, y0, 20 if coarse else 10, 20 if coarse else 10)
            assets[name] = self._write_band(scene_id, name, pixels, origin, crs=crs)
        to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform
        square = transform(box(x0, y0 - SIDE * 10, x0 + SIDE * 10, y0), to_degrees, interleaved=False)
        self.items.append(
            {
                "type": "Feature",
                "stac_version": "1.0.0",
                "id": scene_id,
                "geometry": mapping(square),
                "bbox": list(square.bounds),
                "properties": {
                    "datetime": f"{day}T10:20:30Z",
                    "platform": "sentinel-2a",
                    "s2:mgrs_tile": tile,
                    "s2:processing_baseline": baseline,
                    "proj:epsg": int(crs.removeprefix("EPSG:")),
                    **(properties or {}),
                },
                "links": [],
                "assets": assets,
            }
        )
        return self

    def _write_band(self, scene_id, name, pixels, origin, *, crs):
        path = self.folder / scene_id / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {"driver": "GTiff", "height": pixels.shape[0], "width": pixels.shape[1], "count": 1}
        with rasterio.open(
            path,
            "w",
            **profile,
            dtype=pixels.dtype,
            crs=crs,
            transform=origin,
            nodata=0,
            compress="deflate",
        ) as dst:
            dst.write(pixels, 1)
        return {"href": f"./{scene_id}/{name}.tif", "type": "image/tiff; application=geotiff"}

    def write(self):
        """Write ``items.json`` and return its path."""
        path = self.folder / "items.json"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": self.items}))
        return path


@pytest.fixture
def catalogue(tmp_path):
    return Catalogue(tmp_path / "scenes")


@pytest.fixture
def field_of():
    return _field_of


@pytest.fixture
def write_plots():
    return _write_plots


@pytest.fixture
def season(catalogue, field_of, write_plots, tmp_path):
    """Paths of a catalogue of some dates, one of them with a broken band, and of its plots."""
    for day in range(DAYS):
        catalogue.add(f"s{day}", f"2022-05-{10 + day}")
    (catalogue.folder / "s3" / "B03.tif").unlink()
    plots = write_plots(tmp_path / "plots.geojson", field_of("a", 4, 4, 8, 8), field_of("c", 30, 30, 8, 8))
    return catalogue.write(), plots
