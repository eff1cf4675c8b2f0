"""One STAC item into one `Scene`. Only what we use is checked; a schema missed elsewhere is no affair of ours."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes import bands as band_names
from agrocredit.scenes import masks, products
from agrocredit.scenes.declared import declared_scale, raster_number
from agrocredit.scenes.scene import AssetRef, Projection, Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.scenes.hrefs import Access

_DATATAKE_MAX = timedelta(days=1)
"""A datatake takes minutes; catalogues that round to a day are no fault."""


def scene_of(item: object, *, base: str, access: Access) -> Scene:
    """Return the scene an item describes.

    Parameters
    ----------
    item : object
        Parsed JSON, STAC 1.0 or 1.1.
    base : str
        Path or URL of the document that holds it.
    access : Access
        Where its hrefs may lead.

    Raises
    ------
    RefusedError
        ``item_invalid``, naming what is missing or wrong; ``date_out_of_range`` for a product of another day than its
        name says.
    """
    feature = _mapping(item, "an item")
    item_id = feature.get("id")
    if feature.get("type") != "Feature" or not isinstance(item_id, str) or not item_id:
        raise RefusedError(
            "item_invalid", f"type {feature.get('type')!r} and id {item_id!r}, expected a Feature with an id"
        )
    properties = _mapping(feature.get("properties"), "properties")
    assets = {key: _mapping(asset, f"asset {key}") for key, asset in _mapping(feature.get("assets"), "assets").items()}
    texts = products.product_texts(item_id, properties)
    platform = products.mission_of(texts, properties)
    baseline = products.baseline_of(texts, properties)
    acquired_at, start_at, end_at = _times(properties)
    _check_day(acquired_at, products.sensing_start(texts))
    bbox = _bbox(feature)
    found = _bands(assets, properties, base)
    mask, mask_kind, classes = _mask(assets, properties, base)
    nir = found.get("nir") or found.get("nir08")
    if nir is not None:
        found["nir"] = nir
    return Scene(
        scene_id=item_id,
        platform=platform,
        acquired_at=acquired_at,
        start_at=start_at,
        end_at=end_at,
        acquisition=f"{platform}_{products.sensing_start(texts) or _stamp(start_at, end_at, acquired_at)}",
        tile=products.tile_of(texts, properties) or " ".join(f"{value:.7f}" for value in bbox),
        baseline=baseline,
        generated_at=products.generated_at(texts, properties),
        bbox_deg=bbox,
        bands={name: found[name] for name in band_names.BAND_NAMES if name in found},
        mask=mask,
        mask_kind=mask_kind,
        mask_classes=classes,
        nir_asset=nir.key if nir else None,
        declared=declared_scale(properties, platform=platform, baseline=baseline, assets=found.values()),
        access=access,
    )


def _bands(assets: Mapping[str, Mapping[str, Any]], properties: Mapping[str, Any], base: str) -> dict[str, AssetRef]:
    candidates: dict[str, list[str]] = {}
    for key, asset in assets.items():
        name = band_names.common_name(key, asset)
        if name in band_names.BAND_NAMES:
            candidates.setdefault(name, []).append(key)
    best = {
        name: min(keys, key=lambda key: band_names.preference(key, assets[key])) for name, keys in candidates.items()
    }
    return {name: _asset(key, assets[key], properties, base) for name, key in best.items()}


def _mask(
    assets: Mapping[str, Mapping[str, Any]], properties: Mapping[str, Any], base: str
) -> tuple[AssetRef | None, str, dict[int, str]]:
    scl = [key for key, asset in assets.items() if band_names.common_name(key, asset) == "scl"]
    if scl:
        key = min(scl, key=lambda name: band_names.preference(name, assets[name]))
        return _asset(key, assets[key], properties, base), "scl", {}
    for key in sorted(assets):
        if masks.is_mask(classes := masks.named_classes(assets[key])):
            return _asset(key, assets[key], properties, base), "classes", classes
    return None, "none", {}


def _asset(key: str, asset: Mapping[str, Any], properties: Mapping[str, Any], base: str) -> AssetRef:
    href = asset.get("href")
    if not isinstance(href, str) or not href:
        raise RefusedError("item_invalid", f"asset {key} has the href {href!r}, expected a text")
    checksum, size = asset.get("file:checksum"), asset.get("file:size")
    kind = asset.get("type")
    return AssetRef(
        key=key,
        href=href,
        base=base,
        media_type="image/jp2" if band_names.is_jp2(asset) else kind if isinstance(kind, str) else None,
        nodata=raster_number(asset, "nodata"),
        scale=raster_number(asset, "scale"),
        offset=raster_number(asset, "offset"),
        checksum=checksum if isinstance(checksum, str) else None,
        size_bytes=size if isinstance(size, int) and not isinstance(size, bool) else None,
        projection=_projection(asset, properties),
        gsd_m=band_names.resolution_m(key, asset),
    )


def _projection(asset: Mapping[str, Any], properties: Mapping[str, Any]) -> Projection:
    """Take what the asset says; what the item says holds for assets that say nothing of transform and shape."""
    own = {name: asset.get(f"proj:{name}") for name in ("transform", "shape")}
    if own["transform"] is None and own["shape"] is None:
        own = {name: properties.get(f"proj:{name}") for name in own}
    code = asset.get("proj:code") or properties.get("proj:code")
    epsg = asset.get("proj:epsg") or properties.get("proj:epsg")
    transform = _numbers(own["transform"], least=6)
    shape = _numbers(own["shape"], least=2)
    return Projection(
        crs=str(code) if code else f"EPSG:{epsg}" if epsg else None,
        transform=(transform[0], transform[1], transform[2], transform[3], transform[4], transform[5])
        if transform
        else None,
        shape=(int(shape[0]), int(shape[1])) if shape else None,
    )


def _times(properties: Mapping[str, Any]) -> tuple[datetime, datetime | None, datetime | None]:
    start, end = (_instant(properties, f"{name}_datetime") for name in ("start", "end"))
    instant = _instant(properties, "datetime")
    if instant is not None:
        return instant, start, end
    if start is None or end is None or end < start:
        raise RefusedError("item_invalid", f"datetime null with range {start} .. {end}, expected an instant or a range")
    return start + (end - start) / 2, start, end


def _check_day(acquired_at: datetime, sensing_start: str | None) -> None:
    """Raise where a product's name and its item's date cannot both be right: it would join the wrong season."""
    if sensing_start is None:
        return
    try:
        named = datetime.strptime(sensing_start, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise RefusedError("date_out_of_range", f"the product's name says {sensing_start}, expected a time") from error
    if abs(acquired_at - named) > _DATATAKE_MAX:
        raise RefusedError(
            "date_out_of_range", f"datetime {acquired_at.isoformat()}, the product's name says {named.isoformat()}"
        )


def _instant(properties: Mapping[str, Any], name: str) -> datetime | None:
    text = properties.get(name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise RefusedError("item_invalid", f"{name} is {str(text)[:60]!r}, expected an RFC 3339 time") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)  # STAC times are UTC; some writers drop the Z
    return instant.astimezone(UTC)


def _stamp(start_at: datetime | None, end_at: datetime | None, acquired_at: datetime) -> str:
    instants = (start_at, end_at) if start_at and end_at and start_at != end_at else (acquired_at,)
    return "_".join(f"{instant:%Y%m%dT%H%M%S}" for instant in instants)


def _bbox(feature: Mapping[str, Any]) -> tuple[float, float, float, float]:
    numbers = _numbers(feature.get("bbox"), least=4)
    if numbers is None:
        points = list(_positions(feature.get("geometry")))
        if not points:
            raise RefusedError("item_invalid", "neither bbox nor geometry, expected one of them")
        eastings, northings = zip(*points, strict=True)
        numbers = [min(eastings), min(northings), max(eastings), max(northings)]
    west, south, east, north = numbers if len(numbers) == 4 else (numbers[0], numbers[1], numbers[-3], numbers[-2])
    if not (abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90):
        raise RefusedError("item_invalid", f"bbox {west}, {south}, {east}, {north}, expected degrees")
    return west, south, east, north


def _positions(geometry: object) -> list[tuple[float, float]]:
    """Flatten a geometry's coordinates without recursion: a hostile nesting must not end the run."""
    waiting = [geometry.get("coordinates")] if isinstance(geometry, dict) else []
    points = []
    while waiting:
        part = waiting.pop()
        if (pair := _numbers(part, least=2)) is not None:
            points.append((pair[0], pair[1]))
        elif isinstance(part, list):
            waiting.extend(part)
    return points


def _numbers(value: object, *, least: int) -> list[float] | None:
    if not isinstance(value, list) or len(value) < least:
        return None
    if not all(isinstance(part, int | float) and not isinstance(part, bool) and math.isfinite(part) for part in value):
        return None
    return [float(part) for part in value]


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError("item_invalid", f"{name} is {type(value).__name__}, expected an object")
    return value
