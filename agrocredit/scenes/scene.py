"""The records of the room: a scene, its assets, and the decision about reflectance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agrocredit.scenes.hrefs import Access

OffsetSource = Literal["raster_extension", "provider_flag", "processing_baseline", "default", "pixels"]
OffsetCheck = Literal["confirmed", "overruled", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectanceScale:
    """How raw numbers become reflectance: ``raw * scale + offset``, and who said so."""

    scale: float
    """Reflectance of one count, dimensionless."""
    offset: float
    """Reflectance at zero counts, dimensionless."""
    offset_source: OffsetSource
    check: OffsetCheck = "undecided"
    """What the pixels said of the declared offset; ``undecided`` also where nobody looked."""
    declared_offset: float | None = None
    """What the catalogue declared, where the pixels overruled it."""

    def __post_init__(self) -> None:
        if not 0 < self.scale < float("inf") or not abs(self.offset) < float("inf"):
            raise RefusedError(
                "item_invalid", f"scale {self.scale} and offset {self.offset}, expected finite, scale > 0"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What a catalogue says of a raster's grid; None where it says nothing."""

    crs: str | None = None
    """``EPSG:32632``."""
    transform: tuple[float, float, float, float, float, float] | None = None
    """Affine a, b, c, d, e, f in CRS units."""
    shape: tuple[int, int] | None = None
    """Rows, columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRef:
    """One file of a scene as the catalogue describes it; nothing of it has been opened."""

    key: str
    """The asset's key in its item."""
    href: str
    """As written in the item."""
    base: str
    """Path or URL of the document that wrote it; relative hrefs start there."""
    media_type: str | None = None
    nodata: float | None = None
    """Declared missing value, raw counts."""
    scale: float | None = None
    """Declared by the raster extension."""
    offset: float | None = None
    """Declared by the raster extension."""
    checksum: str | None = None
    """``file:checksum``: a multihash in hexadecimal."""
    size_bytes: int | None = None
    projection: Projection = field(default_factory=Projection)
    gsd_m: float | None = None
    """Ground sampling distance; orders assets of one band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One product of one tile at one acquisition, as the catalogue describes it."""

    scene_id: str
    platform: str
    """``sentinel-2a``, lower case; ``unknown`` where nobody says."""
    acquired_at: datetime
    """UTC; the middle of `start_at` and `end_at` where the item has a range and no instant."""
    start_at: datetime | None
    end_at: datetime | None
    acquisition: str
    """Equal for all tiles and processings of one datatake."""
    tile: str
    """``32TMT``, or a text made of the item's box where there is no tile."""
    baseline: str | None
    """``04.00``; None outside Sentinel-2."""
    generated_at: str
    """When it was processed, as text that sorts by time; empty where unknown."""
    bbox_deg: tuple[float, float, float, float]
    """West, south, east, north; west above east where it crosses the antimeridian."""
    bands: Mapping[str, AssetRef]
    """Common band name -> asset."""
    mask: AssetRef | None
    mask_kind: str
    """``scl``, ``classes`` or ``none``."""
    mask_classes: Mapping[int, str]
    """Class value -> name where `mask_kind` is ``classes``; else empty."""
    nir_asset: str | None
    """Key of the asset that serves as ``nir``: B08 or, where there is none, B8A."""
    declared: ReflectanceScale
    """What the catalogue says, before any pixel was read."""
    access: Access
    """Where its hrefs may lead."""

    @property
    def order(self) -> tuple[datetime, str]:
        """Sort key: time, then id."""
        return (self.acquired_at, self.scene_id)
