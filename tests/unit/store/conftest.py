"""Small plot files, written by the tests themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIDE_DEG = 0.001
"""About 111 m: a square of this side is a plot of 1.2 ha at the equator."""


def square(x: float = 30.0, y: float = -5.0, side_deg: float = SIDE_DEG) -> list[list[float]]:
    return [[x, y], [x + side_deg, y], [x + side_deg, y + side_deg], [x, y + side_deg], [x, y]]


def feature(ring: Any = None, **properties: Any) -> dict[str, Any]:
    coordinates = [square() if ring is None else ring]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": coordinates},
    }


@pytest.fixture
def make_square() -> Callable[..., list[list[float]]]:
    return square


@pytest.fixture
def make_feature() -> Callable[..., dict[str, Any]]:
    return feature


@pytest.fixture
def write_geojson(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes features, or a whole document, to a file."""

    def write(*features: Any, name: str = "plots.geojson", **members: Any) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **members}))
        return path

    return write
