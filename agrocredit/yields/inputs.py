"""From a season cube to what the network reads: one table of channels, one function, used in training and prediction.

Training and prediction must take exactly the same path, or the intervals are calibrated for another model than the one
that answers. So the network's arrays are made here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

INPUTS_VERSION: Final = 1
"""Raised whenever a channel below changes meaning; a release of another version is refused."""

STEPS: Final = 36
"""Steps of a season on its axis."""

GAP_SCALE_DAYS: Final = 30.0
GAP_CLIP: Final = 4.0
VALUE_CLIP: Final = 6.0
"""Farther from the centre than this many spreads an index is no surface's; one wild pixel must not shout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One index curve as the network reads it: ``(value - centre) / spread``."""

    name: str
    centre: float
    spread: float


CHANNELS: Final = (
    Channel(name="ndvi", centre=0.5, spread=0.25),
    Channel(name="evi", centre=0.4, spread=0.25),
    Channel(name="gndvi", centre=0.5, spread=0.20),
    Channel(name="savi", centre=0.35, spread=0.20),
    Channel(name="ndmi", centre=0.1, spread=0.20),
    Channel(name="ndrei", centre=0.3, spread=0.20),
)
"""Channel order is part of a release; centre and spread only bring the indices to one size, nothing is learnt here."""

STEP_INPUTS: Final = (*(channel.name for channel in CHANNELS), "seen", "gap", "known")
CONTEXT_INPUTS: Final = (
    "thermal",
    "progress",
    "level_known",
    "level_log",
    "pixels_log",
    *(f"has_{channel.name}" for channel in CHANNELS),
)
REQUIRED_CHANNEL: Final = "ndvi"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonInputs:
    """What the network reads about n plots."""

    steps: NDArray[np.float32]
    """(n, `STEPS`, len(`STEP_INPUTS`))"""
    context: NDArray[np.float32]
    """(n, len(`CONTEXT_INPUTS`))"""

    def __post_init__(self) -> None:
        n = self.steps.shape[0]
        if self.steps.shape != (n, STEPS, len(STEP_INPUTS)) or self.context.shape != (n, len(CONTEXT_INPUTS)):
            msg = (
                f"season inputs of shape {self.steps.shape} and {self.context.shape}, expected "
                f"(n, {STEPS}, {len(STEP_INPUTS)}) and (n, {len(CONTEXT_INPUTS)})"
            )
            raise InputUnusableError("season_invalid", msg)

    def __len__(self) -> int:
        return int(self.steps.shape[0])

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> SeasonInputs:
        """Return the inputs of some plots.

        Parameters
        ----------
        rows : ndarray of int or bool, or slice
            Which plots.
        """
        return SeasonInputs(steps=self.steps[rows], context=self.context[rows])


def season_inputs(
    season: xr.Dataset, *, pixel_counts: ArrayLike, levels_t_ha: ArrayLike, reference_t_ha: float
) -> SeasonInputs:
    """Return the network's inputs for every plot of an assembled season.

    Parameters
    ----------
    season : Dataset
        As assembled by the features room: ``curve (plot, step, channel)``, ``gap_days (plot, step)`` in days,
        ``seen (plot, step)`` from 0 to 1; ``curve`` is NaN where nothing may be said, as after the date of knowledge;
        attributes ``axis``, ``start_on``, ``end_on`` and ``as_of``.
    pixel_counts : array_like, shape (plot,)
        Area of each plot in 10 m pixels.
    levels_t_ha : array_like, shape (plot,)
        Yield expected in the plot's region, t/ha; NaN where no history says.
    reference_t_ha : float
        The release's own reference yield, t/ha: stands in where no level is known.

    Raises
    ------
    InputUnusableError
        ``season_invalid`` if the steps or the axis are not what the network was made for, ``index_missing`` without
        the NDVI curve.
    """
    if season.sizes.get("step") != STEPS:
        raise InputUnusableError("season_invalid", f"season of {season.sizes.get('step')} steps, expected {STEPS}")
    inputs = array_inputs(
        season["curve"].transpose("plot", "step", "channel").to_numpy(),
        [str(name).lower() for name in season["channel"].to_numpy()],
        gap_days=season["gap_days"].to_numpy(),
        seen=season["seen"].to_numpy(),
        thermal=_is_thermal(season),
        progress=progress_of(season),
        pixel_counts=pixel_counts,
    )
    return with_level(inputs, levels_t_ha, reference_t_ha=reference_t_ha)


