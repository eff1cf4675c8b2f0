"""What regions brought in earlier years, checked against what a crop can bring: kg/ha are no t/ha."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agrocredit.domain.crop_facts import resolve_crop
from agrocredit.domain.errors import InputUnusableError, Refusal
from pipelines.known_crops import known_crops

if TYPE_CHECKING:
    from pathlib import Path

    from agrocredit.store.farm_tables import CheckedTable


def read_region_history(path: Path) -> CheckedTable:
    """Return the usable rows of a user's history; yields above any record of their crop are refused.

    Parameters
    ----------
    path : Path
        As for `agrocredit.store.farm_tables.read_history`, whose errors it raises.

    Raises
    ------
    InputUnusableError
        ``no_usable_rows`` where no row is left.
    """
    from agrocredit.store.farm_tables import read_history

    checked = read_history(path)
    crops = known_crops()
    known = {name: resolve_crop(name, crops) for name in checked.table["crop"].unique().to_pylist()}
    earlier = {refusal.row for refusal in checked.refused}
    rows = [row for row in range(1, checked.table.num_rows + len(earlier) + 1) if row not in earlier]
    kept: list[int] = []
    refused = list(checked.refused)
    columns = (checked.table[name].to_pylist() for name in ("crop", "yield_t_ha"))
    for place, (name, yield_t_ha) in enumerate(zip(*columns, strict=True)):
        crop = known[name]
        if crop is None or yield_t_ha <= crop.yield_max_t_ha:
            kept.append(place)
            continue
        detail = f"{name} of {yield_t_ha:g} t/ha, expected {crop.yield_max_t_ha:g} at most; are these kg/ha?"
        refused.append(Refusal(code="yield_implausible", detail=detail, row=rows[place]))
    if not kept:
        raise InputUnusableError(
            "no_usable_rows", f"history: none of {len(rows)} rows can be used: {refused[-1].detail}"
        )
    return replace(checked, table=checked.table.take(kept), refused=tuple(refused))
