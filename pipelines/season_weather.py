"""Thermal time of a season out of a station's weather, where it spans what is known of the season."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from agrocredit.weather import thermal_time

if TYPE_CHECKING:
    from datetime import date

    from agrocredit.domain.crop import Season


def season_thermal_time(
    weather: pd.DataFrame | None, season: Season, *, base_c: float, as_of: date
) -> pd.Series | None:
    """Return degree days since the season's start by date, or None where the weather has not all of its known days.

    Parameters
    ----------
    weather : DataFrame or None
        From `agrocredit.weather.read_weather`.
    season : Season
    base_c : float
        Base temperature of the release's thermal axis.
    as_of : date
        Later weather is not used.
    """
    if weather is None:
        return None
    start, end = pd.Timestamp(season.start_on), pd.Timestamp(season.end_on) - pd.Timedelta(days=1)
    until = min(end, pd.Timestamp(as_of))
    known = weather[weather["date"].between(start, until)].set_index("date")
    if known.empty or known.index[0] > start or known.index[-1] < until:
        return None
    return pd.Series(thermal_time(known["tmean_c"].to_numpy(), base_c=base_c), index=known.index)
