"""The few inputs that moved an estimate, in the field's words: the plot against the mean of its peers.

One group of inputs at a time (a property of the canopy in a third of the season, the size of the plot, the looks) is
replaced by what its peers of the same region and season show on average, and the plot is estimated again with the rest
as it is. What the median loses by that is what the group moved it by. Nothing is drawn, so the same plots give the same
answer. A mean is taken over no fewer than `PEERS_MIN` plots, so that it shows no neighbour.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.inputs import CHANNELS, CONTEXT_INPUTS, STEP_INPUTS, STEPS, SeasonInputs, season_inputs
from agrocredit.yields.prediction import estimate_quantiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import xarray as xr
    from numpy.typing import NDArray

    from agrocredit.yields.credibility import AreaOutlook
    from agrocredit.yields.prediction import PlotFacts
    from agrocredit.yields.release import Release

PEERS_MIN: Final = 10
"""Fewer plots are no peers to compare with: their mean would tell of single neighbours."""

INFLUENCES_MAX: Final = 3
MOVED_MIN_SHARE: Final = 0.01
"""What moves an estimate by less than this share of it is not worth a farmer's time."""

PARTS: Final = ("early in the season", "in mid-season", "late in the season")
"""Thirds of the season's steps."""

PROPERTIES: Final = {
    "greenness": ("ndvi", "evi", "gndvi", "savi"),
    "water in the canopy": ("ndmi",),
    "leaf colour": ("ndrei",),
}
"""What the index curves tell of, in the field's words."""

_MEDIAN = QUANTILE_LEVELS.index(0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """One thing that moved an estimate."""

    what: str
    """In words: ``greenness late in the season``."""
    side: Literal["higher", "lower"]
    """Than what it is compared with."""
    compared_with: Literal["peers", "normal"]
    """The mean of its peers of the season, or what is normal for the area itself."""
    moved_t_ha: float
    """Median as it is minus the median with what it is compared with in its place, t/ha."""


def explain(
    season: xr.Dataset, *, release: Release, plots: PlotFacts, regions: Sequence[str | None]
) -> list[tuple[Influence, ...]]:
    """Return for every plot of a season what moved its estimate most, strongest first; nothing without peers.

    Parameters
    ----------
    season : Dataset
        As for `agrocredit.yields.predict`.
    release : Release
    plots : PlotFacts
    regions : sequence of str or None
        Region of each plot; plots of one region are peers, and all plots are where a region has too few.

    Raises
    ------
    WrongUsageError
        ``plots_invalid`` if there are not as many regions as plots.
    """
    n = int(season.sizes["plot"])
    if not n == len(regions) == len(plots.area_m2):
        raise WrongUsageError("plots_invalid", f"season of {n} plots with {len(regions)} regions, expected one each")
    if n < PEERS_MIN:
        return [()] * n
    inputs = season_inputs(
        season,
        pixel_counts=plots.area_m2 / 100.0,
        levels_t_ha=[np.nan if one is None else one.expected_t_ha for one in plots.outlooks],
        reference_t_ha=release.facts.reference_t_ha,
    )
    peers = _peer_means(inputs, regions)
    median = _medians(inputs, release, plots.outlooks)
    found: list[list[Influence]] = [[] for _ in range(n)]
    for what, replaced, higher in _swapped(inputs, peers):
        moved = median - _medians(replaced, release, plots.outlooks)
        for row in np.flatnonzero(np.abs(moved) >= MOVED_MIN_SHARE * median):
            side: Literal["higher", "lower"] = "higher" if higher[row] else "lower"
            shift = round(float(moved[row]), 3)
            found[row].append(Influence(what=what, side=side, compared_with="peers", moved_t_ha=shift))
    return [strongest(one) for one in found]


def strongest(influences: Sequence[Influence]) -> tuple[Influence, ...]:
    """Return the few that moved an estimate most, in one order whatever they came in.

    Parameters
    ----------
    influences : sequence of Influence
        Of one estimate.
    """
    ordered = sorted(influences, key=lambda one: (-abs(one.moved_t_ha), one.what))
    return tuple(ordered[:INFLUENCES_MAX])


def _medians(inputs: SeasonInputs, release: Release, outlooks: Sequence[AreaOutlook | None]) -> NDArray[np.float64]:
    return estimate_quantiles(inputs, release=release, outlooks=outlooks)[:, _MEDIAN]


def _peer_means(inputs: SeasonInputs, regions: Sequence[str | None]) -> SeasonInputs:
    """Return for every plot the mean inputs of its peers, itself among them; index values over known steps alone."""
    many = {region for region, count in Counter(regions).items() if count >= PEERS_MIN}
    place = np.array([region if region in many else None for region in regions], dtype=object)
    steps, context = np.empty_like(inputs.steps), np.empty_like(inputs.context)
    known = inputs.steps[:, :, STEP_INPUTS.index("known")] > 0.5
    for region in dict.fromkeys(place):
        own = place == region
        among = own if region is not None else np.ones(len(place), dtype=bool)
        seen = np.maximum(known[among].sum(axis=0), 1)[:, None]
        values = inputs.steps[among].copy()
        values[:, :, : len(CHANNELS)] *= known[among][:, :, None]
        mean = values.mean(axis=0)
        mean[:, : len(CHANNELS)] = values[:, :, : len(CHANNELS)].sum(axis=0) / seen
        steps[own], context[own] = mean, inputs.context[among].mean(axis=0)
    return SeasonInputs(steps=steps, context=context)


def _swapped(inputs: SeasonInputs, peers: SeasonInputs) -> Iterator[tuple[str, SeasonInputs, NDArray[np.bool_]]]:
    """Yield each group's name, the inputs with the peers' mean in its place, and where the plot's own is higher."""
    names = [channel.name for channel in CHANNELS]
    known = inputs.steps[:, :, STEP_INPUTS.index("known")] > 0.5
    third = STEPS // len(PARTS)
    for part, word in enumerate(PARTS):
        when = slice(part * third, (part + 1) * third)
        for what, channels in PROPERTIES.items():
            columns = [names.index(channel) for channel in channels]
            steps = inputs.steps.copy()
            observed = [inputs.context[:, CONTEXT_INPUTS.index(f"has_{channel}")] > 0.5 for channel in channels]
            away = np.zeros(len(inputs))
            for column, has in zip(columns, observed, strict=True):
                swap = known[:, when] & has[:, None]
                own, theirs = inputs.steps[:, when, column], peers.steps[:, when, column]
                steps[:, when, column] = np.where(swap, theirs, own)
                away += np.where(swap, own - theirs, 0.0).sum(axis=1)
            yield f"{what} {word}", SeasonInputs(steps=steps, context=inputs.context), away > 0
    yield _looks_swapped(inputs, peers)
    size = CONTEXT_INPUTS.index("pixels_log")
    context = inputs.context.copy()
    context[:, size] = peers.context[:, size]
    larger = inputs.context[:, size] > peers.context[:, size]
    yield "size of the plot", SeasonInputs(steps=inputs.steps, context=context), larger


def _looks_swapped(inputs: SeasonInputs, peers: SeasonInputs) -> tuple[str, SeasonInputs, NDArray[np.bool_]]:
    steps = inputs.steps.copy()
    seen, gap = STEP_INPUTS.index("seen"), STEP_INPUTS.index("gap")
    for column in (seen, gap):
        steps[:, :, column] = peers.steps[:, :, column]
    more = inputs.steps[:, :, seen].sum(axis=1) > peers.steps[:, :, seen].sum(axis=1)
    return "how often it was seen", SeasonInputs(steps=steps, context=inputs.context), more
