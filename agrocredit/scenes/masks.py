"""Cloud masks. Only this file knows other people's conventions; everywhere else True means: may be used.

The Sentinel-2 scene classification (SCL) has classes 0 no data, 1 saturated, 2 dark or topographic shadow, 3 cloud
shadow, 4 vegetation, 5 bare soil, 6 water, 7 unclassified, 8 and 9 cloud, 10 thin cirrus, 11 snow (Sentinel-2 Products
Specification Document, S2-PDGS-TAS-DI-PSD). We take 4, 5, 6 and 7 as clear.

Any other map of classes serves if its item names them (STAC classification extension) and at least one name is known
to be clear and one to be cloud or shadow; a name we do not know is not clear.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

SCL_CLEAR = (4, 5, 6, 7)
SCL_LAND = (4, 5)
"""Vegetation and soil: the classes whose reflectance we know enough about to check an offset."""
_RUNS_MAX = 8
"""Comparing with more rows of classes than this takes as long as looking each pixel up."""
_CLEAR_WORDS = frozenset(
    {"clear", "clear_land", "land", "vegetation", "not_vegetated", "bare", "bare_soil", "soil", "water", "unclassified"}
)
_CLOUD_WORDS = ("cloud", "shadow", "cirrus", "haze")


def clear_lookup(kind: str, classes: Mapping[int, str] | None = None) -> NDArray[np.bool_] | None:
    """Return which class values may be used.

    Parameters
    ----------
    kind : str
        ``scl``, ``classes`` or ``none``.
    classes : mapping of int to str, optional
        Class value to name, for ``classes``.

    Returns
    -------
    array of bool, shape (256,), or None
        True where a pixel of that class is clear; None for ``none``: every pixel with data counts.
    """
    if kind == "none":
        return None
    return _lookup(SCL_CLEAR if kind == "scl" else clear_values(classes or {}))


def clear_pixels(classes: NDArray[np.uint8], clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels may be used: ``clear[classes]``, in a tenth of the time where the clear classes are in a row.

    Parameters
    ----------
    classes : ndarray of uint8
    clear : ndarray of bool, shape (256,)
        As `clear_lookup` returns it.

    >>> clear_pixels(np.array([3, 4, 7, 8], np.uint8), clear_lookup("scl"))
    array([False,  True,  True, False])
    """
    runs = _runs(clear.tobytes())
    if len(runs) > _RUNS_MAX:
        return clear.take(classes)
    found = np.zeros(classes.shape, dtype=np.bool_)
    for first, steps in runs:
        found |= classes - first <= steps  # without a sign: what is less than the first is more than any step
    return found


@lru_cache(maxsize=16)
def _runs(clear: bytes) -> tuple[tuple[np.uint8, np.uint8], ...]:
    """Return the first of each row of clear classes, and how many more follow it."""
    changes = np.flatnonzero(np.diff(np.frombuffer(clear, np.bool_), prepend=False, append=False)).tolist()
    return tuple((np.uint8(at), np.uint8(end - at - 1)) for at, end in zip(changes[::2], changes[1::2], strict=True))


def land_lookup(kind: str, classes: Mapping[int, str] | None = None) -> NDArray[np.bool_] | None:
    """Return which class values are clear land, as `clear_lookup`; without water where it is told apart."""
    if kind == "scl":
        return _lookup(SCL_LAND)
    if kind == "none":
        return None
    names = {value: name for value, name in (classes or {}).items() if _word(name) != "water"}
    return _lookup(clear_values(names))


def clear_values(classes: Mapping[int, str]) -> tuple[int, ...]:
    """Return the values whose class name is known to be clear, in order."""
    return tuple(sorted(value for value, name in classes.items() if _word(name) in _CLEAR_WORDS and 0 <= value <= 255))


def named_classes(asset: Mapping[str, Any]) -> dict[int, str]:
    """Return value -> name of an asset's ``classification:classes``, from the asset or its first band; else empty."""
    for holder in (asset, *_first_bands(asset)):
        listed = holder.get("classification:classes")
        if isinstance(listed, list):
            return dict(_pairs(listed))
    return {}


def is_mask(classes: Mapping[int, str]) -> bool:
    """Return whether the names tell clear ground from cloud."""
    cloudy = any(word in name.lower() for name in classes.values() for word in _CLOUD_WORDS)
    return cloudy and bool(clear_values(classes))


def _lookup(values: Iterable[int]) -> NDArray[np.bool_]:
    clear = np.zeros(256, dtype=np.bool_)
    clear[list(values)] = True
    clear.flags.writeable = False
    return clear


def _word(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _first_bands(asset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = (asset.get("raster:bands"), asset.get("bands"))
    return [listed[0] for listed in lists if isinstance(listed, list) and listed and isinstance(listed[0], dict)]


def _pairs(listed: list[Any]) -> Iterable[tuple[int, str]]:
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("value"), int) and entry.get("nodata") is not True:
            yield entry["value"], str(entry.get("name") or entry.get("description") or "")
