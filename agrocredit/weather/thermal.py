"""Thermal time: the warmth a plant has felt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agrocredit.domain.errors import InputUnusableError


def thermal_time(tmean_c: npt.ArrayLike, *, base_c: float, upper_c: float | None = None) -> npt.NDArray[np.float64]:
    """Return cumulative degree days along the last axis, degrees C day.

    A day adds min(T, upper) - base where that is above 0 (McMaster and Wilhelm 1997, method 1 on daily means,
    doi:10.1016/S0168-1923(97)00027-0).

    Parameters
    ----------
    tmean_c : array (..., D)
        Daily mean temperature without gaps.
    base_c, upper_c : float
        Development stops at and below the base; more than the upper limit does not hasten it.

    Raises
    ------
    InputUnusableError
        ``weather_gap`` if a day has no temperature; ``weather_invalid`` if the limits are not in order.

    Examples
    --------
    >>> thermal_time([-3.0, 4.0, 40.0], base_c=0.0, upper_c=30.0)
    array([ 0.,  4., 34.])
    """
    temperature_c = np.asarray(tmean_c, dtype=np.float64)
    if not np.all(np.isfinite(temperature_c)):
        raise InputUnusableError("weather_gap", "a day without mean temperature, expected none")
    if upper_c is not None and upper_c <= base_c:
        raise InputUnusableError("weather_invalid", f"upper limit {upper_c} C, expected above the base of {base_c} C")
    capped_c = temperature_c if upper_c is None else np.minimum(temperature_c, upper_c)
    return np.cumsum(np.maximum(capped_c - base_c, 0.0), axis=-1)
