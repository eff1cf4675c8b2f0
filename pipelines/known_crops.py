"""The crops that ship, by name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.domain.crop import Crop


@cache
def known_crops() -> dict[str, Crop]:
    """Return the crops of ``data/facts/crops.toml`` by name; raises ``crop_facts_invalid`` if that file is broken."""
    from agrocredit.domain.crop_facts import load_crops
    from agrocredit.store.bundled import data_path

    return load_crops(data_path("facts", "crops.toml"))
