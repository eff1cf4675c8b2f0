"""Estimates of an area release for a folder of labelled data, as known on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agrocredit.yields.area.history import AreaHistory
from agrocredit.yields.area.normals import Normals, fit_normals
from agrocredit.yields.area.prediction import AreaEstimates, estimate_areas
from pipelines.area_data import area_rows

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.yields.area.release import AreaRelease
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
    rows = area_rows(data, features=release.facts.features, years=[year], as_of=as_of)
    stage = release.facts.stages.on(as_of, harvest_year=year)
    others = _normals_of_others(release, data, units=rows.units.tolist(), year=year)
    return estimate_areas(release, rows, history=history_of(data), stage=stage, others=others)


def history_of(data: AreaData) -> AreaHistory:
    """Return the harvests of a folder.

    Parameters
    ----------
    data : AreaData
    """
    return AreaHistory(
        units=data.labels["unit"].to_numpy(dtype=object),
        regions=data.labels["region"].to_numpy(dtype=object),
        harvest_years=data.labels["harvest_year"].to_numpy(np.int64),
        yields_t_ha=data.labels["yield_t_ha"].to_numpy(np.float64),
    )


def _normals_of_others(release: AreaRelease, data: AreaData, *, units: list[str], year: int) -> Normals | None:
    """Return the normals, from earlier years of the folder, of areas that the release has never met."""
    new = set(units) - set(release.normals.units)
    earlier = data.labels[data.labels["unit"].isin(new) & (data.labels["harvest_year"] < year)]
    if earlier.empty:
        return None
    rows = area_rows(data, features=release.facts.features, years=sorted(set(earlier["harvest_year"])))
    return fit_normals(rows.take(np.isin(rows.units.astype(str), sorted(new))))
