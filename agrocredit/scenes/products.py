"""What a Sentinel-2 product says about itself: mission, sensing start, tile, processing baseline.

The long name is ``MMM_MSIL2A_YYYYMMDDTHHMMSS_Nxxyy_ROOO_Txxxxx_<generation>``, where the first time is the start of the
datatake and so the same for all its tiles and for every reprocessing (Sentinel-2 User Handbook, naming convention).
The Planetary Computer leaves ``_Nxxyy`` out of item ids. Datatake ids read ``GS2A_<start>_<orbit>_Nxx.yy``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OFFSET_FROM_BASELINE = "04.00"
"""From this baseline on, reflectance is (DN - 1000) / 10000 (ESA, in force from 25 January 2022; reprocessing of the
archive as Collection 1 gives it to older pictures too, so the date says nothing)."""

_PRODUCT = re.compile(
    r"(S2[A-D])_MSIL[12][A-C]_(\d{8}T\d{6})(?:_N(\d{4}))?(?:_R\d{3})?(?:_T(\w{5}))?(?:_(\d{8}T\d{6}))?"
)
_DATATAKE = re.compile(r"G(S2[A-D])_(\d{8}T\d{6})_\d+_N(\d{2}\.\d{2})")
_SHORT = re.compile(r"(S2[A-D])_T?\d{1,2}[A-Z]{3}_\d{8}")
_BASELINE = re.compile(r"\d{2}\.\d{2}")
_TILE = re.compile(r"\d{1,2}[A-Z]{3}")


def product_texts(item_id: str, properties: Mapping[str, Any]) -> list[str]:
    """Return the texts of an item that may hold a product or datatake name, the most telling first."""
    names = (
        "s2:product_uri",
        "s2:datatake_id",
        "eopf:datatake_id",
        "s2:granule_id",
        "s2:datastrip_id",
        "eopf:datastrip_id",
    )
    return [str(properties[name]) for name in names if properties.get(name)] + [item_id]


def mission_of(texts: list[str], properties: Mapping[str, Any]) -> str:
    """Return the platform in lower case (``sentinel-2a``), ``unknown`` where nobody says."""
    stated = str(properties.get("platform") or "").strip().lower().replace(" ", "-")
    if stated and stated != "sentinel-2":
        return stated
    for text in texts:
        if match := _PRODUCT.search(text) or _DATATAKE.search(text) or _SHORT.match(text):
            return f"sentinel-{match[1][1:].lower()}"
    return stated or str(properties.get("constellation") or "unknown").strip().lower().replace(" ", "-")


def is_sentinel2(platform: str) -> bool:
    """Return whether a platform belongs to Sentinel-2."""
    return platform.startswith("sentinel-2")


def sensing_start(texts: list[str]) -> str | None:
    """Return the start of the datatake as ``20220305T102921``, or None."""
    for text in texts:
        if match := _PRODUCT.search(text) or _DATATAKE.search(text):
            return match[2]
    return None


def baseline_of(texts: list[str], properties: Mapping[str, Any]) -> str | None:
    """Return the processing baseline as ``04.00``; ``99.99``, ESA's mark of a reprocessing, sorts as newest."""
    for name in ("s2:processing_baseline", "processing:version"):
        if _BASELINE.fullmatch(stated := str(properties.get(name) or "")):
            return stated
    for text in texts:
        if (match := _PRODUCT.search(text)) and match[3]:
            return f"{match[3][:2]}.{match[3][2:]}"
        if match := _DATATAKE.search(text):
            return match[3]
    return None


def tile_of(texts: list[str], properties: Mapping[str, Any]) -> str | None:
    """Return the MGRS tile as ``32TMT`` (two digits), or None."""
    square = "".join(str(properties.get(f"mgrs:{part}", "")) for part in ("utm_zone", "latitude_band", "grid_square"))
    candidates = [
        str(properties.get("s2:mgrs_tile") or ""),
        str(properties.get("grid:code") or "").removeprefix("MGRS-"),
        square,
    ]
    candidates += [match[4] for text in texts if (match := _PRODUCT.search(text)) and match[4]]
    for candidate in candidates:
        if _TILE.fullmatch(tile := candidate.upper().removeprefix("T")):
            return tile.zfill(5)
    return None


def generated_at(texts: list[str], properties: Mapping[str, Any]) -> str:
    """Return when a product was processed, as digits that sort by time; empty where unknown."""
    for name in ("s2:generation_time", "processing:datetime"):
        if digits := re.sub(r"\D", "", str(properties.get(name) or ""))[:14]:
            return digits
    for text in texts:
        if (match := _PRODUCT.search(text)) and match[5]:
            return re.sub(r"\D", "", match[5])
    return re.sub(r"\D", "", str(properties.get("created") or ""))[:14]
