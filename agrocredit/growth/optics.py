"""Leaf, straw and soil spectra in the satellite's bands, as facts with sources."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
_FIELDS = ("green_leaf", "dead_leaf", "soil_dry", "wet_loss", "chlorophyll_loss", "drought_gain")


@dataclass(frozen=True, slots=True, kw_only=True)
class BandOptics:
    """Optical properties of one band, dimensionless."""

    green_leaf: float
    """Single scattering albedo (reflectance + transmittance) of a fresh green leaf."""
    dead_leaf: float
    """The same of a dry leaf or straw."""
    soil_dry: float
    """Reflectance of the dry bare soil."""
    wet_loss: float
    """Share of the soil's reflectance lost when the surface is wet."""
    chlorophyll_loss: float
    """Rise of the green leaf's albedo when all chlorophyll is gone."""
    drought_gain: float
    """Rise of the green leaf's albedo when the crop is at wilting point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanopyOptics:
    """What `canopy_reflectance` needs to know of leaves, soil and the light's path."""

    bands: Mapping[str, BandOptics]
    """By common band name."""
    extinction: float
    """Of black leaves for the light on its way in and out."""
    source: str


def load_optics(path: Path) -> CanopyOptics:
    """Return the optics stated in a TOML file of facts.

    Raises
    ------
    InputUnusableError
        ``canopy_optics_invalid``, naming the file, the band and the value.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        _check_version(document.get("schema_version"))
        bands = {name: _band(name, row) for name, row in document["bands"].items()}
        return CanopyOptics(bands=bands, extinction=float(document["extinction"]["value"]), source=document["source"])
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputUnusableError("canopy_optics_invalid", f"{path.name}: {type(error).__name__} {error}") from error


def _check_version(found: object) -> None:
    if found != SCHEMA_VERSION:
        msg = f"schema_version is {found!r}, expected {SCHEMA_VERSION}"
        raise ValueError(msg)


def _band(name: str, row: Mapping[str, float]) -> BandOptics:
    if set(row) != set(_FIELDS):
        msg = f"band {name} has {', '.join(row)}, expected {', '.join(_FIELDS)}"
        raise ValueError(msg)
    if not all(0 <= float(value) < 1 for value in row.values()):
        msg = f"band {name} has values {dict(row)}, expected 0 to under 1"
        raise ValueError(msg)
    return BandOptics(**{field: float(row[field]) for field in _FIELDS})
