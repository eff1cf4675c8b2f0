"""Walking a static catalogue: child and item links inside its own tree, each document once, within bounds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agrocredit.domain.errors import AgrocreditError, InputUnusableError, Refusal
from agrocredit.scenes.documents import read_document
from agrocredit.scenes.hrefs import is_url, locate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agrocredit.scenes.fetch import Fetcher
    from agrocredit.scenes.hrefs import Access, Location

_KINDS = {"Feature", "FeatureCollection", "Catalog", "Collection"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkLimits:
    """How far a catalogue may lead."""

    depth_max: int = 12
    documents_max: int = 200_000
    items_max: int = 200_000


@dataclass(frozen=True, slots=True)
class Found:
    """Items of a source, each with the path or URL of the document that holds it."""

    items: list[tuple[object, str]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    """Links that were not followed and documents that were not STAC."""


def check_stac(document: Mapping[str, Any], name: str) -> None:
    """Check that a document is one of the four kinds of STAC document.

    Raises
    ------
    InputUnusableError
        ``catalog_not_stac``, naming the document and what it is.
    """
    kind = str(document.get("type"))
    stac = kind in _KINDS and (kind in {"Feature", "FeatureCollection"} or "stac_version" in document)
    if kind == "FeatureCollection" and not isinstance(document.get("features"), list):
        stac = False
    if not stac:
        keys = ", ".join(list(document)[:6]) or "nothing"
        raise InputUnusableError(
            "catalog_not_stac",
            f"{name} has the type {kind[:40]!r} and holds {keys[:120]};"
            " expected a STAC item, item collection or catalogue",
        )


def walk(
    document: Mapping[str, Any],
    *,
    location: Location,
    access: Access,
    fetcher: Fetcher,
    limits: WalkLimits | None = None,
) -> Found:
    """Return all items a document holds or leads to, in the order of its links.

    Parameters
    ----------
    document : mapping
        A STAC document, checked.
    location : Location
        Where it was read.
    access : Access
        Where its links may lead: inside its own tree.
    fetcher : Fetcher
        For remote documents.
    limits : WalkLimits, optional
        Bounds.

    Raises
    ------
    InputUnusableError
        ``catalog_too_large`` beyond the bounds.
    """
    limits = limits or WalkLimits()
    found = Found()
    seen = {location.href}
    waiting = deque([(document, location, 0)])
    while waiting:
        current, place, depth = waiting.popleft()
        _take_items(current, place.href, found)
        if len(found.items) > limits.items_max or len(seen) > limits.documents_max:
            raise InputUnusableError(
                "catalog_too_large", f"{location.href} leads to more than {limits.items_max} items; name a part of it"
            )
        for href in _links(current):
            reached = _follow(href, place, access=access, fetcher=fetcher, seen=seen, found=found)
            if reached is None:
                continue
            if depth + 1 > limits.depth_max:
                raise InputUnusableError(
                    "catalog_too_large",
                    f"{location.href} is deeper than {limits.depth_max} levels at {reached[1].href}",
                )
            waiting.append((*reached, depth + 1))
    return found


def _take_items(document: Mapping[str, Any], base: str, found: Found) -> None:
    if document.get("type") == "FeatureCollection":
        found.items.extend((item, base) for item in document["features"])
    elif document.get("type") == "Feature":
        found.items.append((document, base))


def _links(document: Mapping[str, Any]) -> list[str]:
    if document.get("type") not in {"Catalog", "Collection"}:
        return []
    links = document.get("links")
    links = links if isinstance(links, list) else []
    return [
        str(link.get("href", ""))
        for link in links
        if isinstance(link, dict) and str(link.get("rel")) in {"child", "item", "items"}
    ]


def _follow(
    href: str, place: Location, *, access: Access, fetcher: Fetcher, seen: set[str], found: Found
) -> tuple[dict[str, Any], Location] | None:
    try:
        target = locate(href, base=place.href, access=access)
        if target.href in seen:
            return None
        seen.add(target.href)
        _check_inside(target, access)
        document = read_document(target, fetcher=fetcher)
        check_stac(document, target.href)
    except AgrocreditError as error:
        found.refused.append(Refusal(code=error.code, detail=f"link of {place.href}: {error.detail}"))
        return None
    return document, target


def _check_inside(target: Location, access: Access) -> None:
    """Keep links of a remote catalogue below its own folder; of a local one `locate` has done so."""
    if target.kind == "file":
        return
    roots = tuple(root for root in (access.root, *access.allow_roots) if is_url(root))
    if not any(target.href.startswith(root) for root in roots):
        raise InputUnusableError("href_not_allowed", f"{target.href} lies outside {access.root}")
