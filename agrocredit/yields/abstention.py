"""When not to state a yield. Checks run in one fixed order and the first that speaks gives the reason.

1. ``not_observed``: no acquisition touches the plot in the season so far.
2. ``plot_too_small``: the plot holds fewer whole 10 m pixels than an honest mean needs.
3. ``too_few_clear_observations``: a rise and a fall cannot be told from what was seen; also where no crop was seen but
   so little of the season that it may have been missed.
4. ``no_crop_seen``: the season is far enough along and the greenness neither rose nor fell as a crop's does.
5. ``out_of_distribution``: the curves look unlike every season the release was trained on.

(``crop_unknown`` comes before all of these: without a release nothing is looked at, see
`agrocredit.yields.unknown_crop`.)
Cheap facts of geometry and cloud come first because they are surest and a person can act on them; the model's own
doubt comes last. Each reason asks for more evidence; none is a verdict on the farmer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.estimate import AbstainReason
from agrocredit.yields.calibration import season_share
from agrocredit.yields.descriptors import DESCRIPTORS, TrainingRange, describe, near_looks, tail_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.inputs import SeasonInputs

POLE_DEG = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionConfig:
    """Thresholds of a release; the training configuration says why each is where it is."""

    pixels_min: float
    """Smallest plot, in 10 m pixels of area."""
    clear_observations_min: int
    """Fewest clear observations in the season so far."""
    ndvi_peak_min: float
    """A canopy that closes at all gets greener than this."""
    ndvi_amplitude_min: float
    """A crop's greenness moves at least this much between bare and peak."""
    crop_checked_from_share: float
    """Share of the season that must have passed before a missing crop counts as missing."""
    crop_seen_steps_min: int
    """Steps near a clear look without which a missing crop may only have been missed."""
    out_of_range_share: float
    """Share of the training seasons that the range calls strange."""
    latitude_abs_min_deg: float
    """Nearer to the equator than this no weather was trained on: other day lengths, other seasons."""
    latitude_abs_max_deg: float
    """Farther from the equator than this no weather was trained on."""

    def __post_init__(self) -> None:
        shares = (self.ndvi_peak_min, self.ndvi_amplitude_min, self.crop_checked_from_share, self.out_of_range_share)
        in_order = 0 <= self.latitude_abs_min_deg < self.latitude_abs_max_deg <= POLE_DEG
        counted = self.pixels_min >= 0 and self.clear_observations_min >= 1
        if not (in_order and counted and all(0 <= share <= 1 for share in shares)):
            raise InputUnusableError("config_invalid", f"abstention thresholds out of range: {self}")


def abstain(
    inputs: SeasonInputs,
    *,
    observations: NDArray[np.int64],
    clear_observations: NDArray[np.int64],
    pixel_counts: NDArray[np.float64],
    config: AbstentionConfig,
    known: TrainingRange,
    latitudes_deg: NDArray[np.float64] | None = None,
) -> list[AbstainReason | None]:
    """Return for each plot why no yield is stated, or None.

    Parameters
    ----------
    inputs : SeasonInputs
    observations : ndarray of int, shape (n,)
        Acquisitions that touch the plot in the season so far, clouded ones too.
    clear_observations : ndarray of int, shape (n,)
        Those of them that show it.
    pixel_counts : ndarray, shape (n,)
        Area of the plot in 10 m pixels.
    config : AbstentionConfig
    known : TrainingRange
    latitudes_deg : ndarray, shape (n,), optional
        Degrees north; a plot outside the latitudes of the training weather is out of its range, whatever its curve.
        None for seasons of the training weather itself.
    """
    described = describe(inputs)
    flat = no_crop_seen(inputs, described, config=config)
    followed = near_looks(inputs).sum(axis=1) >= config.crop_seen_steps_min
    checks = (
        (AbstainReason.NOT_OBSERVED, observations == 0),
        (AbstainReason.PLOT_TOO_SMALL, ~(pixel_counts >= config.pixels_min)),
        (AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS, clear_observations < config.clear_observations_min),
        (AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS, ~np.isfinite(described[:, 0])),
        (AbstainReason.TOO_FEW_CLEAR_OBSERVATIONS, flat & ~followed),
        (AbstainReason.NO_CROP_SEEN, flat),
        (AbstainReason.OUT_OF_DISTRIBUTION, _foreign_latitude(latitudes_deg, config=config)),
        (AbstainReason.OUT_OF_DISTRIBUTION, tail_share(described, known) < known.tail),
    )
    reasons: list[AbstainReason | None] = [None] * len(inputs)
    for reason, speaks in reversed(checks):
        for row in np.flatnonzero(speaks):
            reasons[row] = reason
    return reasons


def _foreign_latitude(
    latitudes_deg: NDArray[np.float64] | None, *, config: AbstentionConfig
) -> NDArray[np.bool_] | np.bool_:
    """Return where no weather like the training's is; a latitude that is not known counts as such a place."""
    if latitudes_deg is None:
        return np.False_
    from_equator = np.abs(latitudes_deg)
    return ~((from_equator >= config.latitude_abs_min_deg) & (from_equator <= config.latitude_abs_max_deg))


def no_crop_seen(
    inputs: SeasonInputs, described: NDArray[np.float64], *, config: AbstentionConfig
) -> NDArray[np.bool_]:
    """Return where the season is far enough along and neither rose nor fell as a crop's does: water, houses, forest.

    Parameters
    ----------
    inputs : SeasonInputs
    described : ndarray, shape (n, len(DESCRIPTORS))
        From `describe`.
    config : AbstentionConfig
    """
    peak, low = (described[:, DESCRIPTORS.index(name)] for name in ("ndvi_peak", "ndvi_low"))
    late = season_share(inputs) >= config.crop_checked_from_share
    flat: NDArray[np.bool_] = late & ((peak < config.ndvi_peak_min) | (peak - low < config.ndvi_amplitude_min))
    return flat
