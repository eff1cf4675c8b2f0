"""What a few local labels add where a model comes from elsewhere: the level, the responses, the neighbourhood.

Each is shrunk by credibility: responses leave the transferred ones as far as a ridge lets them, and a plot takes over
what its neighbours' labels lie above or below, as far as there are neighbours (Buehlmann and Gisler 2005, *A Course in
Credibility Theory*). The level is the labels' own: their mean is known better than any other country's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.rows import AreaRows
    from agrocredit.yields.peers import PeerModel

    Doubles = NDArray[np.float64]

KM_PER_DEGREE: Final = 111.2
"""Length of a degree of latitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalConfig:
    """How much a few labels may say."""

    penalty_plots: float
    """Labels that would have to contradict a transferred response to halve it."""
    neighbour_km: float
    """Standard deviation of the Gaussian by which neighbours count."""
    neighbour_prior: float
    """Labels at no distance at which a neighbourhood counts half."""

    def __post_init__(self) -> None:
        if min(self.penalty_plots, self.neighbour_km, self.neighbour_prior) <= 0:
            raise InputUnusableError("config_invalid", f"local settings out of range: {self}")


def local_estimates_t_ha(
    model: PeerModel, rows: AreaRows, *, labelled: NDArray[np.bool_], config: LocalConfig
) -> Doubles:
    """Return estimates (n,) in t/ha for all plots of one season, some of which have labels.

    Parameters
    ----------
    model : PeerModel
        From other places.
    rows : AreaRows
        Plots of one region and harvest year; only yields of labelled ones are read.
    labelled : ndarray of bool, shape (n,)
    config : LocalConfig

    Raises
    ------
    InputUnusableError
        ``training_data_invalid`` without a label.
    """
    if not labelled.any():
        raise InputUnusableError("training_data_invalid", f"no label among {len(rows)} plots")
    brought = rows.yields_t_ha[labelled]
    there = model.at_level(rows, float(brought.mean()))
    x = _standard(rows.features[:, [rows.names.index(name) for name in model.config.names]])
    transferred = there.estimate_t_ha(rows)
    rest = brought - transferred[labelled]
    own = x[labelled] - x[labelled].mean(axis=0)
    gram = own.T @ own + config.penalty_plots * np.eye(x.shape[1])
    moved = (x - x[labelled].mean(axis=0)) @ np.linalg.solve(gram, own.T @ (rest - rest.mean()))
    estimate = transferred + rest.mean() + moved
    left = brought - estimate[labelled]
    weights = np.exp(-0.5 * (_distance_km(rows, labelled) / config.neighbour_km) ** 2)
    offset = weights @ left / (weights.sum(axis=1) + config.neighbour_prior)
    answers: Doubles = np.maximum(estimate + offset, 0.0)
    return answers


def _standard(values: Doubles) -> Doubles:
    """Return features in standard deviations from their mean, 0 where unknown or the same everywhere."""
    known = np.isfinite(values)
    filled = np.where(known, values, np.nan)
    spread = np.nanstd(filled, axis=0)
    standard: Doubles = np.nan_to_num((filled - np.nanmean(filled, axis=0)) / np.where(spread > 0, spread, 1.0))
    return standard


def _distance_km(rows: AreaRows, labelled: NDArray[np.bool_]) -> Doubles:
    """Return the distance (n, labels) of every plot to every labelled one; within a few degrees the earth is flat."""
    east = rows.longitude_deg * np.cos(np.deg2rad(rows.latitude_deg))
    places = KM_PER_DEGREE * np.column_stack([east, rows.latitude_deg])
    distance: Doubles = np.linalg.norm(places[:, None, :] - places[labelled][None, :, :], axis=2)
    return distance
