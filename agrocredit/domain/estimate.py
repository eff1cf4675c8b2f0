"""The waist of the hourglass: what a plot will bring, with its uncertainty, or why nobody can say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from agrocredit.domain.errors import RefusedError

if TYPE_CHECKING:
    from datetime import date

QUANTILE_LEVELS: tuple[float, ...] = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
QUANTILE_COLUMNS: tuple[str, ...] = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")


class EstimateStatus(StrEnum):
    """Whether there is a number."""

    ESTIMATED = "estimated"
    """Seven quantiles stand in the row."""
    ABSTAINED = "abstained"
    """No honest number; `reason` says why."""


class AbstainReason(StrEnum):
    """Why no yield is stated. Each means more evidence is needed, never that the farmer is declined."""

    NOT_OBSERVED = "not_observed"
    """No scene touches the plot in the season."""
    TOO_FEW_CLEAR_OBSERVATIONS = "too_few_clear_observations"
    """Cloud or missing scenes left too little to see a season by."""
    PLOT_TOO_SMALL = "plot_too_small"
    """Too few pixels for an honest value."""
    NO_CROP_SEEN = "no_crop_seen"
    """The index curve does not rise and fall as a crop's does."""
    OUT_OF_DISTRIBUTION = "out_of_distribution"
    """The season looks unlike anything the release was trained on."""
    CROP_UNKNOWN = "crop_unknown"
    """No release in force for this crop, or no calendar at this place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldEstimate:
    """Yield of one plot, crop and season as known on `as_of`, at the crop's moisture basis."""

    plot_id: str
    crop: str
    season: str
    harvest_year: int
    as_of: date
    status: EstimateStatus
    reason: AbstainReason | None
    quantiles_t_ha: tuple[float, ...] | None
    """Yields in t/ha at `QUANTILE_LEVELS`, never crossing, never below 0; None when abstained."""
    clear_observations: int
    release: str
    evidence_sha256: str
    """Hash of the observations and settings that this rests on."""

    def __post_init__(self) -> None:
        if (self.status is EstimateStatus.ABSTAINED) != (self.reason is not None):
            raise RefusedError("estimate_invalid", f"status {self.status} with reason {self.reason}")
        if (self.status is EstimateStatus.ABSTAINED) != (self.quantiles_t_ha is None):
            raise RefusedError("estimate_invalid", f"status {self.status} with quantiles {self.quantiles_t_ha}")
        if self.quantiles_t_ha is not None:
            self._check_quantiles(self.quantiles_t_ha)

    @staticmethod
    def _check_quantiles(quantiles_t_ha: tuple[float, ...]) -> None:
        wrong = len(quantiles_t_ha) != len(QUANTILE_LEVELS) or not all(map(math.isfinite, quantiles_t_ha))
        if wrong or quantiles_t_ha[0] < 0 or any(low > high for low, high in pairwise(quantiles_t_ha)):
            raise RefusedError(
                "estimate_invalid", f"quantiles {quantiles_t_ha}, expected {len(QUANTILE_LEVELS)} rising yields from 0"
            )
