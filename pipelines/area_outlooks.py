"""What counties or districts will bring, as an area release sees them: the outlook beside which plots are judged.

A plot's region names the area. Where the release abstains, or does not hold the area, the region's history speaks as it
does without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.credibility import HISTORY_YEARS_MIN, AreaOutlook, model_variance
from pipelines.area_data import read_area_data
from pipelines.predict_area import explain_area, predict_area
from pipelines.releases import named_area_release

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
    from pathlib import Path

    from agrocredit.domain.estimate import AbstainReason
    from agrocredit.yields.area.release import AreaRelease
    from agrocredit.yields.credibility import CredibilityConfig
    from agrocredit.yields.explanations import Influence
    from pipelines.area_data import AreaData

EXPECTED_FLOOR_T_HA: Final = 0.05
"""An area that is expected to bring nothing still has plots, whose spread is a share of what is expected."""

_MEDIAN = QUANTILE_LEVELS.index(0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaSource:
    """An area release and what it is asked on."""

    release: str
    """Name under the models that ship, or a folder."""
    data: Path
    """Folder in the canonical labelled form: earlier harvests, and the weather of this season and earlier ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaOutlooks:
    """What an area release said of the areas that were asked about, by name."""

    outlooks: Mapping[str, AreaOutlook] = field(default_factory=dict)
    abstained: Mapping[str, AbstainReason] = field(default_factory=dict)
    influences: Mapping[str, tuple[Influence, ...]] = field(default_factory=dict)


def area_release_outlooks(
    source: AreaSource,
    *,
    asked: Collection[str],
    crop: str,
    harvest_year: int,
    as_of: date,
    config: CredibilityConfig,
    explain: bool = False,
) -> AreaOutlooks:
    """Return the outlooks of areas for a harvest year; nothing of another crop than the release's.

    Parameters
    ----------
    source : AreaSource
    asked : collection of str
        Names of areas, as the folder's ``unit``; others than the folder's are left out.
    crop : str
    harvest_year : int
    as_of : date
        Nothing dated later enters, and no harvest of `harvest_year`.
    config : CredibilityConfig
        How far plots lie around their area.
    explain : bool
        Whether to say what moved each area's estimate.

    Raises
    ------
    InputUnusableError
        What the loader of the release and the reader of the folder raise.
    """
    release = named_area_release(source.release)
    if release.facts.crop != crop:
        return AreaOutlooks()
    data = _asked(read_area_data(source.data, crop=crop), asked, harvest_year)
    units = data.labels.loc[data.labels["harvest_year"] == harvest_year, "unit"].tolist()
    if not units:
        return AreaOutlooks()
    said = predict_area(release, data, year=harvest_year, as_of=as_of)
    told = explain_area(release, data, year=harvest_year, as_of=as_of) if explain else [()] * len(units)
    return AreaOutlooks(
        outlooks={
            unit: _outlook(quantiles, release, config)
            for unit, quantiles, reason in zip(units, said.quantiles_t_ha, said.reasons, strict=True)
            if reason is None
        },
        abstained={unit: reason for unit, reason in zip(units, said.reasons, strict=True) if reason is not None},
        influences={unit: one for unit, one in zip(units, told, strict=True) if one},
    )


def _asked(data: AreaData, asked: Collection[str], harvest_year: int) -> AreaData:
    """Return earlier labels, and one of the harvest year without a yield for every area of the folder asked about."""
    earlier = data.labels[data.labels["harvest_year"] < harvest_year]
    known = data.labels[data.labels["unit"].isin(list(asked))].drop_duplicates("unit", keep="last")
    now = known.assign(harvest_year=harvest_year, yield_t_ha=np.nan).sort_values("unit", kind="stable")
    return replace(data, labels=pd.concat([earlier, now], ignore_index=True))


def _outlook(quantiles_t_ha: np.ndarray, release: AreaRelease, config: CredibilityConfig) -> AreaOutlook:
    """Return an area's quantiles as the outlook of one of its plots, whose yields lie around the area's."""
    expected = max(float(quantiles_t_ha[_MEDIAN]), EXPECTED_FLOOR_T_HA)
    return AreaOutlook(
        expected_t_ha=expected,
        s2_year=float(model_variance(quantiles_t_ha[None, :])[0]),
        s2_plot=(config.within_region_cv * expected) ** 2,
        # Intervals out of fewer years have been widened for it already.
        years=max(len(release.calibration.years), HISTORY_YEARS_MIN),
    )
