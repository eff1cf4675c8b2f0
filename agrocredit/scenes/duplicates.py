"""One product an acquisition and tile: the newest processing, whatever the order they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agrocredit.scenes.scene import Scene


def newest_only(scenes: Iterable[Scene]) -> tuple[list[Scene], list[str]]:
    """Return the scenes to keep, sorted by time and id, and the sorted ids of those that a newer one replaces.

    Newest is the highest processing baseline, then the latest generation time, then the last id in alphabetical order;
    the date of the catalogue entry says nothing, because an archive may be ingested in any order.

    Parameters
    ----------
    scenes : iterable of Scene
        In any order; the result does not depend on it.
    """
    best: dict[tuple[str, str], Scene] = {}
    replaced: list[str] = []
    for scene in scenes:
        key = (scene.acquisition, scene.tile)
        other = best.get(key)
        if other is None:
            best[key] = scene
        else:
            older, best[key] = sorted((other, scene), key=_age)
            replaced.append(older.scene_id)
    return sorted(best.values(), key=lambda scene: scene.order), sorted(replaced)


def _age(scene: Scene) -> tuple[str, str, str]:
    return (scene.baseline or "", scene.generated_at, scene.scene_id)
