"""A run as the report sees it, made by formula: villages of small plots, a cloudy season, caps and reasons."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from agrocredit.domain.crop import Crop
from agrocredit.report import ReportInputs

AS_OF = date(2026, 6, 10)
FIRST = datetime(2025, 10, 3, 3, 15, tzinfo=UTC)
QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
SENTENCES = {
    "repayment_capacity_binds": "What a poor harvest of your plots could repay sets the limit.",
    "working_capital_need_binds": "The season's costs still to come set the limit.",
    "product_maximum_binds": "The product's ceiling sets the limit.",
    "more_evidence_needed": "The pictures are too clouded to judge the season; we need another look or a visit.",
    "area_mismatch": "The area you stated and the area on the map differ; please let someone measure the plot.",
    "yield_low": "The crop seen this season is too weak to carry a loan under this policy.",
    "below_minimum_ticket": "The limit would be under the smallest loan of this product.",
}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_plots(number: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Rotated rectangles in rows around villages, most under 0.67 ha; every 40th lies on its neighbour."""
    villages = rng.uniform([112.00, 34.90], [112.09, 34.955], size=(max(1, number // 45), 2))
    outlines, areas_m2 = [], []
    for index in range(number):
        village = index % len(villages)
        row, column = divmod(index // len(villages), 7)
        length_m, width_m = rng.uniform(40, 110), rng.uniform(12, 70) * (0.35 if index % 11 == 0 else 1)
        angle = 0.3 + village
        x = column * 95 + rng.uniform(-6, 6) - (60 if index % 40 == 7 else 0)
        y = row * 125 + rng.uniform(-6, 6)
        box = shapely.box(x, y, x + width_m, y + length_m)
        turned = shapely.affinity.rotate(box, np.degrees(angle), origin=(0, 0))
        place = lambda xy, at=villages[village]: xy / [91_287.0, 110_940.0] + at  # noqa: E731
        outlines.append(shapely.transform(turned, place))
        areas_m2.append(length_m * width_m)
    areas = np.array(areas_m2)
    declared = np.where(rng.random(number) < 0.15, areas * rng.uniform(1.2, 1.6, number), np.nan)
    return gpd.GeoDataFrame(
        {
            "id": [f"plot-{index:04d}" for index in range(number)],
            "farmer_id": [f"farmer-{index * 17 // 20:04d}" for index in range(number)],
            "crop": ["winter_wheat" if index % 9 else "maize" for index in range(number)],
            "area_m2": areas,
            "declared_area_m2": declared,
        },
        geometry=outlines,
        crs="EPSG:4326",
    )


def make_observations(plots: gpd.GeoDataFrame, looks: int, rng: np.random.Generator) -> pd.DataFrame:
    """A wheat season: NDVI rises, rests in winter, peaks in May; a cloudy spring; every 12th plot bare."""
    times = [FIRST + timedelta(days=251 * number // max(looks - 1, 1)) for number in range(looks)]
    days = np.array([(time - FIRST).days for time in times], dtype=float)
    season = 0.17 + 0.25 * np.exp(-(((days - 60) / 35) ** 2)) + 0.62 * np.exp(-(((days - 205) / 38) ** 2))
    cloud = rng.random(looks) < 0.38
    cloud[(days > 118) & (days < 156)] = True
    frames = []
    for index, plot_id in enumerate(plots["id"]):
        level = 0.2 + 0.02 * np.sin(days / 30) if index % 12 == 5 else season * rng.uniform(0.75, 1.05)
        shade = cloud | (rng.random(looks) < (0.92 if index % 17 == 3 else 0.1))
        fraction = np.where(shade, np.maximum(rng.uniform(-0.5, 0.4, looks), 0), rng.uniform(0.75, 1.0, looks).round(2))
        value = np.where(fraction >= 0.05, level + rng.normal(0, 0.025, looks), np.nan)
        frames.append(
            pd.DataFrame(
                {
                    "plot_id": plot_id,
                    "scene_id": [f"S2B_T49SFV_{time:%Y%m%d}" for time in times],
                    "acquired_at": pd.to_datetime(times, utc=True),
                    "valid_fraction": fraction,
                    "pixel_count": fraction * plots["area_m2"].iloc[index] / 100,
                    "ndvi": value,
                    "evi": value * 0.8,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def make_estimates(plots: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for index, (plot_id, crop, area_m2) in enumerate(zip(plots["id"], plots["crop"], plots["area_m2"], strict=True)):
        reason = None
        if index % 17 == 3:
            reason = "too_few_clear_observations"
        elif index % 12 == 5:
            reason = "no_crop_seen"
        elif area_m2 < 350:
            reason = "plot_too_small"
        elif index % 61 == 8:
            reason = "out_of_distribution"
        median, spread = rng.normal(5.4, 0.8), rng.uniform(0.4, 0.8)
        quantiles = np.maximum(median + spread * np.array([-1.64, -1.28, -0.67, 0, 0.67, 1.28, 1.64]), 0)
        rows.append(
            {
                "plot_id": plot_id,
                "crop": crop,
                "season": "2026",
                "harvest_year": 2026,
                "as_of": AS_OF,
                "status": "abstained" if reason else "estimated",
                "reason": reason,
                **dict(zip(QUANTILES, [None] * 7 if reason else quantiles, strict=True)),
                "clear_observations": int(rng.integers(2, 6) if reason else rng.integers(9, 18)),
                "release": "henan-2026.1",
                "evidence_sha256": sha(f"evidence {plot_id}"),
            }
        )
    return pd.DataFrame(rows)


def make_decisions(plots: gpd.GeoDataFrame, estimates: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    joined = plots.drop(columns="geometry").merge(estimates[["plot_id", "q10"]], left_on="id", right_on="plot_id")
    rows = []
    for number, (farmer_id, held) in enumerate(joined.groupby("farmer_id")):
        harvest_t = float((held["q10"].astype(float) * held["area_m2"] / 1e4).sum())
        caps = {
            "repayment_capacity": round(harvest_t * 90_000),
            "working_capital_need": round(float(held["area_m2"].sum()) * 36 * rng.uniform(0.8, 1.2)),
            "product_maximum": 300_000,
        }
        binding = min(caps, key=lambda name: caps[name])
        limit = caps[binding] // 5_000 * 5_000
        outcome, reasons = "approved", [f"{binding}_binds"]
        if held["q10"].isna().any():
            outcome, limit, reasons = "referred", 0, ["more_evidence_needed"]
        elif harvest_t / (held["area_m2"].sum() / 1e4) < 3.2:
            outcome, limit, reasons = "declined", 0, ["yield_low"]
        elif limit < 50_000:
            outcome, limit, reasons = "referred", 0, ["below_minimum_ticket"]
        if number % 13 == 4:
            reasons = [*reasons, "area_mismatch"]
        rows.append(
            {
                "farmer_id": farmer_id,
                "season": "2026",
                "as_of": AS_OF,
                "outcome": outcome,
                "limit_minor": limit,
                "currency": "CNY",
                "binding_cap": binding if outcome == "approved" else None,
                "caps": json.dumps(caps),
                "reasons": reasons,
                "due_on": date(2026, 8, 2) + timedelta(days=number % 9) if outcome == "approved" else None,
                "policy": "sample_region",
                "policy_version": "2026-01-01",
                "decision_sha256": sha(f"decision {farmer_id}"),
            }
        )
    return pd.DataFrame(rows)


def make_manifest(observations: pd.DataFrame) -> dict[str, object]:
    scenes = observations[["scene_id", "acquired_at"]].drop_duplicates().sort_values("acquired_at")
    bands = ("blue", "green", "red", "rededge1", "nir", "swir16", "scl")
    return {
        "recipe": sha("recipe"),
        "grids": [{"crs": "EPSG:32649", "resolution_m": 10.0, "height": 900, "width": 1100, "x0": 5e5, "y0": 3.87e6}],
        "scenes": [
            {
                "scene_id": scene_id,
                "acquired_at": time.isoformat(),
                "offset": -0.1,
                "offset_source": "raster extension, agrees with pixels",
                "mask": "scl",
                "nir_asset": "nir",
                "assets": {band: {"sha256": sha(f"{scene_id} {band}")} for band in bands},
            }
            for scene_id, time in zip(scenes["scene_id"], scenes["acquired_at"], strict=True)
        ],
        "refused": [
            {
                "scene_id": "S2A_T49SFV_20260114",
                "asset": "rededge1",
                "code": "asset_unreadable",
                "detail": "file ends after 211,968 of 480,112 bytes",
            }
        ],
        "counts": {"plots": 250, "observations": len(observations), "scenes": len(scenes)},
    }


CROPS = {
    "winter_wheat": Crop(
        name="winter_wheat",
        label="winter wheat",
        aliases=(),
        moisture_basis_percent=13.0,
        base_temperature_c=0.0,
        yield_max_t_ha=18.0,
        calendars=(),
    )
}


def make_run(number: int = 60, *, looks: int = 36, seed: int = 7, **changes: object) -> ReportInputs:
    """Return the inputs of a whole run; `changes` replace single fields."""
    rng = np.random.default_rng(seed)
    plots = make_plots(number, rng)
    observations = make_observations(plots, looks, rng)
    estimates = make_estimates(plots, rng)
    fields = {
        "title": "Sample region, winter wheat 2026",
        "simulated": True,
        "plots": plots,
        "observations": observations,
        "manifest": make_manifest(observations),
        "estimates": estimates,
        "decisions": make_decisions(plots, estimates, rng),
        "sentences": SENTENCES,
        "refused": [
            {"plot_id": "plot-9001", "code": "geometry_invalid", "detail": "ring crosses itself at 112.0413 34.9127"},
            {"plot_id": "plot-9002", "code": "plot_too_small", "detail": "area 61.3 m2, expected 100 m2 or more"},
        ],
        "crops": CROPS,
        "area_unit": "mu",
    }
    return ReportInputs(**{**fields, **changes})


@pytest.fixture(scope="session")
def whole_run():
    return make_run


@pytest.fixture(scope="session")
def run_of_sixty() -> ReportInputs:
    return make_run()
