"""What a release said of labelled rows, what its baselines said of them, and what it said month by month."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.estimate import QUANTILE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

SIZE_BANDS_HA: Final = (0.1, 0.5, 2.0)
"""Edges of the bands of plot size: a kitchen garden, a small plot, what is usually called smallholding, larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRows:
    """Labels with what was said of them."""

    rows: pd.DataFrame
    """``unit, region, crop, harvest_year, yield_t_ha, area_m2``, the seven quantiles, and ``reason`` where none."""
    baselines: Mapping[str, Doubles]
    """Quantiles (rows, 7) by baseline, NaN where it has no answer."""
    by_month: Mapping[str, Doubles]
    """Quantiles (rows, 7) as known at the end of a month ``01`` to ``12``, in the order of the season."""

    @property
    def truth(self) -> Doubles:
        """Measured yields, t/ha."""
        truth: Doubles = self.rows["yield_t_ha"].to_numpy(np.float64)
        return truth

    @property
    def quantiles(self) -> Doubles:
        """The release's estimates (rows, 7), t/ha; NaN where it abstained."""
        quantiles: Doubles = self.rows[list(QUANTILE_COLUMNS)].to_numpy(np.float64)
        return quantiles

    def figures(self) -> dict[str, object]:
        """Return all scores: of the release, by group, of the baselines on the rows it answered, and by month."""
        from agrocredit.yields import score, score_by

        truth, quantiles = self.truth, self.quantiles
        answered = np.isfinite(quantiles).all(axis=1)
        groups = {"year": "harvest_year", "region": "region", "crop": "crop"}
        reasons = self.rows["reason"].value_counts().sort_index()
        return {
            **score(truth, quantiles),
            **{
                f"by_{name}": score_by(self.rows[column].to_numpy(), truth, quantiles)
                for name, column in groups.items()
            },
            "by_size": self._by_size(),
            "by_month": {month: score(truth[answered], known[answered]) for month, known in self.by_month.items()},
            "baselines": {name: score(truth[answered], said[answered]) for name, said in self.baselines.items()},
            "abstained_because": {str(reason): int(n) for reason, n in reasons.items()},
        }

    def _by_size(self) -> dict[str, object]:
        """Return the scores of plots whose area is known, small ones first."""
        from agrocredit.yields import score_by

        sized = self.rows["area_m2"].notna().to_numpy()
        area_m2 = self.rows.loc[sized, "area_m2"].to_numpy(np.float64)
        scores = score_by(size_bands(area_m2), self.truth[sized], self.quantiles[sized])
        return {band: scores[band] for band in dict.fromkeys(size_bands(np.sort(area_m2)).tolist())}


def size_bands(area_m2: Doubles) -> NDArray[np.object_]:
    """Return the band of every area, by its edges in hectares.

    Parameters
    ----------
    area_m2 : ndarray, shape (n,)
    """
    edges = [f"{edge:g}" for edge in SIZE_BANDS_HA]
    between = [f"{low} to {high} ha" for low, high in pairwise(edges)]
    names = np.array([f"under {edges[0]} ha", *between, f"{edges[-1]} ha and more"], dtype=object)
    banded: NDArray[np.object_] = names[np.digitize(area_m2 / 1e4, SIZE_BANDS_HA)]
    return banded
