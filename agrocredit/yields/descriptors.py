"""Where a season stands among those the release was trained on: a few numbers of its curves, and their distance.

The distance is Mahalanobis' over descriptors in the field's words (how green at the peak, how bare at the lowest, how
wet for its greenness ...), taken only over the steps that are known. Curves that the network's own filters would map
somewhere familiar still look strange here, because nothing is learnt but a mean and a covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.inputs import CHANNELS, CONTEXT_INPUTS, STEP_INPUTS, SeasonInputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

# GNDVI and SAVI at the peak are left out: they follow NDVI and EVI so closely that their small residual would judge the
# sensor, not the season.
DESCRIPTORS: Final = (
    "ndvi_peak",
    "ndvi_low",
    "ndvi_mean",
    "ndvi_peak_position",
    "ndvi_rise_max",
    "ndvi_fall_max",
    "evi_at_peak",
    "ndmi_at_peak",
    "ndrei_at_peak",
    "season_share",
)

NEAR_GAP: Final = 1.5
"""Steps farther than this from a clear view (45 days, in the gap channel's unit) show the smoother, not a crop."""

_RIDGE = 1e-3
_CHANNEL_OF = {f"{channel.name}_at_peak": place for place, channel in enumerate(CHANNELS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRange:
    """Mean and covariance of the training seasons' descriptors, and the distance that is too far."""

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    tail: float
    """A season is out of range where fewer than this share of a chi-squared distribution lies beyond its distance."""

    def __post_init__(self) -> None:
        k, matrix = len(DESCRIPTORS), np.array(self.covariance, dtype=np.float64)
        if len(self.mean) != k or matrix.shape != (k, k) or not np.isfinite(matrix).all() or not 0 <= self.tail < 1:
            raise InputUnusableError(
                "model_invalid", f"training range of {len(self.mean)} descriptors, expected {k} with covariance"
            )
        if np.linalg.eigvalsh(matrix).min() <= 0:
            raise InputUnusableError("model_invalid", "training range with a covariance that is not positive definite")


def describe(inputs: SeasonInputs) -> NDArray[np.float64]:
    """Return the descriptors of each season, (n, len(DESCRIPTORS)); NaN where a curve was not observed.

    Parameters
    ----------
    inputs : SeasonInputs
    """
    near = near_looks(inputs)
    any_near = near.any(axis=1)
    curve = _curve(inputs, 0)
    shown = np.where(near, curve, np.nan)
    shown[~any_near, 0] = 0.0  # keeps the reductions below quiet; these rows become NaN at the end
    peak = np.nanargmax(shown, axis=1)
    slope = np.where(near[:, 1:] & near[:, :-1], np.diff(curve, axis=1), 0.0)
    table = {
        "ndvi_peak": np.nanmax(shown, axis=1),
        "ndvi_low": np.nanmin(shown, axis=1),
        "ndvi_mean": np.nanmean(shown, axis=1),
        "ndvi_peak_position": peak / shown.shape[1],
        "ndvi_rise_max": slope.max(axis=1),
        "ndvi_fall_max": -slope.min(axis=1),
        "season_share": inputs.context[:, CONTEXT_INPUTS.index("progress")],
    }
    for name, place in _CHANNEL_OF.items():
        if name in DESCRIPTORS:
            table[name] = _at_peak(inputs, place, peak)
    described = np.column_stack([table[name] for name in DESCRIPTORS]).astype(np.float64)
    described[~any_near] = np.nan
    return described


def near_looks(inputs: SeasonInputs) -> NDArray[np.bool_]:
    """Return which steps have a clear look near enough to speak of the crop, (n, step).

    Parameters
    ----------
    inputs : SeasonInputs
    """
    known = inputs.steps[:, :, STEP_INPUTS.index("known")] > 0.5
    near: NDArray[np.bool_] = known & (inputs.steps[:, :, STEP_INPUTS.index("gap")] <= NEAR_GAP)
    return near


def fit_range(described: NDArray[np.float64], *, refused_share: float) -> TrainingRange:
    """Return the range of the training seasons, set so that it would refuse `refused_share` of them.

    Parameters
    ----------
    described : ndarray, shape (n, len(DESCRIPTORS))
        From `describe`; rows with NaN are left out.
    refused_share : float
        Share of the training seasons that the range may call strange, 0 to 1.

    Raises
    ------
    InputUnusableError
        ``training_data_invalid`` if too few seasons are complete.
    """
    rows = described[np.isfinite(described).all(axis=1)]
    if len(rows) < 10 * len(DESCRIPTORS):
        raise InputUnusableError("training_data_invalid", f"{len(rows)} complete seasons to take a range from")
    covariance = np.cov(rows, rowvar=False)
    covariance += _RIDGE * np.diag(np.diag(covariance)) + 1e-9 * np.eye(len(DESCRIPTORS))
    loose = TrainingRange(
        mean=tuple(float(v) for v in rows.mean(axis=0)),
        covariance=tuple(tuple(float(v) for v in row) for row in covariance),
        tail=0.0,
    )
    tail = float(np.quantile(tail_share(rows, loose), refused_share))
    return TrainingRange(mean=loose.mean, covariance=loose.covariance, tail=tail)


def tail_share(described: NDArray[np.float64], known: TrainingRange) -> NDArray[np.float64]:
    """Return how much of a chi-squared distribution lies beyond each season's squared distance, 0 to 1.

    Descriptors that are NaN are left out with their rows and columns of the covariance, and the degrees of freedom
    shrink with them, so a plot without red edge is judged by the rest. Seasons without any descriptor get 0.

    Parameters
    ----------
    described : ndarray, shape (n, len(DESCRIPTORS))
    known : TrainingRange
    """
    shares = np.zeros(len(described))
    present = np.isfinite(described)
    mean, covariance = np.array(known.mean), np.array(known.covariance)
    for pattern in np.unique(present, axis=0):
        rows = (present == pattern).all(axis=1)
        if pattern.any():
            away = described[rows][:, pattern] - mean[pattern]
            solved = np.linalg.solve(covariance[np.ix_(pattern, pattern)], away.T).T
            shares[rows] = stats.chi2.sf(np.einsum("ij,ij->i", away, solved), df=int(pattern.sum()))
    return shares


def _curve(inputs: SeasonInputs, place: int) -> NDArray[np.float64]:
    channel = CHANNELS[place]
    return inputs.steps[:, :, place].astype(np.float64) * channel.spread + channel.centre


def _at_peak(inputs: SeasonInputs, place: int, peak: NDArray[np.intp]) -> NDArray[np.float64]:
    has = inputs.context[:, CONTEXT_INPUTS.index(f"has_{CHANNELS[place].name}")] > 0.5
    return np.where(has, _curve(inputs, place)[np.arange(len(peak)), peak], np.nan)
