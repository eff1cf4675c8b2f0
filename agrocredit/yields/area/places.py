"""Whether an area of a region that a release has never met is like those it learnt from, in climate and in level.

What rain in May is worth was learnt in some climates and at some levels of yield. Elsewhere a folder may bring harvests
and weather of its own and still not be answered: the response need not hold there, and nothing would show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields.area.history import AreaHistory
    from agrocredit.yields.area.normals import Normals

_RIDGE: Final = 1e-3
"""Of the variances: sums of rain follow its months so closely that their small residual would judge a place alone."""


def climate_distance(places: NDArray[np.floating], known: Normals) -> NDArray[np.float64]:
    """Return the squared Mahalanobis distance (n,) of places' normals from those of known areas; inf where unknown.

    Parameters
    ----------
    places : ndarray, shape (n, k)
        Normal features of each place; NaN where the climate is not known.
    known : Normals
        Of the areas that the release learnt from.
    """
    climates = known.mean.astype(np.float64) / known.scale
    covariance = np.atleast_2d(np.cov(climates, rowvar=False))
    covariance += np.diag(_RIDGE * np.diag(covariance) + 1e-9)
    away = places.astype(np.float64) / known.scale - climates.mean(axis=0)
    whole = np.isfinite(away).all(axis=1)
    found = np.full(len(places), np.inf)
    found[whole] = np.einsum("ij,ij->i", away[whole], np.linalg.solve(covariance, away[whole].T).T)
    return found


def inside_levels(levels_t_ha: NDArray[np.float64], history: AreaHistory) -> NDArray[np.bool_]:
    """Return whether levels (n,) lie between those of the areas learnt from: their lowest and highest mean yield.

    Parameters
    ----------
    levels_t_ha : ndarray, shape (n,)
    history : AreaHistory
        Of the release.
    """
    _, place = np.unique(history.units.astype(str), return_inverse=True)
    means = np.bincount(place, history.yields_t_ha) / np.bincount(place)
    return np.asarray((levels_t_ha >= means.min()) & (levels_t_ha <= means.max()))
