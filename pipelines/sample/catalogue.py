"""The simulated pictures as a provider would hand them out: cloud-optimised GeoTIFFs and a STAC ItemCollection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin

from agrocredit.store.canonical_json import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from pipelines.sample.settings import Place

SCALE, OFFSET, NODATA = 0.0001, -0.1, 0
BLOCK_PX = 128
BANDS: dict[str, tuple[str, float]] = {
    "blue": ("B02", 0.490),
    "green": ("B03", 0.560),
    "red": ("B04", 0.665),
    "rededge1": ("B05", 0.704),
    "nir": ("B08", 0.833),
    "swir16": ("B11", 1.610),
}
"""Common name to Sentinel-2 band and centre wavelength in micrometres."""
MASK = "SCL"
EXTENSIONS = (
    "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
    "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
)
NOTE = "Simulated: no satellite saw this. A fictional place, rendered from a crop growth model with a fixed seed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a product says of itself."""

    platform: str
    """``sentinel-2a`` or ``sentinel-2b``."""
    sensed_at: datetime
    baseline: str
    """``05.10``."""
    cloud_cover_percent: float

    def item_id(self, place: Place) -> str:
        """Return the product's name in ESA's convention, with the place's tile."""
        mission = f"S2{self.platform[-1].upper()}"
        sensed = f"{self.sensed_at:%Y%m%dT%H%M%S}"
        made = f"{self.made_at:%Y%m%dT%H%M%S}"
        return f"{mission}_MSIL2A_{sensed}_N{self.baseline.replace('.', '')}_R075_T{place.tile}_{made}"

    @property
    def made_at(self) -> datetime:
        """When it was processed: the later, the newer the baseline."""
        return self.sensed_at + timedelta(days=int(self.baseline.partition(".")[2]), hours=4)


def to_numbers(reflectance: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
    """Return reflectance as the product's integers: DN = (reflectance + 0.1) / 0.0001, never 0, which means no data."""
    return np.clip(np.rint((reflectance - OFFSET) / SCALE), 1, 65535).astype(np.uint16)


def write_product(
    product: Product,
    images: Mapping[str, npt.NDArray[np.uint16] | npt.NDArray[np.uint8]],
    *,
    folder: Path,
    place: Place,
) -> dict[str, Any]:
    """Write a product's pictures and return its STAC item, with hrefs relative to `folder`.

    Parameters
    ----------
    images : mapping
        By common band name, and the classes as ``SCL``; square, of 10 m or 20 m pixels.
    """
    name = product.item_id(place)
    (folder / name).mkdir(parents=True)
    assets = {}
    for band, image in images.items():
        key = BANDS[band][0] if band in BANDS else band
        path = folder / name / f"{key}.tif"
        _write_cog(path, image, place=place)
        assets[key] = _asset(band, key, image, path=path, item=name, place=place)
    return _item(product, name, assets, place=place)


def item_collection(items: list[dict[str, Any]]) -> str:
    """Return the ItemCollection as text, ordered by item id."""
    ordered = sorted(items, key=lambda item: str(item["id"]))
    return json_text({"type": "FeatureCollection", "description": NOTE, "features": ordered})


def _write_cog(path: Path, image: npt.NDArray[Any], *, place: Place) -> None:
    step_m = place.size_m / image.shape[0]
    with rasterio.open(
        path,
        "w",
        driver="COG",
        height=image.shape[0],
        width=image.shape[1],
        count=1,
        dtype=image.dtype,
        crs=f"EPSG:{place.epsg}",
        transform=from_origin(place.west_m, place.north_m, step_m, step_m),
        nodata=NODATA,
        compress="deflate",
        level=6,
        predictor=2,
        blocksize=BLOCK_PX,
        overview_resampling="nearest",
    ) as target:
        target.write(image, 1)


def _asset(band: str, key: str, image: npt.NDArray[Any], *, path: Path, item: str, place: Place) -> dict[str, Any]:
    data = path.read_bytes()
    step_m = place.size_m / image.shape[0]
    asset: dict[str, Any] = {
        "href": f"./{item}/{key}.tif",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "gsd": step_m,
        "proj:shape": list(image.shape),
        "proj:transform": [step_m, 0.0, place.west_m, 0.0, -step_m, place.north_m],
        "file:checksum": "1220" + hashlib.sha256(data).hexdigest(),
        "file:size": len(data),
    }
    if band not in BANDS:
        return {**asset, "roles": ["data"], "raster:bands": [{"data_type": "uint8", "nodata": NODATA}]}
    described = {"name": key, "common_name": band, "center_wavelength": BANDS[band][1]}
    scaled = {"data_type": "uint16", "nodata": NODATA, "scale": SCALE, "offset": OFFSET, "spatial_resolution": step_m}
    return {**asset, "roles": ["data", "reflectance"], "eo:bands": [described], "raster:bands": [scaled]}


def _item(product: Product, name: str, assets: dict[str, Any], *, place: Place) -> dict[str, Any]:
    ring = _footprint(place)
    lons, lats = zip(*ring, strict=True)
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": list(EXTENSIONS),
        "id": name,
        "collection": "simulated-sentinel-2-l2a",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [min(lons), min(lats), max(lons), max(lats)],
        "properties": {
            "datetime": _utc(product.sensed_at),
            "title": f"Simulated picture of {place.name}",
            "description": NOTE,
            "simulated": True,
            "platform": product.platform,
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "eo:cloud_cover": product.cloud_cover_percent,
            "proj:epsg": place.epsg,
            "s2:mgrs_tile": place.tile,
            "s2:processing_baseline": product.baseline,
            "s2:product_uri": f"{name}.SAFE",
            "s2:generation_time": _utc(product.made_at),
        },
        "links": [],
        "assets": assets,
    }


def _footprint(place: Place) -> list[list[float]]:
    to_degrees = Transformer.from_crs(place.epsg, 4326, always_xy=True)
    west, north, size = place.west_m, place.north_m, place.size_m
    corners = [(west, north), (west, north - size), (west + size, north - size), (west + size, north), (west, north)]
    return [[round(value, 7) for value in to_degrees.transform(x, y)] for x, y in corners]


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
