"""A season and tables of observations whose truth is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.crop import Season

INDICES = ("ndvi", "ndmi")


@pytest.fixture
def season() -> Season:
    return Season(
        harvest_year=2023, start_on=date(2023, 3, 1), end_on=date(2023, 10, 1), harvest_from_on=date(2023, 8, 1)
    )


@pytest.fixture
def observe(season: Season):
    """Return a function that makes a plot's rows from days since season start and NDVI values."""

    def rows(plot_id: str, days, ndvi, *, valid_fraction=1.0, hour: int = 10) -> pd.DataFrame:
        days = np.asarray(days, dtype=float)
        start = pd.Timestamp(season.start_on, tz="UTC") + pd.Timedelta(hours=hour)
        ndvi = np.broadcast_to(np.asarray(ndvi, dtype=float), days.shape)
        return pd.DataFrame(
            {
                "plot_id": plot_id,
                "scene_id": [f"S2A_{day:g}_{hour}" for day in days],
                "acquired_at": (start + pd.to_timedelta(days, unit="D")).astype("datetime64[us, UTC]"),
                "valid_fraction": np.broadcast_to(np.asarray(valid_fraction, dtype=float), days.shape),
                "pixel_count": 40.0 * np.broadcast_to(np.asarray(valid_fraction, dtype=float), days.shape),
                "ndvi": ndvi,
                "ndmi": ndvi - 0.3,
            }
        )

    return rows
