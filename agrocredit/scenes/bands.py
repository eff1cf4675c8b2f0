"""Which asset is which band, in every catalogue's dialect.

An asset's key decides first, then the name of its band, then its common name: the Planetary Computer gives B8A the
common name ``rededge`` and so does Earth Search with B05, while keys are right everywhere we looked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BAND_NAMES = ("blue", "green", "red", "rededge1", "rededge2", "rededge3", "nir", "nir08", "swir16", "swir22")
"""The optical bands we know, by STAC common name (rededge numbered as in Earth Search), in order of wavelength."""

_COMMON_BY_ESA = {
    "b02": "blue",
    "b03": "green",
    "b04": "red",
    "b05": "rededge1",
    "b06": "rededge2",
    "b07": "rededge3",
    "b08": "nir",
    "b8a": "nir08",
    "b11": "swir16",
    "b12": "swir22",
}
_KNOWN = {**_COMMON_BY_ESA, **{name: name for name in BAND_NAMES}, "scl": "scl"}
_COMMON_UNAMBIGUOUS = frozenset(BAND_NAMES) | {"rededge071", "rededge075", "rededge078"}
_REDEDGE_BY_WAVELENGTH = {"rededge071": "rededge1", "rededge075": "rededge2", "rededge078": "rededge3"}
"""eo extension 2.0 numbers the red edge by its wavelength in hundredths of a micrometre."""
_RESOLUTION = re.compile(r"[_\-](\d+)m$")


def common_name(key: str, asset: Mapping[str, Any]) -> str | None:
    """Return the common name of the single band an asset holds, ``scl`` for the class map, or None.

    Parameters
    ----------
    key : str
        The asset's key in its item.
    asset : mapping
        The asset as STAC JSON.
    """
    bands = asset_bands(asset)
    if len(bands) > 1 or _has_role(asset, {"visual", "overview", "thumbnail", "metadata"}):
        return None
    stem = _RESOLUTION.sub("", key.lower().removesuffix("-jp2"))
    if stem in _KNOWN:
        return _KNOWN[stem]
    band = bands[0] if bands else {}
    name = str(band.get("name", "")).lower()
    if name in _KNOWN:
        return _KNOWN[name]
    common = str(band.get("common_name", band.get("eo:common_name", ""))).lower()
    common = _REDEDGE_BY_WAVELENGTH.get(common, common)
    return common if common in _COMMON_UNAMBIGUOUS else None


def asset_bands(asset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return an asset's band objects: ``bands`` of STAC 1.1, else ``eo:bands`` of 1.0."""
    for name in ("bands", "eo:bands"):
        bands = asset.get(name)
        if isinstance(bands, list) and bands:
            return [band for band in bands if isinstance(band, dict)]
    return []


def resolution_m(key: str, asset: Mapping[str, Any]) -> float | None:
    """Return the ground sampling distance of an asset, from its key, transform, gsd or raster band, in that order."""
    if match := _RESOLUTION.search(key):
        return float(match[1])
    transform = asset.get("proj:transform")
    raster = asset.get("raster:bands")
    candidates = (
        abs(transform[0]) if isinstance(transform, list) and transform and _is_number(transform[0]) else None,
        asset.get("gsd"),
        raster[0].get("spatial_resolution")
        if isinstance(raster, list) and raster and isinstance(raster[0], dict)
        else None,
    )
    return next((float(value) for value in candidates if value is not None and _is_number(value) and value > 0), None)


def preference(key: str, asset: Mapping[str, Any]) -> tuple[float, bool, str]:
    """Return a sort key among assets of one band: finest first, a GeoTIFF before its JPEG 2000 twin, then by key."""
    finest = resolution_m(key, asset)
    return (finest if finest is not None else float("inf"), key.lower().endswith("-jp2") or is_jp2(asset), key)


def is_jp2(asset: Mapping[str, Any]) -> bool:
    """Return whether an asset says it is JPEG 2000, by media type or file name."""
    kind = str(asset.get("type", "")).split(";")[0].strip().lower()
    return kind == "image/jp2" or str(asset.get("href", "")).lower().endswith(".jp2")


def _has_role(asset: Mapping[str, Any], roles: set[str]) -> bool:
    found = asset.get("roles")
    return isinstance(found, list) and any(role in roles for role in found if isinstance(role, str))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
