"""Smoothing and phenology on 500 French parcels, ten-day composites of which 46 % are missing."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.crop import Season
from agrocredit.features import assemble_arrays, assemble_season, phenology

MISSING = 65535
WINTER_WHEAT, MAIZE = 1101010011, 1101060000
RMSE_AGAINST_LINEAR_MAX = 1.03
"""Measured 1.016: on noisy points a straight line is hard to beat, and the smooth curve must not lose much to it."""


@pytest.fixture(scope="module")
def points(shared) -> pd.DataFrame:
    """Rows of an observations table with the crop's code, one a parcel and composite."""
    path = shared / "yields" / "fr_lpis_points_dekad_2023" / "2023_FRA_LPIS_POLY_110.geoparquet"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    raw = pd.read_parquet(path, columns=["sample_id", "timestamp", "S2-L2A-B04", "S2-L2A-B08", "ewoc_code"])
    red, nir = raw["S2-L2A-B04"].astype(float), raw["S2-L2A-B08"].astype(float)
    seen = (red < MISSING) & (nir < MISSING) & (red + nir > 0)
    table = pd.DataFrame(
        {
            "plot_id": raw["sample_id"],
            "scene_id": raw["timestamp"].dt.strftime("dekad_%Y%m%d"),
            # A composite stands for its ten days; their middle is the best single date.
            "acquired_at": (raw["timestamp"] + pd.Timedelta(days=5)).dt.tz_localize("UTC").dt.as_unit("us"),
            "valid_fraction": seen.astype(float),
            "pixel_count": seen.astype(float),
            "ndvi": ((nir - red) / (nir + red)).where(seen),
            "crop": raw["ewoc_code"],
        }
    )
    assert table["plot_id"].nunique() == 500
    return table


def read_phenology(points: pd.DataFrame, crop: int, season: Season, as_of: date) -> pd.DataFrame:
    rows = points[points["crop"] == crop]
    dataset = assemble_season(
        rows, plot_ids=sorted(rows["plot_id"].unique()), season=season, indices=["ndvi"], as_of=as_of
    )
    return phenology(dataset)


@pytest.fixture
def wheat_season() -> Season:
    return Season(
        harvest_year=2023, start_on=date(2022, 10, 1), end_on=date(2023, 8, 15), harvest_from_on=date(2023, 6, 20)
    )


@pytest.fixture
def maize_season() -> Season:
    return Season(
        harvest_year=2023, start_on=date(2023, 4, 1), end_on=date(2023, 12, 1), harvest_from_on=date(2023, 9, 1)
    )


def test_filling_held_out_composites_is_nearly_as_good_as_a_straight_line_and_never_far_off(points) -> None:
    grid = points.pivot_table(index="plot_id", columns="acquired_at", values="ndvi", dropna=False).sort_index(axis=1)
    truth = grid.to_numpy()
    days = ((grid.columns - grid.columns[0]) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    known = np.isfinite(truth)
    inner = (np.cumsum(known, axis=1) > 1) & (np.cumsum(known[:, ::-1], axis=1)[:, ::-1] > 1)
    held = known & inner & (np.random.default_rng(0).random(truth.shape) < 0.1)
    kept = np.where(held, np.nan, truth)
    filled = assemble_arrays(
        kept[:, :, None], (known & ~held).astype(float), days, step_days=days, length_days=days[-1] + 1
    ).curve[:, :, 0]
    lines = pd.DataFrame(kept, columns=days).interpolate(axis=1, method="index").to_numpy()
    both = held & np.isfinite(lines) & np.isfinite(filled)
    smooth_rmse = float(np.sqrt(np.mean((filled - truth)[both] ** 2)))
    linear_rmse = float(np.sqrt(np.mean((lines - truth)[both] ** 2)))
    assert both.sum() > 1000
    assert both.sum() == held.sum()
    assert smooth_rmse < RMSE_AGAINST_LINEAR_MAX * linear_rmse
    assert abs(float(np.mean((filled - truth)[both]))) < 0.01


def test_winter_wheat_peaks_in_spring_and_is_gone_by_late_july(points, wheat_season) -> None:
    table = read_phenology(points, WINTER_WHEAT, wheat_season, date(2023, 8, 15))
    assert len(table) == 55
    peaks = pd.Timestamp(wheat_season.start_on) + pd.to_timedelta(table["peak_day"], unit="D")
    ends = pd.Timestamp(wheat_season.start_on) + pd.to_timedelta(table["end_day"], unit="D")
    assert pd.Timestamp(2023, 4, 1) < peaks.median() < pd.Timestamp(2023, 5, 31)
    assert pd.Timestamp(2023, 6, 10) < ends.median() < pd.Timestamp(2023, 7, 31)
    assert table["complete"].mean() > 0.8
    assert 0.8 < table["peak"].median() < 1.0


def test_maize_peaks_in_summer_and_starts_after_sowing(points, maize_season) -> None:
    table = read_phenology(points, MAIZE, maize_season, date(2023, 12, 1))
    assert len(table) == 83
    peaks = pd.Timestamp(maize_season.start_on) + pd.to_timedelta(table["peak_day"], unit="D")
    starts = pd.Timestamp(maize_season.start_on) + pd.to_timedelta(table["start_day"], unit="D")
    assert pd.Timestamp(2023, 7, 1) < peaks.median() < pd.Timestamp(2023, 8, 31)
    assert pd.Timestamp(2023, 5, 1) < starts.median() < pd.Timestamp(2023, 6, 30)


def test_in_the_middle_of_the_season_most_wheat_has_no_end_yet(points, wheat_season) -> None:
    table = read_phenology(points, WINTER_WHEAT, wheat_season, date(2023, 5, 15))
    assert table["complete"].mean() < 0.1
    assert table.loc[~table["complete"], "end_day"].isna().all()
    assert table["days_since_clear"].median() < 30
