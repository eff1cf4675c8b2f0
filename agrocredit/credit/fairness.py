"""Fairness: who is approved and how much a hectare, by group, against the group that fares best.

Four numbers a group: its approval rate over the best group's (the adverse impact ratio; four fifths is the usual bench,
29 CFR 1607.4 D), its limit a hectare over the same group's, and the gap among those whose true harvest would have
carried the smallest loan: who deserved a loan and did not get one. A low ratio with no gap says that harvests differ, a
gap says that the estimate does. Groups are compared by nothing that decides: no room reads who a person is.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_BENCH = Path(__file__).with_name("fairness.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class FairnessBench:
    """What groups are judged by."""

    approval_ratio_min: float
    group_farmers_min: int
    """Smaller groups are listed and not judged."""
    size_bands_ha: tuple[float, ...]
    """Where one band of plot size ends and the next begins, rising."""

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise((0, *self.size_bands_ha)))
        if not (0 < self.approval_ratio_min <= 1 and self.group_farmers_min > 0 and self.size_bands_ha and rising):
            raise InputUnusableError("fairness_bench_invalid", f"{self}, expected a share, a count and rising sizes")


@cache
def fairness_bench() -> FairnessBench:
    """Return the bench that ships, ``agrocredit/credit/fairness.toml``."""
    numbers = tomllib.loads(_BENCH.read_text(encoding="utf-8"))
    return FairnessBench(
        approval_ratio_min=numbers["approval_ratio_min"]["value"],
        group_farmers_min=numbers["group_farmers_min"]["value"],
        size_bands_ha=tuple(numbers["size_bands"]["value"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOutcome:
    """How one group fared."""

    group: str
    farmers: int
    approved: int
    approval_rate: float
    approval_ratio: float | None
    """Over the best group's; None for groups that are too small to judge."""
    limit_per_ha: float | None
    """Mean over the hectares of the approved, major units; None where nobody is approved."""
    limit_ratio: float | None
    """Over the same group's."""
    qualified: int
    """Farmers whose true harvest would have carried the smallest loan."""
    qualified_rate: float | None
    """Share of them that was approved."""
    qualified_gap: float | None
    """The best group's share less this one's."""

    @property
    def holds(self) -> bool:
        """Return True unless the approval ratio is below the bench."""
        return self.approval_ratio is None or self.approval_ratio >= fairness_bench().approval_ratio_min


def size_bands(area_ha: NDArray[np.float64]) -> list[str]:
    """Return the band of plot size of each farmer.

    >>> size_bands(np.array([0.1, 0.2, 30.0]))
    ['under 0.2 ha', '0.2 to 0.5 ha', '10 ha and more']
    """
    names = band_names()
    return [names[place] for place in np.searchsorted(fairness_bench().size_bands_ha, area_ha, side="right")]


def band_names() -> list[str]:
    """Return the bands of plot size, rising."""
    edges = [f"{edge:g}" for edge in fairness_bench().size_bands_ha]
    between = [f"{low} to {high} ha" for low, high in pairwise(edges)]
    return [f"under {edges[0]} ha", *between, f"{edges[-1]} ha and more"]


def fairness(
    groups: Sequence[str],
    *,
    approved: NDArray[np.bool_],
    limit: NDArray[np.float64],
    area_ha: NDArray[np.float64],
    qualified: NDArray[np.bool_],
) -> list[GroupOutcome]:
    """Return how each group fared, by the groups' names.

    Parameters
    ----------
    groups : sequence of str, (farmers,)
        Of each farmer.
    approved, qualified : ndarray of bool, (farmers,)
        Got a loan; had a harvest that would have carried one.
    limit : ndarray of float, (farmers,)
        Major units, 0 unless approved.
    area_ha : ndarray of float, (farmers,)
    """
    names, of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)

    def total(of_farmers: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.bincount(of, weights=of_farmers, minlength=len(names)).astype(np.float64)

    count, got, deserving = total(np.ones(len(of))), total(approved), total(qualified)
    per_ha = _over(total(limit), total(area_ha * approved))
    reached = _over(total(qualified & approved), deserving)
    rate = _over(got, count)
    judged = count >= fairness_bench().group_farmers_min
    best = int(np.argmax(np.where(judged, rate, -1.0))) if judged.any() else None
    return [
        GroupOutcome(
            group=str(name),
            farmers=int(count[i]),
            approved=int(got[i]),
            approval_rate=float(rate[i]),
            approval_ratio=_ratio(rate, i, best) if judged[i] else None,
            limit_per_ha=_known(per_ha[i]),
            limit_ratio=_ratio(per_ha, i, best) if judged[i] else None,
            qualified=int(deserving[i]),
            qualified_rate=_known(reached[i]),
            qualified_gap=None if best is None or not judged[i] else _known(reached[best] - reached[i]),
        )
        for i, name in enumerate(names)
    ]


def _over(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ratio(values: NDArray[np.float64], i: int, best: int | None) -> float | None:
    if best is None or not values[best] > 0:
        return None
    return _known(values[i] / values[best])
