"""Daily weather as the growth model eats it: complete arrays, one place or one a plot."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from agrocredit.growth.parameters import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyForcing:
    """Weather of D days without gaps; each array has shape (D,) for one place or (N, D) for one a plot."""

    tmean_c: FloatArray
    prec_mm: FloatArray
    radiation_mj_m2: FloatArray
    """Global radiation, MJ/m2/day."""
    et0_mm: FloatArray
    """Reference evapotranspiration, mm/day."""

    def __post_init__(self) -> None:
        shapes = {np.shape(getattr(self, field.name)) for field in fields(self)}
        if len(shapes) != 1 or len(next(iter(shapes))) not in {1, 2}:
            raise InputUnusableError(
                "weather_invalid", f"forcing arrays of shapes {sorted(shapes)}, expected one shape"
            )
        for field in fields(self):
            if not np.all(np.isfinite(getattr(self, field.name))):
                raise InputUnusableError("weather_gap", f"{field.name} has days without a value, expected none")

    @property
    def days(self) -> int:
        """Number of days D."""
        return int(self.tmean_c.shape[-1])


def forcing_from_table(weather: pd.DataFrame) -> DailyForcing:
    """Return a weather table as forcing of shape (D,).

    Parameters
    ----------
    weather : DataFrame
        One row a day in order, columns `tmean_c`, `prec_mm`, `radiation_mj_m2` and `et0_mm`, as
        `agrocredit.weather.complete_weather` returns them.

    Raises
    ------
    InputUnusableError
        ``column_missing`` or ``weather_gap``.
    """
    names = [field.name for field in fields(DailyForcing)]
    missing = [name for name in names if name not in weather.columns]
    if missing:
        raise InputUnusableError(
            "column_missing", f"weather: no column {', '.join(missing)}; found {', '.join(map(str, weather.columns))}"
        )
    return DailyForcing(**{name: weather[name].to_numpy(dtype=np.float64) for name in names})


def stack_forcings(forcings: Sequence[DailyForcing]) -> DailyForcing:
    """Return forcings of single places, each (D,), as one of shape (N, D): plot n grows under forcing n.

    Raises
    ------
    InputUnusableError
        ``weather_invalid`` if there is none or they differ in length.
    """
    if not forcings or len({forcing.days for forcing in forcings}) != 1:
        raise InputUnusableError(
            "weather_invalid", f"{len(forcings)} forcings to stack, expected 1 or more of one length"
        )
    return DailyForcing(
        **{field.name: np.stack([getattr(item, field.name) for item in forcings]) for field in fields(DailyForcing)}
    )
