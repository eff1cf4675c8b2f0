"""Estimates of an area release for a folder of labelled data, as known on a day, and what moved them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agrocredit.yields.area.explanations import explain_areas
from agrocredit.yields.area.history import AreaHistory
from agrocredit.yields.area.normals import Normals, fit_normals
from agrocredit.yields.area.prediction import AreaEstimates, estimate_areas
from pipelines.area_data import area_rows

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.yields.area.release import AreaRelease
    from agrocredit.yields.explanations import Influence
    from pipelines.area_data import AreaData


def predict_area(release: AreaRelease, data: AreaData, *, year: int, as_of: date | None = None) -> AreaEstimates:
    """Return the estimates of a harvest year's labels, in the order of ``data.labels`` of that year.

    What counts as history is every harvest of an earlier year: the folder's, and those the release learnt from.

    Parameters
    ----------
    release : AreaRelease
    data : AreaData
        All years of the folder; the labels of `year` and later are not read.
    year : int
        Harvest year.
    as_of : date, optional
        Day of knowledge: nothing dated later enters. After the season where it is None.
    """
    return estimate_areas(release, **_question(release, data, year=year, as_of=as_of))


def explain_area(
    release: AreaRelease, data: AreaData, *, year: int, as_of: date | None = None
) -> list[tuple[Influence, ...]]:
    """Return what moved each estimate of `predict_area`, strongest first; nothing where it abstains.

    Parameters
    ----------
    release, data, year, as_of
        As for `predict_area`.
    """
    return explain_areas(release, **_question(release, data, year=year, as_of=as_of))


def _question(release: AreaRelease, data: AreaData, *, year: int, as_of: date | None) -> dict[str, Any]:
    rows = area_rows(data, features=release.facts.features, years=[year], as_of=as_of)
    return {
        "rows": rows,
        "history": history_of(data),
        "stage": release.facts.stages.on(as_of, harvest_year=year),
        "others": _normals_of_others(release, data, units=rows.units.tolist(), year=year),
    }


def history_of(data: AreaData) -> AreaHistory:
    """Return the harvests of a folder; labels without a yield are asked about and no harvests.

    Parameters
    ----------
    data : AreaData
    """
    brought = data.labels.dropna(subset=["yield_t_ha"])
    return AreaHistory(
        units=brought["unit"].to_numpy(dtype=object),
        regions=brought["region"].to_numpy(dtype=object),
        harvest_years=brought["harvest_year"].to_numpy(np.int64),
        yields_t_ha=brought["yield_t_ha"].to_numpy(np.float64),
    )


def _normals_of_others(release: AreaRelease, data: AreaData, *, units: list[str], year: int) -> Normals | None:
    """Return the normals, from earlier years of the folder, of areas that the release has never met."""
    new = set(units) - set(release.normals.units)
    earlier = data.labels[data.labels["unit"].isin(new) & (data.labels["harvest_year"] < year)]
    if earlier.empty:
        return None
    rows = area_rows(data, features=release.facts.features, years=sorted(set(earlier["harvest_year"])))
    return fit_normals(rows.take(np.isin(rows.units.astype(str), sorted(new))))
