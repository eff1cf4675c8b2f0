"""Draws of harvests and prices: common random numbers from hashes, the same for every farmer of a crop and season.

Strategy. Chance has three sources: the region's season, a crop's price, and luck with a crop. Each is the same set of
normal scores, one in the middle of each of `draws` strata of equal probability. The region's scores stand in rising
order. Another source's order is decided by a hash of its name, such that each block of regional draws holds one score
of each broad stratum: a Latin hypercube on an orthogonal array (Tang 1993, doi:10.1080/01621459.1993.10476423). They
meet in a one-factor copula (Vasicek 2002): ``x = sqrt(rho) * region + sqrt(1 - rho) * luck``.

The order of luck depends on crop, season and policy version, and not on the farmer: two equal fields get equal limits,
and nobody finds a better one by applying again under another name. Nothing depends on row order, plot count or chunk.

A yield's quantile function is linear between the seven quantiles *on the normal scale*, so the copula's ``x`` is read
off directly. Below q05 it runs in a straight line to 0 at the policy's zero level and never below 0; above the level
that the policy counts to it stays flat. Both ends use one quantile each, so that raising any quantile lowers no draw.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.credit.terms import Simulation

_SEPARATOR = "\x1f"


@lru_cache(maxsize=8)
def regional_scores(draws: int) -> NDArray[np.float64]:
    """Return the standard normal quantiles at the middle of each of `draws` equal strata, rising, (draws,)."""
    inverse = NormalDist().inv_cdf
    scores = np.array([inverse((k + 0.5) / draws) for k in range(draws)])
    scores.flags.writeable = False
    return scores


@lru_cache(maxsize=256)
def named_scores(draws: int, *names: str) -> NDArray[np.float64]:
    """Return `ordered_scores`, kept for sources that many farmers share."""
    return ordered_scores(draws, *names)


def ordered_scores(draws: int, *names: str) -> NDArray[np.float64]:
    """Return the normal scores in the order that the hash of the names decides, (draws,).

    Draws fall into blocks, scores into strata; every pair of block and stratum meets exactly once.

    Parameters
    ----------
    draws : int
        A power of two.
    *names : str
        What the source is: its kind, crop, season, policy version.
    """
    strata = 1 << ((draws.bit_length() - 1) // 2)
    blocks = draws // strata
    numbers = _numbers(2 * draws, *names)
    stratum = np.argsort(numbers[:draws].reshape(blocks, strata), axis=1, kind="stable")
    within = np.argsort(numbers[draws:].reshape(strata, blocks), axis=1, kind="stable")
    rank = stratum * blocks + within[stratum, np.arange(blocks)[:, None]]
    scores: NDArray[np.float64] = regional_scores(draws)[rank.ravel()]
    scores.flags.writeable = False
    return scores


def _numbers(count: int, *names: str) -> NDArray[np.uint64]:
    """Return pseudo-random 64-bit numbers that the names decide, on every machine, (count,).

    SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195), written out because the streams of a library's
    generators may change between its versions, and a decision must not.
    """
    seed = int.from_bytes(hashlib.sha256(_SEPARATOR.join(names).encode()).digest()[:8], "little")
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def counted_levels(simulation: Simulation) -> int:
    """Return how many of the quantiles enter a draw: those up to the level that the policy counts to."""
    return QUANTILE_LEVELS.index(simulation.yield_counted_to) + 1


def harvest_parts(crop: str, *, season: str, version: str, simulation: Simulation) -> NDArray[np.float64]:
    """Return which part of each step between quantiles a draw reaches, 0 to 1, (levels counted, draws).

    A line's harvest is ``sum_i (q_i - q_(i - 1)) * parts_i`` with ``q_0 = 0``: linear in the quantiles, so it serves
    every farmer of the crop.

    Parameters
    ----------
    crop, season, version : str
        Name the source of luck.
    simulation : Simulation
        Shares and levels from policy.
    """
    luck = named_scores(simulation.draws, "luck", crop, season, version)
    region = regional_scores(simulation.draws)
    scores = np.sqrt(simulation.regional_share) * region + np.sqrt(1.0 - simulation.regional_share) * luck
    knots = yield_knots(simulation)
    widths = np.diff(knots)
    parts: NDArray[np.float64] = np.clip((scores - knots[:-1, None]) / widths[:, None], 0.0, 1.0)
    return parts


def yield_knots(simulation: Simulation) -> NDArray[np.float64]:
    """Return the normal scores between which a yield runs straight: that of yield 0, then of the levels counted."""
    inverse = NormalDist().inv_cdf
    levels = (simulation.yield_zero_level, *QUANTILE_LEVELS[: counted_levels(simulation)])
    return np.array([inverse(level) for level in levels])


def price_scores(crop: str, *, season: str, version: str, simulation: Simulation) -> NDArray[np.float64]:
    """Return the part of a crop's price that the region's harvest does not explain, (draws,)."""
    return named_scores(simulation.draws, "price", crop, season, version)
