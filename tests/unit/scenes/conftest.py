"""Synthetic scenes with known truth: vegetation and soil on the blue-red line, as GeoTIFFs and STAC items."""

from __future__ import annotations

import copy
import json
import os
import threading
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GDAL_SKIP", "VRT")

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from agrocredit.scenes import find_scenes, open_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agrocredit.scenes import OpenedScene

SIDE = 64
BANDS = ("blue", "green", "red", "nir", "rededge1", "swir16")
ESA = {"blue": "B02", "green": "B03", "red": "B04", "nir": "B08", "rededge1": "B05", "swir16": "B11", "nir08": "B8A"}
FACTOR = {"rededge1": 2, "swir16": 2, "nir08": 2}
BBOX = [8.90, 47.47, 8.92, 47.48]
SEASON = {"start": date(2022, 1, 1), "end": date(2023, 1, 1)}


def reflectance(name: str, rng: np.random.Generator, cover: np.ndarray) -> np.ndarray:
    """Blend soil and leaf by cover; blue follows red on 0.49 red + 0.005."""
    red = 0.03 * cover + 0.14 * (1 - cover)
    spectra = {
        "red": red,
        "blue": 0.49 * red + 0.005,
        "green": 0.06 * cover + 0.10 * (1 - cover),
        "nir": 0.45 * cover + 0.20 * (1 - cover),
        "nir08": 0.46 * cover + 0.21 * (1 - cover),
        "rededge1": 0.10 * cover + 0.16 * (1 - cover),
        "swir16": 0.15 * cover + 0.30 * (1 - cover),
    }
    return spectra[name] + rng.normal(0, 0.003, cover.shape)


def write_tiff(path: Path, pixels: np.ndarray, *, x0: float = 492760.0, y0: float = 5258660.0, **changes: Any) -> Path:
    """Write a one-band GeoTIFF (pixels 2-D) or a stack (3-D)."""
    resolution = changes.pop("resolution", 10.0)
    stack = pixels if pixels.ndim == 3 else pixels[None]
    profile = {
        "driver": "GTiff",
        "height": stack.shape[1],
        "width": stack.shape[2],
        "count": stack.shape[0],
        "dtype": stack.dtype,
        "crs": "EPSG:32632",
        "transform": Affine(resolution, 0, x0, 0, -resolution, y0),
        "tiled": True,
        "blockxsize": 32,
        "blockysize": 32,
        "compress": "deflate",
    }
    profile.update(changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(stack)
    return path


@dataclass
class Maker:
    """Writes one scene's rasters and its item below a folder."""

    folder: Path
    items: list[dict[str, Any]] = field(default_factory=list)

    def scene(
        self,
        item_id: str = "S2A_MSIL2A_20220511T102601_N0400_R108_T32TMT_20220511T174519",
        *,
        true_offset: float = -0.1,
        declared: float | None = -0.1,
        bands: tuple[str, ...] = BANDS,
        scl: np.ndarray | None = None,
        with_mask: bool = True,
        cover: float = 0.9,
        haze: float = 0.0,
        **properties: Any,
    ) -> dict[str, Any]:
        rng = np.random.default_rng(7)
        fractions = np.clip(rng.normal(cover, 0.1, (SIDE, SIDE)), 0, 1)
        assets: dict[str, Any] = {}
        for name in bands:
            factor = FACTOR.get(name, 1)
            values = reflectance(name, rng, fractions)[::factor, ::factor] + haze
            counts = np.clip(np.round((values - true_offset) * 1e4), 1, 65534).astype(np.uint16)
            key = ESA[name]
            write_tiff(self.folder / item_id / f"{key}.tif", counts, resolution=10.0 * factor, nodata=0)
            raster = {"data_type": "uint16", "scale": 1e-4, "nodata": 0}
            if declared is not None:
                raster["offset"] = declared
            assets[key] = {"href": f"./{item_id}/{key}.tif", "type": "image/tiff", "raster:bands": [raster]}
        if with_mask:
            classes = np.full((SIDE // 2, SIDE // 2), 4, np.uint8) if scl is None else scl
            write_tiff(self.folder / item_id / "SCL.tif", classes, resolution=20.0)
            assets["SCL"] = {"href": f"./{item_id}/SCL.tif", "type": "image/tiff"}
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": item_id,
            "bbox": BBOX,
            "geometry": None,
            "properties": {"datetime": "2022-05-11T10:26:01Z", "proj:epsg": 32632, **properties},
            "links": [],
            "assets": assets,
        }
        self.items.append(item)
        return item

    def write(self, name: str = "items.json") -> Path:
        path = self.folder / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": self.items}))
        return path


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "catalog")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir(exist_ok=True)


@pytest.fixture
def tiff() -> Callable[..., Path]:
    return write_tiff


@pytest.fixture
def season() -> dict[str, date]:
    return dict(SEASON)


@pytest.fixture
def first(maker: Maker, season: dict[str, date]) -> Callable[..., OpenedScene]:
    """Return a function that writes the catalogue, finds its scenes and opens the first."""

    def open_first(bands=BANDS, cache=None, fetcher=None, **find):
        found = find_scenes(maker.write(), bands=bands, **season, **find)
        return open_scene(found.scenes[0], cache=cache, bands=bands, fetcher=fetcher)

    return open_first


def damage(maker: Maker, key: str) -> Path:
    return maker.folder / maker.items[0]["id"] / f"{key}.tif"


def refusals(opened: OpenedScene) -> set[tuple[str, str | None]]:
    with opened:
        return {(one.code, one.asset) for one in opened.refused}


@pytest.fixture
def bare_item() -> Callable[..., dict[str, Any]]:
    """Make an item without files: ``bare_item(id, assets, **properties)``."""

    def make(item_id: str = "one", assets: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": item_id,
            "bbox": list(BBOX),
            "geometry": None,
            "properties": {"datetime": "2022-05-11T10:26:01Z", **properties},
            "assets": copy.deepcopy(assets) if assets else {"B04": {"href": "./B04.tif"}},
            "links": [],
        }

    return make


@dataclass
class Site:
    """A local web server whose answers a test sets, path -> (status, headers, body), a list of them, or a function."""

    url: str
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            served.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
            answer = served.answers.get(self.path.partition("?")[0], (404, {}, b""))
            if callable(answer):
                answer(self)
                return
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name the server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    server.server_close()
