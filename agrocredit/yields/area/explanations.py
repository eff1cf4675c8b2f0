"""The few features of a season that moved an area's estimate: each beside what is normal for the area itself.

One feature at a time is taken away, which the network reads as normal, and the area is estimated again with the rest as
it is. What the median loses by that is what the feature moved it by. Nothing is drawn and no other area enters.
"""

from __future__ import annotations

from calendar import month_name
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.area.prediction import estimate_areas
from agrocredit.yields.explanations import MOVED_MIN_SHARE, Influence, strongest

if TYPE_CHECKING:
    from agrocredit.yields.area.features import FeatureConfig
    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.normals import Normals
    from agrocredit.yields.area.release import AreaRelease
    from agrocredit.yields.area.rows import AreaRows

VARIABLES: Final = {
    "t_mean_c": "warmth",
    "t_max_c": "heat of the days",
    "t_min_c": "warmth of the nights",
    "rain_sum_mm": "rain",
    "ndvi": "greenness",
    "evi": "greenness",
    "soil_moisture_m3_m3": "water in the soil",
}
"""What variables are called in the field; others keep their own name."""

_MEDIAN = QUANTILE_LEVELS.index(0.50)


def explain_areas(
    release: AreaRelease, rows: AreaRows, *, history: AreaHistory, stage: int, others: Normals | None = None
) -> list[tuple[Influence, ...]]:
    """Return for every area-year what moved its estimate most, strongest first; nothing where it abstains.

    Parameters
    ----------
    release, rows, history, stage, others
        As for `agrocredit.yields.area.prediction.estimate_areas`.
    """

    def median(asked: AreaRows) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        said = estimate_areas(release, asked, history=history, stage=stage, others=others)
        return said.quantiles_t_ha[:, _MEDIAN]

    as_it_is = median(rows)
    away = release.normals.anomalies(rows, others=others)
    found: list[list[Influence]] = [[] for _ in range(len(rows))]
    for column, what in enumerate(feature_words(release.facts.features)):
        features = rows.features.copy()
        features[:, column] = np.nan
        moved = as_it_is - median(replace(rows, features=features))
        for row in np.flatnonzero(np.isfinite(moved) & (np.abs(moved) >= MOVED_MIN_SHARE * as_it_is)):
            shift = round(float(moved[row]), 3)
            side: Literal["higher", "lower"] = "higher" if away[row, column] > 0 else "lower"
            found[row].append(Influence(what=what, side=side, compared_with="normal", moved_t_ha=shift))
    return [strongest(one) for one in found]


def feature_words(features: tuple[FeatureConfig, ...]) -> list[str]:
    """Return every feature in the field's words, in the order of the columns: ``rain in April``.

    Parameters
    ----------
    features : tuple of FeatureConfig
    """
    words = []
    for feature in features:
        name = VARIABLES.get(feature.variable, feature.variable.replace("_", " "))
        if feature.statistic in {"excess", "shortfall", "share_above"}:
            name += f" {'below' if feature.statistic == 'shortfall' else 'above'} {feature.threshold:g}"
        elif feature.statistic in {"max", "min"}:
            name = f"{'highest' if feature.statistic == 'max' else 'lowest'} {name}"
        if feature.together:
            words.append(f"{name} from {month_name[feature.months[0]]} to {month_name[feature.months[-1]]}")
        elif feature.months:
            words += [f"{name} in {month_name[month]}" for month in feature.months]
        elif feature.steps:
            words += [f"{name} at step {step} of the season" for step in feature.steps]
        else:
            words.append(f"{name} of the season")
    return words
