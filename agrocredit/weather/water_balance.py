"""A soil water bucket under a crop whose coefficient is known (FAO-56 chapter 8)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from agrocredit.domain.errors import InputUnusableError


def water_balance(
    prec_mm: npt.ArrayLike,
    *,
    et0_mm: npt.ArrayLike,
    crop_coefficient: npt.ArrayLike,
    available_water_mm: float,
    depletion_fraction: float = 0.5,
    initial_depletion_mm: float = 0.0,
) -> pd.DataFrame:
    """Return the daily balance of the root zone: what is missing, the stress, the evapotranspiration, the drainage.

    Dr(i) = Dr(i-1) - P + Ks Kc ET0 + drainage, 0 <= Dr <= TAW (FAO-56, eq. 85 to 88, no runoff or capillary rise);
    Ks = (TAW - Dr) / ((1 - p) TAW), at most 1 (eq. 84), of the morning's depletion.

    Parameters
    ----------
    prec_mm, et0_mm : array (D,)
        Rain (and irrigation) and reference evapotranspiration of each day.
    crop_coefficient : float or array (D,)
        Kc.
    available_water_mm : float
        TAW, above 0.
    depletion_fraction : float
        p, at least 0 and under 1.
    initial_depletion_mm : float
        Dr of the evening before.

    Returns
    -------
    DataFrame
        Columns `depletion_mm`, `water_stress` (Ks, 0 to 1), `evapotranspiration_mm`, `drainage_mm`; one row a day.

    Raises
    ------
    InputUnusableError
        ``weather_gap`` for days without a value; ``water_balance_invalid`` for impossible soil numbers.
    """
    rain, demand = np.broadcast_arrays(
        np.asarray(prec_mm, dtype=np.float64), np.asarray(et0_mm, dtype=np.float64) * np.asarray(crop_coefficient)
    )
    if not (np.all(np.isfinite(rain)) and np.all(np.isfinite(demand))):
        raise InputUnusableError("weather_gap", "a day without rain or evapotranspiration, expected none")
    if not (available_water_mm > 0 and 0 <= depletion_fraction < 1 and 0 <= initial_depletion_mm <= available_water_mm):
        raise InputUnusableError(
            "water_balance_invalid",
            f"available water {available_water_mm} mm, depletion fraction {depletion_fraction}, "
            f"initial depletion {initial_depletion_mm} mm; expected above 0, 0 to under 1, within the available water",
        )
    rows, depletion_mm = [], initial_depletion_mm
    for day_rain, day_demand in zip(rain.tolist(), demand.tolist(), strict=True):
        stress = min(1.0, (available_water_mm - depletion_mm) / ((1 - depletion_fraction) * available_water_mm))
        used_mm = min(stress * day_demand, available_water_mm - depletion_mm + day_rain)
        after_mm = depletion_mm - day_rain + used_mm
        depletion_mm = min(max(after_mm, 0.0), available_water_mm)
        rows.append((depletion_mm, stress, used_mm, max(-after_mm, 0.0)))
    return pd.DataFrame(rows, columns=["depletion_mm", "water_stress", "evapotranspiration_mm", "drainage_mm"])
