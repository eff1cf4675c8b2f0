"""Scenes: a STAC source in, checked and opened rasters out.

``find_scenes`` reads an item collection, an item, a static catalogue or an API, checks every item and keeps one product
an acquisition and tile. ``open_scene`` brings a scene's assets to this machine, hashes them, opens them with only
the GeoTIFF and JPEG 2000 drivers, and decides the reflectance offset from what the catalogue declares and what the
pixels show. Pixels stay raw, on the grid of their band; the room applies neither offset nor mask.

Text from a catalogue never becomes a GDAL path: every href is resolved and checked here, and remote bytes come through
our own fetcher. The room opens files and sockets and knows nothing of plots, indices or money.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.scenes.bands import BAND_NAMES
    from agrocredit.scenes.catalog import SceneSet, find_scenes
    from agrocredit.scenes.fetch import FakeFetcher, Fetcher
    from agrocredit.scenes.masks import clear_lookup
    from agrocredit.scenes.opened import OpenedScene, SceneRefusedError
    from agrocredit.scenes.opening import open_scene
    from agrocredit.scenes.scene import AssetRef, ReflectanceScale, Scene

__all__ = [
    "BAND_NAMES",
    "AssetRef",
    "FakeFetcher",
    "Fetcher",
    "OpenedScene",
    "ReflectanceScale",
    "Scene",
    "SceneRefusedError",
    "SceneSet",
    "clear_lookup",
    "find_scenes",
    "open_scene",
]

_HOMES = {
    "BAND_NAMES": "bands",
    "AssetRef": "scene",
    "FakeFetcher": "fetch",
    "Fetcher": "fetch",
    "OpenedScene": "opened",
    "ReflectanceScale": "scene",
    "Scene": "scene",
    "SceneRefusedError": "opened",
    "SceneSet": "catalog",
    "clear_lookup": "masks",
    "find_scenes": "catalog",
    "open_scene": "opening",
}


def _skip_virtual_rasters() -> None:
    """Take the VRT driver away before GDAL registers its drivers: a VRT can name any other file.

    Opening with an explicit driver (``rasters.py``) is the lock; this is the bolt. It has no effect where GDAL was
    already started by someone else, which is why the lock does not depend on it.
    """
    skipped = os.environ.get("GDAL_SKIP", "").replace(",", " ").split()
    if "VRT" not in skipped:
        os.environ["GDAL_SKIP"] = " ".join([*skipped, "VRT"])


_skip_virtual_rasters()


def __getattr__(name: str) -> object:
    """Import the home of a public name when it is first asked for: rasterio takes a third of a second."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
