"""Quantiles of yield for area-years, or why there are none: level, network, trust, shifts, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import QUANTILE_LEVELS, AbstainReason
from agrocredit.yields.area.features import feature_names
from agrocredit.yields.area.levels import AreaLevels, levels
from agrocredit.yields.area.normals import Normals, network_input, normals_of, places_of, strangeness
from agrocredit.yields.area.places import climate_distance, inside_levels
from agrocredit.yields.training import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.network import AreaNetwork
    from agrocredit.yields.area.release import AreaRelease
    from agrocredit.yields.area.rows import AreaRows


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaEstimates:
    """What a release says of area-years. Arrays over n rows."""

    quantiles_t_ha: NDArray[np.float64]
    """(n, 7) at `agrocredit.domain.estimate.QUANTILE_LEVELS`; NaN where it abstains."""
    reasons: list[AbstainReason | None]
    levels_t_ha: NDArray[np.float64]
    """What the history alone lets one expect; NaN where it is too short."""


def estimate_areas(
    release: AreaRelease, rows: AreaRows, *, history: AreaHistory, stage: int, others: Normals | None = None
) -> AreaEstimates:
    """Return the estimates of area-years of one harvest year.

    Parameters
    ----------
    release : AreaRelease
    rows : AreaRows
        Features as known on a day of the stage.
    history : AreaHistory
        Harvests known beside the release's own; rows of this harvest year and later are left out.
    stage : int
        From `SeasonStages.on`.
    others : Normals, optional
        Of areas that the release does not hold.
    """
    if rows.names != feature_names(release.facts.features):
        raise InputUnusableError("model_invalid", f"rows with {len(rows.names)} other features than the release's")
    n = len(rows)
    if n == 0:
        return AreaEstimates(quantiles_t_ha=np.empty((0, len(QUANTILE_LEVELS))), reasons=[], levels_t_ha=np.empty(0))
    year = int(rows.harvest_years[0])
    if (rows.harvest_years != year).any():
        raise InputUnusableError("model_invalid", f"rows of {np.unique(rows.harvest_years).size} years, expected one")
    known = history.before(year).joined(release.history.before(year))
    level = levels(known, units=rows.units, regions=rows.regions, year=year, config=release.facts.level)
    anomalies = release.normals.anomalies(rows, others=others)
    # Before the first of several stages nothing was calibrated on what the season has shown so far: it is not read.
    begun = stage > 0 or len(release.facts.stages) == 1
    seen = np.asarray(np.isfinite(anomalies).any(axis=1) & begun, dtype=bool)
    anomalies[~seen] = np.nan
    # A season of which nothing is known is answered as before it began, whatever the day.
    stages = np.where(seen, stage, 0)
    raw = network_quantiles_t_ha(
        release.network, anomalies, level, places=places_of(rows.regions, release.facts.regions)
    )
    quantiles = release.calibration.apply(raw, level.expected_t_ha, stage=stages, regions=rows.regions)
    strange = strangeness(anomalies) > np.array(release.calibration.strangeness_max)[stages]
    reasons = _reasons(
        strange | foreign(release, rows, level, others=others),
        unseen=~seen & (len(release.facts.stages) == 1),
    )
    quantiles[[reason is not None for reason in reasons]] = np.nan
    return AreaEstimates(quantiles_t_ha=quantiles, reasons=reasons, levels_t_ha=level.expected_t_ha)


def network_quantiles_t_ha(
    network: AreaNetwork, anomalies: NDArray[np.float64], level: AreaLevels, *, places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the ensemble's quantiles (n, 7) in t/ha around the level, not corrected yet.

    Parameters
    ----------
    network : AreaNetwork
    anomalies : ndarray, shape (n, k)
        NaN where unknown.
    level : AreaLevels
    places : ndarray of int, shape (n,)
        Of the rows' regions.
    """
    x, swing = network_input(anomalies), np.nan_to_num(level.swing).astype(np.float32)
    with torch.inference_mode(), one_thread():
        deviations = network(torch.from_numpy(x), torch.from_numpy(swing), torch.from_numpy(places))
    quantiles: NDArray[np.float64] = level.expected_t_ha[:, None] + deviations.numpy().astype(np.float64)
    return quantiles


def foreign(
    release: AreaRelease, rows: AreaRows, level: AreaLevels, *, others: Normals | None = None
) -> NDArray[np.bool_]:
    """Return which areas lie outside of what the release learnt from: no level, or a region, climate or level unmet.

    Parameters
    ----------
    release : AreaRelease
    rows : AreaRows
    level : AreaLevels
        Of the same rows.
    others : Normals, optional
        Of areas that the release does not hold.
    """
    elsewhere = places_of(rows.regions, release.facts.regions) == len(release.facts.regions)
    normals = normals_of(rows.units, [release.normals] if others is None else [release.normals, others])
    far = climate_distance(normals, release.normals) > release.calibration.climate_distance_max
    unlike = far | ~inside_levels(level.expected_t_ha, release.history)
    return np.asarray(~np.isfinite(level.expected_t_ha) | (elsewhere & unlike))


def _reasons(out_of_range: NDArray[np.bool_], *, unseen: NDArray[np.bool_]) -> list[AbstainReason | None]:
    """Return why each row gets no estimate, the first reason that holds, or None."""
    return [
        AbstainReason.OUT_OF_DISTRIBUTION if strange else AbstainReason.NOT_OBSERVED if blind else None
        for strange, blind in zip(out_of_range, unseen, strict=True)
    ]
