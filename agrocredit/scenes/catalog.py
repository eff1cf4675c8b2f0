"""From a source to the scenes of a season: read, parse, keep the season and the place, keep the newest processing.

Nothing of a raster is opened here. An item that cannot be used is a refusal; the run goes on with the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.scenes import api
from agrocredit.scenes.documents import read_document
from agrocredit.scenes.duplicates import newest_only
from agrocredit.scenes.fetch import RemoteFetcher
from agrocredit.scenes.hrefs import access_to, check_url, is_url, locate
from agrocredit.scenes.items import scene_of
from agrocredit.scenes.walk import check_stac, walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from agrocredit.domain.errors import Refusal
    from agrocredit.scenes.fetch import Fetcher
    from agrocredit.scenes.hrefs import Access
    from agrocredit.scenes.scene import Scene
    from agrocredit.scenes.walk import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSet:
    """What a source holds for a season."""

    scenes: tuple[Scene, ...]
    """Sorted by time and id; one an acquisition and tile."""
    refused: tuple[Refusal, ...]
    """Sorted."""
    superseded: tuple[str, ...] = ()
    """Ids of products that a newer processing of the same acquisition replaces."""
    outside_season: int = 0
    """Items on other dates."""
    outside_bounds: int = 0
    """Items of the season whose box does not touch the place asked for."""


def find_scenes(
    source: str | Path,
    *,
    start: date,
    end: date,
    bands: Sequence[str],
    collection: str | None = None,
    bounds_deg: tuple[float, float, float, float] | None = None,
    allow_roots: Sequence[str | Path] = (),
    fetcher: Fetcher | None = None,
) -> SceneSet:
    """Return the scenes of a STAC source for a season, each acquisition and tile once.

    Parameters
    ----------
    source : str or Path
        Item collection, item, catalogue or collection (path, https or s3), or with `collection` the URL of an API.
    start, end : date
        The season in UTC; `end` is not included.
    bands : sequence of str
        Common names that are wanted; a scene that has none of them is refused.
    collection : str, optional
        Collection id: asked of an API, kept of a file.
    bounds_deg : tuple of float, optional
        West, south, east, north of the plots in degrees; items whose box does not touch it are counted and left out.
    allow_roots : sequence of str or Path
        Folders, ``https://host``, ``http://host:port`` and ``s3://bucket`` the catalogue may lead to besides.
    fetcher : Fetcher, optional
        Brings remote documents; by default https and object stores.

    Raises
    ------
    InputUnusableError
        ``source_missing``, ``catalog_not_stac``, ``catalog_too_large``, ``href_not_allowed``, or ``season_empty`` where
        no item lies between the dates.
    """
    name = str(source)
    access = access_to(name, allow_roots=allow_roots)
    try:
        found = _read(name, collection, start, end, bounds_deg, access, fetcher or RemoteFetcher(access))
    except RefusedError as error:
        raise InputUnusableError(error.code, error.detail) from error
    parsed, refused = _parse(found, access, collection)
    if refused and not parsed and all(one.code == "item_invalid" and not one.scene_id for one in refused):
        raise InputUnusableError(
            "catalog_not_stac", f"{name}: not one of {len(refused)} features has the id of a STAC item"
        )
    season = [scene for scene in parsed if start <= scene.acquired_at.date() < end]
    if not season and not refused:
        raise InputUnusableError("season_empty", f"{name} has no item from {start} up to {end}; it {_span(parsed)}")
    near = [scene for scene in season if bounds_deg is None or _touches(scene.bbox_deg, bounds_deg)]
    usable = [scene for scene in near if any(band in scene.bands for band in bands)]
    refused += [_bandless(scene, bands) for scene in near if not any(band in scene.bands for band in bands)]
    kept, superseded = newest_only(usable)
    return SceneSet(
        scenes=tuple(kept),
        refused=tuple(sorted(refused, key=lambda one: tuple(str(value) for value in one.as_dict().items()))),
        superseded=tuple(superseded),
        outside_season=len(parsed) - len(season),
        outside_bounds=len(season) - len(near),
    )


def _read(
    name: str,
    collection: str | None,
    start: date,
    end: date,
    bounds_deg: tuple[float, float, float, float] | None,
    access: Access,
    fetcher: Fetcher,
) -> Found:
    remote = is_url(name)
    location = check_url(name, access=access) if remote else locate(name, base="", access=access)
    if remote and collection is not None and not name.lower().endswith((".json", ".geojson")):
        return api.search(name, collection=collection, start=start, end=end, bounds_deg=bounds_deg, access=access)
    document = read_document(location, fetcher=fetcher)
    check_stac(document, name)
    return walk(document, location=location, access=access, fetcher=fetcher)


def _parse(found: Found, access: Access, collection: str | None) -> tuple[list[Scene], list[Refusal]]:
    scenes: list[Scene] = []
    refused = list(found.refused)
    for item, base in found.items:
        stated = item.get("collection") if isinstance(item, dict) else None
        if collection is not None and stated is not None and stated != collection:
            continue
        try:
            scenes.append(scene_of(item, base=base, access=access))
        except RefusedError as error:
            item_id = item.get("id") if isinstance(item, dict) else None
            refused.append(error.refusal(scene_id=item_id if isinstance(item_id, str) else None))
    return scenes, refused


def _bandless(scene: Scene, bands: Sequence[str]) -> Refusal:
    found = ", ".join(scene.bands) or "none we know"
    error = RefusedError("band_missing", f"bands {found}; expected at least one of {', '.join(bands)}")
    return error.refusal(scene_id=scene.scene_id)


def _span(scenes: Sequence[Scene]) -> str:
    if not scenes:
        return "holds no items"
    first, last = (choose(scene.acquired_at.date() for scene in scenes) for choose in (min, max))
    return f"has {len(scenes)} from {first} to {last}"


def _touches(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Return whether two boxes in degrees touch; west above east means across the antimeridian."""
    south_north = box[1] <= other[3] and other[1] <= box[3]
    return south_north and any(a[0] <= b[1] and b[0] <= a[1] for a in _spans(box) for b in _spans(other))


def _spans(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    west, _, east, _ = box
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
