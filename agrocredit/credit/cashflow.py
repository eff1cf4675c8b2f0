"""Cash at harvest: draws of what a farmer's crops bring after losses, own use and costs, and the quantile that decides.

Strategy. A line is one farmer's crop: plots of one crop move together, so their weights are added before anything is
drawn, and a farmer with ten thousand plots costs one line. What a draw brings is linear in a line's quantiles, so the
work that does not depend on the farmer is done once a crop and season. Lines of a farmer are added draw by draw in the
order their money comes, and the quantile is taken after each: what is repaid by a date can count only crops sold by
then. Order statistics of sums of rising functions rise with each input, so the laws hold draw by draw. Costs paid
before harvest are not subtracted: the loan pays them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.deciding_draws import line_cash, order_statistics, quantile_index
from agrocredit.credit.draws import counted_levels, harvest_parts, price_scores, regional_scores
from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from agrocredit.credit.lines import Lines
    from agrocredit.credit.terms import CropTerms, PolicyInForce, Simulation

_BLOCK_LINES = 32
"""Lines drawn at once: their draws stay in a core's cache."""


def net_price(
    crop: str,
    *,
    rule: CropTerms,
    simulation: Simulation,
    season: str,
    version: str,
    region: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return what a tonne harvested leaves, (draws,), major units: never below 0, since such a crop is left standing.

    The price is lognormal around its median and correlated with the region's harvest. Losses, own use and the costs of
    harvest go off a tonne harvested. A `region` given, (draws,), stands for the region's own scores.
    """
    season_scores = regional_scores(simulation.draws) if region is None else region
    together = rule.price_correlation
    market = price_scores(crop, season=season, version=version, simulation=simulation)
    scores = together * season_scores + math.sqrt(1.0 - together**2) * market
    price = rule.price * np.exp(rule.price_volatility * scores)
    sold = (1.0 - rule.loss_after_harvest) * (1.0 - rule.own_consumption)
    return np.maximum(price * sold - rule.cost_after_harvest, 0.0)


@lru_cache(maxsize=16)
def _cash_a_tonne(crop: str, rule: CropTerms, simulation: Simulation, season: str, version: str) -> NDArray[np.float64]:
    """Return what a tonne of each step between quantiles leaves in each draw, (levels counted, draws), major units."""
    parts = harvest_parts(crop, season=season, version=version, simulation=simulation)
    parts *= net_price(crop, rule=rule, simulation=simulation, season=season, version=version)
    parts.flags.writeable = False
    return parts


def _cash_a_tonne_of(name: tuple[str, str], terms: PolicyInForce) -> NDArray[np.float64]:
    crop, season = name
    return _cash_a_tonne(crop, terms.crops[crop], terms.simulation, season, terms.version)


def cash_quantiles(lines: Lines, *, terms: PolicyInForce) -> NDArray[np.float64]:
    """Return the alpha quantile of a case's crop cash once each line and those before it are sold, (lines,).

    Parameters
    ----------
    lines : Lines
        At least one.
    terms : PolicyInForce
        Must know each line's crop.

    Returns
    -------
    ndarray of float
        Major units, 0 or more.
    """
    result = np.empty(len(lines.case))
    place = quantile_index(terms.simulation.draws, alpha=terms.repayment.alpha)
    counted = counted_levels(terms.simulation)
    for sold, last in _lines_by_crops_sold(lines).items():
        result[last] = order_statistics(
            [lines.quantiles_t[last - back, :counted] for back in range(len(sold) - 1, -1, -1)],
            [_cash_a_tonne_of(name, terms) for name in sold],
            place=place,
        )
    return result


def _lines_by_crops_sold(lines: Lines) -> dict[tuple[tuple[str, str], ...], NDArray[np.int64]]:
    """Return the lines by the crops and seasons that their case has sold by then, in the order of sale."""
    rank = lines.rank.tolist()
    by_sold: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for line, name in enumerate(lines.names):
        sold = (name,) if not rank[line] else tuple(lines.names[line - rank[line] : line + 1])
        by_sold.setdefault(sold, []).append(line)
    return {sold: np.array(found, dtype=np.int64) for sold, found in by_sold.items()}


def cash_blocks(lines: Lines, *, terms: PolicyInForce) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """Yield blocks of lines, from first to past the last, with draws of the crop cash once each line is sold.

    Parameters
    ----------
    lines : Lines
        At least one.
    terms : PolicyInForce
        Must know each line's crop.

    Yields
    ------
    tuple of int, int, ndarray of float
        The block's lines and, (block, draws), what a case has sold by then, major units; the caller may overwrite it.
    """
    start = 0
    for end in _block_ends(lines.case):
        cash = _lines_cash(lines, start, end, terms)
        rank = lines.rank[start:end]
        for depth in range(1, int(rank.max()) + 1):
            later = np.flatnonzero(rank == depth)
            cash[later] += cash[later - 1]
        yield start, end, cash
        start = end


def _block_ends(case: NDArray[np.int64]) -> list[int]:
    """Return where to cut the lines into blocks of about `_BLOCK_LINES` without cutting a case."""
    last_of_case = np.flatnonzero(np.diff(case, append=-1)) + 1
    ends: list[int] = []
    start = 0
    for end in last_of_case.tolist():
        if end - start >= _BLOCK_LINES or end == len(case):
            ends.append(end)
            start = end
    return ends


def _lines_cash(lines: Lines, start: int, end: int, terms: PolicyInForce) -> NDArray[np.float64]:
    """Return draws of what each line of a block leaves, (block, draws), major units."""
    cash = np.empty((end - start, terms.simulation.draws))
    quantiles_t = lines.quantiles_t[start:end, : counted_levels(terms.simulation)]
    names = lines.names[start:end]
    for name in dict.fromkeys(names):
        of_crop = np.array([other == name for other in names])
        cash[of_crop] = line_cash(quantiles_t[of_crop], _cash_a_tonne_of(name, terms))
    return cash


def usual_worth(quantiles_t: NDArray[np.float64], *, crop: CropTerms, terms: PolicyInForce) -> float:
    """Return what a line leaves at its counted yield and the median price, major units: the weight of its bullet."""
    level = min(counted_levels(terms.simulation) - 1, QUANTILE_LEVELS.index(0.5))
    sold = (1.0 - crop.loss_after_harvest) * (1.0 - crop.own_consumption)
    return float(quantiles_t[level]) * max(crop.price * sold - crop.cost_after_harvest, 0.0)
