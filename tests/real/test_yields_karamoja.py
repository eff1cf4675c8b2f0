"""Maize plots of Karamoja, Uganda, 2017: the released model on real monthly curves beside yields cut in the field.

So few plots prove little. What can be tested is that the whole path runs on them and stays honest; the rank correlation
is computed and printed with its interval, and the test states how large it would have to be to mean anything.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import stats

from agrocredit.domain.crop_facts import load_crops
from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.domain.plot import geodesic_area_perimeter
from agrocredit.features import assemble_season
from agrocredit.indices import evaluate as index_of
from agrocredit.indices import load_indices
from agrocredit.store.bundled import data_path, models_path
from agrocredit.yields import PlotFacts, predict
from pipelines.evaluate import evaluate
from pipelines.releases import named_release

RELEASE = "maize-simulated-1"
MISSING = 65535
BANDS = {
    "blue": "OPTICAL-B02-ts{}-10m",
    "green": "OPTICAL-B03-ts{}-10m",
    "red": "OPTICAL-B04-ts{}-10m",
    "nir": "OPTICAL-B08-ts{}-10m",
    "rededge1": "OPTICAL-B05-ts{}-20m",
    "swir16": "OPTICAL-B11-ts{}-20m",
}


@pytest.fixture(scope="module")
def plots(shared):
    """The maize plots that have a series: measured yield, area and place."""
    folder = shared / "yields" / "ug_karamoja_2017"
    if not folder.is_dir():
        pytest.skip("no Karamoja data")
    table = pd.read_parquet(folder / "plots_s2_monthly.parquet")
    features = json.loads((folder / "plots_yield.geojson").read_text())["features"]
    geometries = {f["properties"]["plot_id"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in features}
    maize = table[table["crop1"] == "maize"].sort_values("plot_id", ignore_index=True)
    return maize.assign(area_m2=[geodesic_area_perimeter(geometries[plot])[0] for plot in maize["plot_id"]])


@pytest.fixture(scope="module")
def observations(plots):
    """Twelve monthly composites, December 2016 to November 2017, each dated in the middle of its month."""
    definitions = load_indices()
    parts = []
    for month in range(12):
        counts = {band: plots[name.format(month)].to_numpy(float) for band, name in BANDS.items()}
        seen = np.all([count != MISSING for count in counts.values()], axis=0)
        bands = {band: np.where(seen, count / 10_000, np.nan) for band, count in counts.items()}
        middle = pd.Timestamp("2016-12-15", tz="UTC") + pd.DateOffset(months=month)
        parts.append(
            pd.DataFrame(
                {
                    "plot_id": plots["plot_id"],
                    "scene_id": middle.strftime("%Y-%m"),
                    "acquired_at": middle,
                    "valid_fraction": seen.astype(float),
                    "pixel_count": np.where(seen, plots["area_m2"] / 100, 0.0),
                    **{definition.column: index_of(definition, bands) for definition in definitions},
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def estimates(plots, observations):
    release = named_release(RELEASE)
    season = load_crops(data_path("facts", "crops.toml"))["maize"].season(2017, latitude_deg=float(plots["lat"].mean()))
    assembled = assemble_season(
        observations,
        plot_ids=plots["plot_id"].tolist(),
        season=season,
        indices=release.facts.indices,
        as_of=date(2017, 12, 1),
    )
    facts = PlotFacts(
        area_m2=plots["area_m2"].to_numpy(),
        latitude_deg=plots["lat"].to_numpy(),
        outlooks=[None] * len(plots),
        evidence=plots["plot_id"].tolist(),
    )
    # The release as it ships refuses these latitudes, and rightly; here it is asked all the same.
    shipped = predict(assembled, release=release, plots=facts, harvest_year=2017).to_pandas()
    assert set(shipped["reason"]) <= {"out_of_distribution", "plot_too_small", "too_few_clear_observations"}
    anywhere = replace(release.facts, abstention=replace(release.facts.abstention, latitude_abs_min_deg=0.0))
    asked = replace(release, facts=anywhere)
    return predict(assembled, release=asked, plots=facts, harvest_year=2017).to_pandas()


def test_every_plot_is_answered_honestly_or_abstains_with_a_reason(plots, estimates):
    assert estimates["plot_id"].tolist() == plots["plot_id"].tolist()
    answered = estimates["reason"].isna()
    sys.stdout.write(f"\nabstained: {estimates.loc[~answered, 'reason'].value_counts().to_dict()}\n")
    quantiles = estimates.loc[answered, list(QUANTILE_COLUMNS)].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()
    assert quantiles.max() < 15
    assert estimates.loc[~answered, "q50"].isna().all()
    # Nine monthly looks and no history: an interval narrower than half a tonne would be a boast.
    assert (quantiles[:, 6] - quantiles[:, 0] > 0.5).all()


def test_the_rank_correlation_is_reported_with_what_so_few_plots_can_prove(plots, estimates):
    answered = estimates["reason"].isna().to_numpy()
    if answered.sum() < 5:
        pytest.skip(f"only {answered.sum()} of {len(plots)} plots answered; no rank correlation of so few")
    truth = plots["Yield_KgHa"].to_numpy(float)[answered] / 1000
    middle = estimates["q50"].to_numpy(float)[answered]
    found = stats.spearmanr(middle, truth).statistic
    rng = np.random.default_rng(2017)
    drawn = [rng.integers(0, truth.size, truth.size) for _ in range(2000)]
    low, high = np.nanquantile([stats.spearmanr(middle[rows], truth[rows]).statistic for rows in drawn], (0.05, 0.95))
    shuffled = np.array([stats.spearmanr(rng.permutation(middle), truth).statistic for _ in range(2000)])
    needed = np.quantile(np.abs(shuffled), 0.95)
    sys.stdout.write(
        f"\n{truth.size} plots: Spearman {found:.2f}, 90 % bootstrap interval {low:.2f} to {high:.2f}, permutation p "
        f"{np.mean(np.abs(shuffled) >= abs(found)):.2f}; {needed:.2f} is needed to tell it from chance at 5 %\n"
    )
    assert -1 <= low <= found <= high <= 1
    # The statement this sample allows: nothing weaker than a strong correlation can be seen in it.
    assert needed > 0.4
    assert high - low > 0.3


def canonical(folder, plots, observations, *, history=None):
    """Write the plots in the canonical labelled form."""
    folder.mkdir()
    labels = pd.DataFrame(
        {
            "unit": plots["plot_id"],
            "region": "Karamoja",
            "crop": "maize",
            "harvest_year": 2017,
            "yield_t_ha": plots["Yield_KgHa"] / 1000,
            "longitude": plots["lon"],
            "latitude": plots["lat"],
        }
    )
    labels.to_parquet(folder / "labels.parquet")
    series = observations.rename(columns={"plot_id": "unit", "acquired_at": "date"}).drop(columns="scene_id")
    series.assign(year=2017, date=series["date"].dt.tz_localize(None)).to_parquet(folder / "series.parquet")
    plots[["plot_id", "area_m2"]].rename(columns={"plot_id": "unit"}).to_parquet(folder / "static.parquet")
    if history is not None:
        history.to_csv(folder / "history.csv", index=False)
    return folder


def uganda(shared):
    """Uganda's national maize yields, for plots that have no better history: a row without a region."""
    table = pd.read_csv(shared / "yields" / "national_fao" / "key_crop_yields.csv")
    rows = table[(table["Code"] == "UGA") & (table["Maize (tonnes per hectare)"] > 0)]
    return pd.DataFrame(
        {
            "crop": "maize",
            "harvest_year": rows["Year"].astype(int),
            "yield_t_ha": rows["Maize (tonnes per hectare)"].astype(float),
        }
    )


