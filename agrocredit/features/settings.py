"""The numbers of smoothing that a person may argue about, in one record with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, fields

from agrocredit.domain.errors import WrongUsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothing:
    """How a season's curve is drawn through its clear looks. ``docs/method/features.md`` shows the measurements."""

    penalty_day3: float = 500.0
    """Weight of the curve's squared second derivative, integrated over days, against one fully clear look."""
    tension_day: float = 1.0
    """Weight of its squared first derivative. With w = 2 pi / P, looks every d days pass waves of P days by
    ``1 / (1 + d * (penalty_day3 * w**4 + tension_day * w**2))``."""
    knot_days: float = 5.0
    """The curve is straight between knots this far apart; the revisit of Sentinel-2."""
    dip_window_days: float = 20.0
    """A drop that has recovered within this many days on either side is cloud, not crop."""
    dip_tolerance: float = 0.05
    """Drops of the guide index up to this depth keep their weight: noise of a clear look."""
    dip_depth_full: float = 0.20
    """Drops this deep lose all weight."""
    hold_days_max: float = 10.0
    """Before the first and after the last look the nearest value is held this long, then nothing is said."""
    gap_days_max: float = 30.0
    """Steps in a longer gap between looks are flagged: a crop can turn within it unseen."""
    evidence_days: float = 10.0
    """A look counts towards a step in full on its day and not at all this many days away."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not 0 <= value < float("inf") or (value == 0 and name in {"penalty_day3", "knot_days", "evidence_days"}):
                raise WrongUsageError("smoothing_invalid", f"{name} is {value}, expected above 0 and finite")
        if not self.dip_tolerance < self.dip_depth_full:
            raise WrongUsageError(
                "smoothing_invalid",
                f"dip_tolerance {self.dip_tolerance} is not below dip_depth_full {self.dip_depth_full}",
            )
