"""Round numbers that a reader can hold: steps of axes and edges of classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_MULTIPLES = (1.0, 2.0, 5.0, 10.0)


def step_at_least(value: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... (and 0.5, 0.2 ...) that is not below a positive value.

    >>> step_at_least(0.3), step_at_least(70), step_at_least(200)
    (0.5, 100.0, 200.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(multiple * power for multiple in _MULTIPLES if value <= multiple * power * (1 + 1e-12))


def step_at_most(value: float) -> float:
    """Return the largest of 1, 2, 5, 10 ... that is not above a positive value.

    >>> step_at_most(0.3), step_at_most(70), step_at_most(200)
    (0.2, 50.0, 200.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(multiple * power for multiple in reversed(_MULTIPLES) if multiple * power <= value * (1 + 1e-12))


def class_edges(values: Sequence[float], *, classes: int) -> tuple[float, ...]:
    """Return the rising inner edges of at most `classes` classes that hold about as many values each.

    Edges are quantiles rounded to two digits, so that a legend can be read; one huge value therefore cannot push all
    others into one colour.

    Parameters
    ----------
    values : sequence of float
        Any order; values that are not finite are left out.
    classes : int
        Number of classes wanted; fewer come back where values repeat.
    """
    finite = np.sort(np.asarray(values, dtype=float))
    finite = finite[np.isfinite(finite)]
    if finite.size == 0 or finite[0] == finite[-1]:
        return ()
    cuts = np.quantile(finite, np.arange(1, classes) / classes)
    edges = sorted({_two_digits(float(cut)) for cut in cuts})
    return tuple(edge for edge in edges if finite[0] < edge <= finite[-1])


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")


def class_of(value: float, edges: Sequence[float]) -> int:
    """Return the number of the class that holds a value: an edge belongs to the class above it.

    >>> class_of(4.9, (5, 10)), class_of(5, (5, 10)), class_of(99, (5, 10))
    (0, 1, 2)
    """
    return int(np.searchsorted(np.asarray(edges, dtype=float), value, side="right"))
