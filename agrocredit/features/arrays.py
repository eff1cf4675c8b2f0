"""Season curves from plain arrays: the core that observed and simulated seasons share.

Strategy: looks of some thousand plots at a time are brought to float64, weighed (`dips`), drawn (`knots`) and measured
(`gaps`), so that memory beyond input and output stays below a hundred megabytes for any number of plots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.tables import VALID_FRACTION_MIN
from agrocredit.features.dips import dip_trust
from agrocredit.features.gaps import measure_gaps
from agrocredit.features.knots import draw_curves
from agrocredit.features.settings import Smoothing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Doubles = NDArray[np.float64]
    Singles = NDArray[np.float32]

CHUNK_PLOTS = 4096
DEFAULT_SMOOTHING = Smoothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonArrays:
    """Curves and what they rest on."""

    curve: Singles
    """(plot, step, channel) in the unit of the values; NaN where nothing may be said."""
    gap_days: Singles
    """(plot, step) days to the nearest look; NaN without any."""
    seen: Singles
    """(plot, step) weight of evidence around the step, 0 to 1."""
    long_gap: NDArray[np.bool_]
    """(plot, step) whether the step lies in a gap longer than `gap_days_max`, or outside the looks."""

    @classmethod
    def empty(cls, plots: int, steps: int, channels: int) -> SeasonArrays:
        """Return arrays of these sizes, to be filled by `put`."""
        return cls(
            curve=np.empty((plots, steps, channels), np.float32),
            gap_days=np.empty((plots, steps), np.float32),
            seen=np.empty((plots, steps), np.float32),
            long_gap=np.empty((plots, steps), np.bool_),
        )

    def put(self, part: SeasonArrays, *, first: int) -> None:
        """Copy a part into the rows from plot `first` on."""
        rows = slice(first, first + part.curve.shape[0])
        self.curve[rows] = part.curve
        self.gap_days[rows] = part.gap_days
        self.seen[rows] = part.seen
        self.long_gap[rows] = part.long_gap


def assemble_arrays(
    values: Floats,
    weights: Floats,
    days: Floats,
    *,
    step_days: Floats,
    length_days: float,
    until_day: float | Floats = np.inf,
    guide: int | None = 0,
    smoothing: Smoothing = DEFAULT_SMOOTHING,
) -> SeasonArrays:
    """Return the season's curves at its steps, from looks that all plots may share.

    Parameters
    ----------
    values : float array (plot, time, channel)
        Index values; NaN or infinite where unknown.
    weights : float array (plot, time)
        Share of the plot seen clear, 0 to 1; under 0.05 counts as no look.
    days : float array (time,)
        Days since season start, rising; looks outside 0 .. `length_days` are left out.
    step_days : float array (step,) or (plot, step)
        Where to read the curve, days since season start; NaN gives NaN.
    length_days : float
        Length of the season.
    until_day : float or float array (plot,)
        Day of knowledge since season start: later looks are not used, later steps are NaN.
    guide : int or None
        Channel that cloud lowers (NDVI), by which hazy looks lose weight in all channels; None keeps all weights.
    smoothing : Smoothing
        The numbers of smoothing.

    Returns
    -------
    SeasonArrays
        A plot's bytes do not depend on the other plots.

    Raises
    ------
    WrongUsageError
        ``season_arrays_invalid`` for shapes that do not fit, or days that do not rise.
    """
    _check(values, weights, days, guide)
    plots, _, channels = values.shape
    steps = np.broadcast_to(np.asarray(step_days, np.float64), (plots, np.shape(step_days)[-1]))
    until = np.broadcast_to(np.asarray(until_day, np.float64), (plots,))
    inside = (days >= 0) & (days <= length_days)
    out = SeasonArrays.empty(plots, steps.shape[1], channels)
    for first in range(0, plots, CHUNK_PLOTS):
        chunk = slice(first, first + CHUNK_PLOTS)
        part = _assemble_few(
            np.ascontiguousarray(values[chunk, inside], np.float64),
            np.ascontiguousarray(weights[chunk, inside], np.float64),
            np.ascontiguousarray(days[inside], np.float64),
            np.where(steps[chunk] <= until[chunk, None], steps[chunk], np.nan),
            until=until[chunk],
            length_days=length_days,
            guide=guide,
            smoothing=smoothing,
        )
        out.put(part, first=first)
    return out


def _assemble_few(
    values: Doubles,
    weights: Doubles,
    days: Doubles,
    steps: Doubles,
    *,
    until: Doubles,
    length_days: float,
    guide: int | None,
    smoothing: Smoothing,
) -> SeasonArrays:
    """Return the seasons of one chunk of plots."""
    trust = _trusted(values, weights, days, until)
    if guide is not None:
        trust = trust * dip_trust(np.ascontiguousarray(values[:, :, guide]), trust, days, smoothing=smoothing)
    looks = np.where(trust >= VALID_FRACTION_MIN, trust, 0.0)
    gaps = measure_gaps(looks, days, steps, evidence_days=smoothing.evidence_days)
    return SeasonArrays(
        curve=draw_curves(values, trust, days, steps, length_days=length_days, smoothing=smoothing),
        gap_days=gaps.gap_days,
        seen=gaps.seen,
        long_gap=~(gaps.gap_length_days <= smoothing.gap_days_max),
    )


def _trusted(values: Doubles, weights: Doubles, days: Doubles, until: Doubles) -> Doubles:
    """Return weights with 0 for what may not be used: unseen, unknown, or later than the day of knowledge."""
    usable = (weights >= VALID_FRACTION_MIN) & (days[None, :] <= until[:, None])
    usable &= np.isfinite(values).any(axis=2)
    return np.where(usable, np.minimum(weights, 1.0), 0.0)


def _check(values: Floats, weights: Floats, days: Floats, guide: int | None) -> None:
    if values.ndim != 3 or weights.shape != values.shape[:2] or days.shape != values.shape[1:2]:
        raise WrongUsageError(
            "season_arrays_invalid",
            f"values {values.shape}, weights {weights.shape}, days {days.shape}; "
            "expected (plot, time, channel), (plot, time), (time,)",
        )
    if not np.all(np.diff(days) > 0):
        raise WrongUsageError("season_arrays_invalid", "days of the looks do not rise strictly")
    if guide is not None and not 0 <= guide < values.shape[2]:
        raise WrongUsageError("season_arrays_invalid", f"guide channel {guide} of {values.shape[2]}")
