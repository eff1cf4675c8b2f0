"""What moved the estimates of labelled areas: a line or a few for every area and harvest year that was answered."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from agrocredit.store.atomic import write_text
from pipelines.predict_area import explain_area

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agrocredit.yields.area.release import AreaRelease
    from pipelines.area_data import AreaData


def write_area_explanations(release: AreaRelease, data: AreaData, *, years: Iterable[int], out: Path) -> None:
    """Write what moved the estimate of every labelled area after the season, as JSON by harvest year and area.

    Parameters
    ----------
    release : AreaRelease
    data : AreaData
    years : iterable of int
        Harvest years.
    out : Path
    """
    document = {}
    for year in years:
        units = data.labels.loc[data.labels["harvest_year"] == year, "unit"]
        told = explain_area(release, data, year=year)
        found = {unit: [asdict(one) for one in influences] for unit, influences in zip(units, told, strict=True)}
        document[str(year)] = {unit: found[unit] for unit in sorted(found) if found[unit]}
    write_text(json.dumps({"areas": document}, indent=1, ensure_ascii=False) + "\n", out)