def array_inputs(
    curve: NDArray[np.floating],
    names: Sequence[str],
    *,
    gap_days: NDArray[np.floating],
    seen: NDArray[np.floating],
    thermal: bool,
    progress: ArrayLike,
    pixel_counts: ArrayLike,
) -> SeasonInputs:
    """Return the network's inputs from plain arrays, without a regional level: what `season_inputs` and training share.

    Parameters
    ----------
    curve : ndarray, shape (plot, step, channel)
        Smoothed index values, NaN where nothing may be said.
    names : sequence of str
        Index of each channel, lower case.
    gap_days, seen : ndarray, shape (plot, step)
        Days to the nearest look (NaN for none) and weight of evidence, 0 to 1.
    thermal : bool
        Whether the steps are equal in thermal time; else in days.
    progress : array_like, shape () or (plot,)
        Share of the season's days that had passed, 0 to 1.
    pixel_counts : array_like, shape () or (plot,)
        Area in 10 m pixels.
    """
    ordered = _ordered(curve, names)
    known = np.isfinite(ordered[:, :, 0])
    centre, spread = (np.array([getattr(channel, name) for channel in CHANNELS]) for name in ("centre", "spread"))
    values = np.where(np.isfinite(ordered), (ordered - centre) / spread, 0.0)
    gap = np.minimum(np.nan_to_num(gap_days, nan=np.inf) / GAP_SCALE_DAYS, GAP_CLIP)
    side = np.stack([np.nan_to_num(seen) * known, gap, known], axis=2)
    steps = np.concatenate([np.clip(values, -VALUE_CLIP, VALUE_CLIP), side], axis=2).astype(np.float32)
    # The share of mixed pixels falls with the root of the area; the logarithm spans kitchen gardens to large fields.
    pixels = np.clip(np.nan_to_num(np.asarray(pixel_counts, dtype=np.float64), nan=1.0), 1.0, 1e4)
    table = {"thermal": thermal, "progress": progress, "level_known": 0.0, "level_log": 0.0}
    table |= {"pixels_log": np.log10(pixels) - 2.0}
    context = np.zeros((len(steps), len(CONTEXT_INPUTS)), dtype=np.float32)
    for name, column in table.items():
        context[:, CONTEXT_INPUTS.index(name)] = column
    context[:, CONTEXT_INPUTS.index(f"has_{CHANNELS[0].name}") :] = np.isfinite(ordered).any(axis=1)
    return SeasonInputs(steps=steps, context=context)


def progress_of(season: xr.Dataset) -> float:
    """Return the share of the season's days that had passed on its date of knowledge, 0 to 1.

    Parameters
    ----------
    season : Dataset
        With attributes ``start_on``, ``end_on`` and ``as_of``, dates in ISO form.

    Raises
    ------
    InputUnusableError
        ``season_invalid`` if an attribute is missing or no date.
    """
    try:
        start_on, end_on, as_of = (date.fromisoformat(season.attrs[name]) for name in ("start_on", "end_on", "as_of"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputUnusableError("season_invalid", f"season without start_on, end_on and as_of: {error}") from error
    return float(np.clip((as_of - start_on).days / max((end_on - start_on).days, 1), 0.0, 1.0))


def with_level(inputs: SeasonInputs, levels_t_ha: ArrayLike, *, reference_t_ha: float) -> SeasonInputs:
    """Return the inputs with another regional level; NaN means that nothing is known about the region.

    Parameters
    ----------
    inputs : SeasonInputs
    levels_t_ha : array_like, shape (n,) or scalar
        Yield expected in the region, t/ha.
    reference_t_ha : float
        Reference yield of the release, t/ha.
    """
    level = np.broadcast_to(np.asarray(levels_t_ha, dtype=np.float64), (len(inputs),))
    known = np.isfinite(level) & (level > 0)
    context = inputs.context.copy()
    context[:, CONTEXT_INPUTS.index("level_known")] = known
    ratio = np.divide(level, reference_t_ha, out=np.ones(len(inputs)), where=known)
    context[:, CONTEXT_INPUTS.index("level_log")] = np.log(np.clip(ratio, 0.05, 20.0))
    return SeasonInputs(steps=inputs.steps, context=context)


def channels_missing(inputs: SeasonInputs, missing: NDArray[np.bool_]) -> SeasonInputs:
    """Return the inputs as if some index curves had never been observed.

    Parameters
    ----------
    inputs : SeasonInputs
    missing : ndarray of bool, shape (n, len(CHANNELS))
        True where a curve is to be taken away.
    """
    steps, context = inputs.steps.copy(), inputs.context.copy()
    width = len(CHANNELS)
    steps[:, :, :width] *= ~missing[:, None, :]
    first = CONTEXT_INPUTS.index(f"has_{CHANNELS[0].name}")
    context[:, first : first + width] *= ~missing
    return SeasonInputs(steps=steps, context=context)


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` rows that cover `n` rows in order."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _is_thermal(season: xr.Dataset) -> bool:
    axis = season.attrs.get("axis")
    if axis not in {"thermal", "calendar"}:
        raise InputUnusableError("season_invalid", f"season with axis {axis!r}, expected 'thermal' or 'calendar'")
    return bool(axis == "thermal")


def _ordered(curve: NDArray[np.floating], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the curves in the table's order, (plot, step, channel), NaN where an index was not observed."""
    if REQUIRED_CHANNEL not in names:
        raise InputUnusableError(
            "index_missing", f"no {REQUIRED_CHANNEL.upper()} in the season; found {', '.join(names) or 'none'}"
        )
    ordered = np.full((*curve.shape[:2], len(CHANNELS)), np.nan)
    for place, channel in enumerate(CHANNELS):
        if channel.name in names:
            ordered[:, :, place] = curve[:, :, names.index(channel.name)]
    return ordered
