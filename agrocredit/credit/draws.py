"""Draws of harvests and prices: common random numbers from hashes, so that nothing depends on order, count or chunk.

Strategy. Each source of chance (a region's season, a crop's price, a farmer's luck with a crop) is the same set of
``draws`` normal scores, one a stratum of equal probability (McKay, Beckman and Conover 1979, doi:10.2307/1268522), in
an order that a hash of its name decides. The region's and the price's orders are free shuffles. A farmer's order is
``(multiplier * k + offset) mod draws`` over a shuffled set, two numbers from the hash of (farmer, crop, season,
policy version): no generator, no state, one gather a draw. One-factor copula (Vasicek 2002): ``x = sqrt(rho) * region
+ sqrt(1 - rho) * own``.

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
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from agrocredit.credit.terms import Simulation

_SEPARATOR = "\x1f"


def _hash128(*names: str) -> tuple[int, int]:
    """Return two 64-bit numbers that the names decide, on every machine."""
    digest = hashlib.sha256(_SEPARATOR.join(names).encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


@lru_cache(maxsize=8)
def normal_scores(draws: int) -> NDArray[np.float64]:
    """Return the standard normal quantiles at the middle of each of `draws` equal strata, rising, (draws,)."""
    inverse = NormalDist().inv_cdf
    scores = np.array([inverse((k + 0.5) / draws) for k in range(draws)])
    scores.flags.writeable = False
    return scores


@lru_cache(maxsize=256)
def shuffled_scores(draws: int, *names: str) -> NDArray[np.float64]:
    """Return the normal scores in the order that the hash of the names decides, (draws,).

    The order sorts SplitMix64 numbers (Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195), written out here
    because the streams of a library's generators may change between its versions, and a decision must not.
    """
    seed, _ = _hash128(*names)
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.arange(1, draws + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    scores = normal_scores(draws)[np.argsort(state, kind="stable")]
    scores.flags.writeable = False
    return scores


def regional_scores(draws: int, *, season: str, version: str) -> NDArray[np.float64]:
    """Return the factor that a season's harvests share, (draws,)."""
    return shuffled_scores(draws, "region", season, version)


def price_scores(draws: int, *, crop: str, season: str, version: str) -> NDArray[np.float64]:
    """Return the part of a crop's price that the region's harvest does not explain, (draws,)."""
    return shuffled_scores(draws, "price", crop, season, version)


def own_orders(names: Iterable[tuple[str, str, str]], *, version: str) -> NDArray[np.int64]:
    """Return multiplier and offset of each farmer's order of draws, (lines, 2).

    Parameters
    ----------
    names : iterable of (farmer, crop, season)
        One a line.
    version : str
        Policy version.
    """
    mask = (1 << 31) - 1
    hashes = (_hash128("own", farmer, crop, season, version) for farmer, crop, season in names)
    orders = [((multiplier & mask) | 1, offset & mask) for multiplier, offset in hashes]
    return np.array(orders, dtype=np.int64).reshape(-1, 2)


def own_scores(orders: NDArray[np.int64], *, draws: int, version: str) -> NDArray[np.float64]:
    """Return each line's own scores, (lines, draws): an odd multiplier permutes a power of two."""
    steps = np.arange(draws, dtype=np.int64)
    index = (orders[:, :1] * steps + orders[:, 1:]) & (draws - 1)
    scores: NDArray[np.float64] = shuffled_scores(draws, "luck", version)[index]
    return scores


def counted_levels(simulation: Simulation) -> int:
    """Return how many of the quantiles enter a draw: those up to the level that the policy counts to."""
    return QUANTILE_LEVELS.index(simulation.yield_counted_to) + 1


def harvests_t(
    quantiles_t: NDArray[np.float64],
    *,
    regional: NDArray[np.float64],
    own: NDArray[np.float64],
    simulation: Simulation,
) -> NDArray[np.float64]:
    """Return draws of harvested weight, (lines, draws), in t.

    Parameters
    ----------
    quantiles_t : ndarray of float, (lines, 7)
        Quantiles of the weight that each line's plots bring together, in t; sums over plots of one farmer and crop,
        whose draws move together.
    regional : ndarray of float, (draws,)
    own : ndarray of float, (lines, draws)
        Overwritten.
    simulation : Simulation
        Shares and levels from policy.
    """
    scores = own
    scores *= np.sqrt(1.0 - simulation.regional_share)
    scores += np.sqrt(simulation.regional_share) * regional
    inverse = NormalDist().inv_cdf
    used = counted_levels(simulation)
    knots = [inverse(level) for level in (simulation.yield_zero_level, *QUANTILE_LEVELS[:used])]
    steps_t = np.diff(quantiles_t[:, :used], axis=1, prepend=0.0)
    harvests = np.zeros_like(scores)
    part = np.empty_like(scores)
    for i in range(used):
        width = knots[i + 1] - knots[i]
        np.subtract(scores, knots[i], out=part)
        part *= 1.0 / width
        np.clip(part, 0.0, 1.0, out=part)
        part *= steps_t[:, i, None]
        harvests += part
    return harvests
