"""Effective area: the square metres that count towards a limit, and the flag where declared and drawn area disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def effective_area_m2(
    area_m2: NDArray[np.float64],
    *,
    declared_area_m2: NDArray[np.float64],
    tenure_share: NDArray[np.float64],
    cropped_fraction_low: float,
    documented_area_m2: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return ``tenure_share * min(declared, drawn, documented) * cropped_fraction_low``, m2.

    The smallest area counts, so neither drawing large nor declaring large pays. Tenure enters here once, as the
    farmer's share of the plot's income, and nowhere else.

    Parameters
    ----------
    area_m2 : ndarray of float, (rows,)
        Geodesic area of the drawn plot.
    declared_area_m2, documented_area_m2 : ndarray of float, (rows,)
        NaN where nothing was declared, or no document states an area: the others then count alone.
    tenure_share : ndarray of float, (rows,)
        Above 0 to 1.
    cropped_fraction_low : float
        Lower quantile of the share of a plot that bears the crop, 0 to 1.
    """
    least_m2 = np.fmin(area_m2, declared_area_m2)
    if documented_area_m2 is not None:
        least_m2 = np.fmin(least_m2, documented_area_m2)
    return tenure_share * least_m2 * cropped_fraction_low


def declared_differs(
    area_m2: NDArray[np.float64], *, declared_area_m2: NDArray[np.float64], tolerance: float
) -> NDArray[np.bool_]:
    """Return True where ``|declared / drawn - 1|`` is over the tolerance: a person verifies, nobody is declined.

    Parameters
    ----------
    area_m2, declared_area_m2 : ndarray of float, (rows,)
        As in `effective_area_m2`; nothing declared differs from nothing.
    tolerance : float
        Share, from policy.
    """
    with np.errstate(invalid="ignore"):
        return np.abs(declared_area_m2 / area_m2 - 1.0) > tolerance
