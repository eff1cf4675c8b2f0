"""What an item declares about reflectance, before any pixel is read.

Order of belief: the provider's flag that the offset has already been taken off; the raster extension (STAC 1.0
``raster:bands``, STAC 1.1 ``raster:scale`` and ``raster:offset``); the processing baseline; else none. The flag stands
first because Earth Search gives the offset *and* says that it is applied already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.products import OFFSET_FROM_BASELINE, is_sentinel2
from agrocredit.scenes.scene import ReflectanceScale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agrocredit.scenes.scene import AssetRef

SCALE_DEFAULT = 1e-4
OFFSET_OF_BASELINE = -0.1
"""-1000 counts of 1e-4 (ESA, BOA_ADD_OFFSET of processing baseline 04.00)."""


def raster_number(asset: Mapping[str, Any], name: str) -> float | None:
    """Return ``scale``, ``offset`` or ``nodata`` of a single-band asset in either dialect, None where it is not there.

    ``nodata`` may be written as text (``"nan"``): then there is no missing count and None comes back.
    """
    holders: list[Mapping[str, Any]] = [asset]
    for lists in ("raster:bands", "bands"):
        listed = asset.get(lists)
        if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], dict):
            holders.append(listed[0])
    for holder in holders:
        for key in (f"raster:{name}", name):
            value = holder.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
    return None


def declared_scale(
    properties: Mapping[str, Any], *, platform: str, baseline: str | None, assets: Iterable[AssetRef]
) -> ReflectanceScale:
    """Return scale and offset as the catalogue declares them for the scene's reflectance assets.

    Parameters
    ----------
    properties : mapping
        The item's properties.
    platform, baseline : str
        As in `Scene`.
    assets : iterable of AssetRef
        The reflectance assets. If they contradict each other about the offset, the raster extension is not believed.

    Raises
    ------
    RefusedError
        ``item_invalid`` where the assets have different scales or a scale that is not above 0.
    """
    listed = list(assets)
    scales = {asset.scale for asset in listed if asset.scale is not None}
    if len(scales) > 1:
        raise RefusedError("item_invalid", f"bands with the scales {sorted(scales)}, expected one")
    scale = scales.pop() if scales else SCALE_DEFAULT
    if properties.get("earthsearch:boa_offset_applied") is True:
        return ReflectanceScale(scale=scale, offset=0.0, offset_source="provider_flag")
    offsets = {asset.offset for asset in listed}
    if len(offsets) == 1 and (offset := offsets.pop()) is not None:
        return ReflectanceScale(scale=scale, offset=offset, offset_source="raster_extension")
    if is_sentinel2(platform) and baseline is not None:
        offset = OFFSET_OF_BASELINE if baseline >= OFFSET_FROM_BASELINE else 0.0
        return ReflectanceScale(scale=scale, offset=offset, offset_source="processing_baseline")
    return ReflectanceScale(scale=scale, offset=0.0, offset_source="default")
