"""Small seasons from a formula: a bell of greenness whose height is the yield, so that truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import torch
import xarray as xr

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.abstention import AbstentionConfig
from agrocredit.yields.calibration import Calibration
from agrocredit.yields.credibility import CredibilityConfig
from agrocredit.yields.descriptors import describe, fit_range
from agrocredit.yields.inputs import CHANNELS, STEPS, season_inputs
from agrocredit.yields.network import NetworkConfig, YieldNetwork
from agrocredit.yields.release import Release, ReleaseFacts

CREDIBILITY = CredibilityConfig(w_max=0.5, within_region_cv=0.2, within_region_cv_source="for tests")
ABSTENTION = AbstentionConfig(
    pixels_min=4.0,
    clear_observations_min=4,
    ndvi_peak_min=0.35,
    ndvi_amplitude_min=0.2,
    crop_checked_from_share=0.8,
    crop_seen_steps_min=18,
    out_of_range_share=0.01,
    latitude_abs_min_deg=25.0,
    latitude_abs_max_deg=55.0,
)


def bell_season(peaks, *, as_of=date(2022, 9, 1), axis="calendar", channels=None, positions=None, low=0.15):
    """A season whose NDVI is a bell of these heights over `low`; the other indices follow it."""
    peaks = np.asarray(peaks, dtype=float)
    names = [channel.name for channel in CHANNELS] if channels is None else channels
    positions = np.full(peaks.size, 0.6) if positions is None else np.asarray(positions)
    step = (np.arange(STEPS) + 0.5) / STEPS
    ndvi = low + (peaks[:, None] - low) * np.exp(-(((step - positions[:, None]) / 0.15) ** 2))
    known = step <= (as_of - date(2021, 9, 1)).days / 365
    curve = np.stack([ndvi * (1 - 0.1 * place) for place in range(len(names))], axis=2)
    curve[:, ~known, :] = np.nan
    n = peaks.size
    return xr.Dataset(
        {
            "curve": (("plot", "step", "channel"), curve.astype(np.float32)),
            "gap_days": (("plot", "step"), np.full((n, STEPS), 3.0, dtype=np.float32)),
            "seen": (("plot", "step"), np.full((n, STEPS), 0.8, dtype=np.float32)),
            "observations": ("plot", np.full(n, 40)),
            "clear_observations": ("plot", np.full(n, 20)),
        },
        coords={"plot": [f"p{k:05d}" for k in range(n)], "channel": names},
        attrs={
            "axis": axis,
            "start_on": "2021-09-01",
            "end_on": "2022-09-01",
            "as_of": as_of.isoformat(),
        },
    )


def training_seasons(n=400, seed=3):
    """Seasons as varied as a range of training needs."""
    rng = np.random.default_rng(seed)
    season = bell_season(rng.uniform(0.4, 0.95, n), positions=rng.uniform(0.45, 0.7, n))
    season["curve"] = season["curve"] + 0.02 * rng.standard_normal(season["curve"].shape).astype(np.float32)
    return season


@pytest.fixture(scope="session")
def release():
    """A whole release with random weights: everything but knowledge is real."""
    torch.manual_seed(5)
    network = YieldNetwork(NetworkConfig(width=8, hidden=16)).eval()
    inputs = season_inputs(training_seasons(), pixel_counts=60.0, levels_t_ha=np.nan, reference_t_ha=4.0)
    facts = ReleaseFacts(
        name="tiny",
        crop="winter_wheat",
        code_version="0",
        reference_t_ha=4.0,
        base_temperature_c=0.0,
        thermal_total_c_day=4000.0,
        indices=tuple(channel.name for channel in CHANNELS),
        network=NetworkConfig(width=8, hidden=16),
        abstention=ABSTENTION,
        credibility=CREDIBILITY,
    )
    known = replace(fit_range(describe(inputs), refused_share=0.01))
    calibration = Calibration(
        shifts={"pooled": (-0.1, -0.05, 0.0, 0.0, 0.0, 0.05, 0.1)}, rows={"pooled": 100}, years=(2014,)
    )
    assert len(QUANTILE_LEVELS) == 7
    return Release(facts=facts, network=network, calibration=calibration, known=known, sha256="0" * 64)
