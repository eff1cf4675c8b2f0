"""The quantile of what farms bring, over the draws that can decide it: the others need not be computed.

Strategy. Farms that grow the same crops are put into blocks by the shape of their yields, so that those of a block are
alike. Scaled to medians that add up to 1, each farm of a block lies between two: one with the lowest quantiles of the
block and one with the highest. No draw brings a farm less than the first nor more than the second, since what a draw
brings rises with each quantile. A draw that brings even the highest less than the lowest's own order statistic stands
before that of every farm of the block, and one that brings even the lowest more than the highest's stands after it.
Both are left out, and the place is counted among the rest. Bounds are compared with a margin that no rounding reaches,
so the number found is the same to the last bit as over all draws.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Arrays = Sequence[NDArray[np.float64]]

_BLOCK_FARMS = 64
"""At most; blocks are halved until they are no larger."""
_BLOCKS_AT_ONCE = 16
"""Draws of so many bounds stay in a core's cache."""
_FARMS_TO_BOUND = 8
"""Bounds cost as much as two farms."""
_MARGIN = 1e-9
"""Sums of products of numbers that are not negative are rounded by a part in 10^14 at most."""
_SCALE_MIN_T = 1e-200
"""Of smaller harvests products may be subnormal, whose rounding is not relative: all their draws are computed."""


def quantile_index(draws: int, *, alpha: float) -> int:
    """Return the place of the alpha quantile among rising draws: the smallest with alpha of all at or below it.

    >>> quantile_index(2048, alpha=0.15)
    307
    """
    return max(math.ceil(alpha * draws) - 1, 0)


def line_cash(quantiles_t: NDArray[np.float64], a_tonne: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return draws of what each line of one crop leaves, (lines, draws), major units.

    Products are summed one by one: a matrix product may round differently for one line and for many.

    Parameters
    ----------
    quantiles_t : ndarray of float, (lines, levels)
        Rising, 0 or more.
    a_tonne : ndarray of float, (levels, draws)
        What a tonne of each step between quantiles leaves in each draw: 0 or more, falling from step to step.
    """
    steps_t = np.diff(quantiles_t, axis=1, prepend=0.0)
    cash: NDArray[np.float64] = np.multiply(steps_t[:, 0, None], a_tonne[0])
    part = np.empty_like(cash)
    for level in range(1, len(a_tonne)):
        np.multiply(steps_t[:, level, None], a_tonne[level], out=part)
        cash += part
    return cash


def order_statistics(quantiles_t: Arrays, a_tonne: Arrays, *, place: int) -> NDArray[np.float64]:
    """Return what each farm's crops leave together in the draw at a place among its rising draws, (farms,).

    Parameters
    ----------
    quantiles_t : sequence of ndarray of float, (farms, levels)
        A crop each, in the order in which they are added; see `line_cash`.
    a_tonne : sequence of ndarray of float, (levels, draws)
        A crop each.
    place : int
        From 0, among all draws.
    """
    scale_t = np.sum([quantiles[:, -1] for quantiles in quantiles_t], axis=0)
    found = np.zeros(len(scale_t))  # no harvest brings nothing in any draw
    bounded = (scale_t >= _SCALE_MIN_T) & (len(scale_t) >= _FARMS_TO_BOUND)
    plain = (scale_t > 0.0) & ~bounded
    if plain.any():
        found[plain] = _at(place, [quantiles[plain] for quantiles in quantiles_t], a_tonne)
    farms = np.flatnonzero(bounded)
    shapes = [quantiles[farms] / scale_t[farms, None] for quantiles in quantiles_t]
    blocks = _alike(np.concatenate(shapes, axis=1), np.arange(len(farms))) if len(farms) else []
    for first in range(0, len(blocks), _BLOCKS_AT_ONCE):
        some = blocks[first : first + _BLOCKS_AT_ONCE]
        rows = np.concatenate(some)
        found[farms[rows]] = _in_blocks(
            [len(block) for block in some],
            [shape[rows] for shape in shapes],
            [quantiles[farms[rows]] for quantiles in quantiles_t],
            a_tonne,
            place=place,
        )
    return found


def _alike(shapes: NDArray[np.float64], farms: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return farms in blocks of similar shapes: halved along their widest quantile until they are few."""
    if len(farms) <= _BLOCK_FARMS:
        return [farms]
    widest = int(np.argmax(np.ptp(shapes[farms], axis=0)))
    half = len(farms) // 2
    order = np.argpartition(shapes[farms, widest], half)
    return [*_alike(shapes, farms[order[:half]]), *_alike(shapes, farms[order[half:]])]


def _in_blocks(
    sizes: list[int], shapes: Arrays, quantiles_t: Arrays, a_tonne: Arrays, *, place: int
) -> NDArray[np.float64]:
    """Return the order statistic of farms that stand block after block, (farms,)."""
    starts = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
    lowest = _cash([np.minimum.reduceat(shape, starts, axis=0) for shape in shapes], a_tonne)
    highest = _cash([np.maximum.reduceat(shape, starts, axis=0) for shape in shapes], a_tonne)
    before = highest * (1.0 + _MARGIN) < np.partition(lowest, place, axis=1)[:, place, None]
    after = lowest > np.partition(highest, place, axis=1)[:, place, None] * (1.0 + _MARGIN)
    found = np.empty(sum(sizes))
    for start, size, stand_before, left in zip(starts, sizes, before.sum(axis=1), ~(before | after), strict=True):
        block, draws = slice(start, start + size), np.flatnonzero(left)
        found[block] = _at(
            place - int(stand_before),
            [quantiles[block] for quantiles in quantiles_t],
            [array[:, draws] for array in a_tonne],
        )
    return found


def _at(place: int, quantiles_t: Arrays, a_tonne: Arrays) -> NDArray[np.float64]:
    cash = _cash(quantiles_t, a_tonne)
    cash.partition(place, axis=1)
    return cash[:, place]


def _cash(quantiles_t: Arrays, a_tonne: Arrays) -> NDArray[np.float64]:
    """Return draws of what farms' crops leave together, (farms, draws)."""
    cash, *others = (line_cash(quantiles, array) for quantiles, array in zip(quantiles_t, a_tonne, strict=True))
    for other in others:
        cash += other
    return cash