def asked_anywhere(folder):
    """A copy of the release that does not mind the latitude, to see what its refusal spares."""
    copy = folder / "anywhere"
    shutil.copytree(models_path(RELEASE), copy)
    text = (copy / "model.toml").read_text()
    (copy / "model.toml").write_text(text.replace('"latitude_abs_min_deg" = 25.0', '"latitude_abs_min_deg" = 0.0'))
    return str(copy)


def test_the_release_as_it_ships_says_nothing_so_near_the_equator(plots, observations, tmp_path):
    facts = evaluate(RELEASE, data=canonical(tmp_path / "data", plots, observations, history=None)).facts
    assert (facts["n"], facts["abstained"]) == (0, len(plots))
    assert "out_of_distribution" in facts["abstained_because"]


@pytest.mark.parametrize("with_history", [False, True])
def test_evaluate_runs_on_the_plots_in_canonical_form(shared, plots, observations, tmp_path, with_history):
    history = uganda(shared) if with_history else None
    data = canonical(tmp_path / "data", plots, observations, history=history)
    facts = evaluate(asked_anywhere(tmp_path), data=data).facts
    shown = {key: facts[key] for key in ("n", "abstained", "rmse_t_ha", "r2", "coverage90", "width90_t_ha")}
    sys.stdout.write(f"\nwith national history: {with_history}: {shown}\n{facts['baselines']}\n")
    assert facts["n"] + facts["abstained"] == len(plots)
    # Whatever the figure, it stands beside what anyone could say about the same rows.
    baselines = facts["baselines"]
    assert baselines["regional_mean"]["n"] == baselines["ndvi_integral"]["n"] == facts["n"]
    assert baselines["region_alone"]["n"] == (facts["n"] if with_history else 0)
    assert 0 <= facts["coverage90"] <= 1
