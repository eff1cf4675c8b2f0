"""Winter wheat fields in Switzerland, 2022: real scenes, the released model and the national yields as the history.

Nobody published these fields' yields, so no error is stated. What is tested: fields that any agronomist would call good
wheat are answered and not refused, the region's level is respected, and nothing later than the day of knowledge enters.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.estimate import QUANTILE_COLUMNS
from agrocredit.store.bundled import models_path
from agrocredit.yields import release_in_force
from pipelines.adapt import adapt
from pipelines.area_outlooks import AreaSource
from pipelines.estimate import EstimateRequest, estimate
from pipelines.evaluate import evaluate
from pipelines.observe import ObserveRequest, observe

FARMS = ("ch_swissfuturefarm_2022", "ch_arenenberg_2022")


@pytest.fixture(scope="module")
def history(shared, tmp_path_factory):
    """Switzerland's wheat yields of 1961 to 2018 as a user's history table."""
    table = pd.read_csv(shared / "yields" / "national_fao" / "key_crop_yields.csv")
    rows = table[table["Code"] == "CHE"]
    path = tmp_path_factory.mktemp("history") / "switzerland.csv"
    pd.DataFrame(
        {
            "region": "CHE",
            "crop": "winter_wheat",
            "harvest_year": rows["Year"],
            "yield_t_ha": rows["Wheat (tonnes per hectare)"],
        }
    ).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module", params=FARMS)
def farm(request, shared, tmp_path_factory):
    """Observe a farm from a day to a day; estimate what its fields will bring."""
    folder, work, said = shared / "imagery" / request.param, tmp_path_factory.mktemp(request.param), {}
    plots = folder / "parcels" / "parcels_2022.geojson"

    def run(*, end, as_of, history=None, areas=None):
        seen = work / f"observations-{end}"
        if not seen.exists():
            scenes = str(folder / "stac" / "items.json")
            observe(
                ObserveRequest(scenes=scenes, plots=plots, id_field="parcel", start=date(2021, 9, 1), end=end, out=seen)
            )
        out = work / "estimates.parquet"
        request = EstimateRequest(
            observations=seen,
            plots=plots,
            id_field="parcel",
            crop="winter_wheat",
            harvest_year=2022,
            out=out,
            as_of=as_of,
            history=history,
            region="CHE",
            areas=areas,
        )
        said.update(estimate(request).facts)
        return pd.read_parquet(out)

    run.said = said
    return run


@pytest.fixture(scope="module")
def switzerland(shared, tmp_path_factory):
    """Give the national yields as labelled areas, Switzerland's with sixteen years of weather from near Zurich."""
    out = tmp_path_factory.mktemp("areas") / "national"
    adapt("national_fao", [shared / "yields" / "national_fao"], out=out)
    days = pd.read_csv(shared / "plots" / "parcels_ch_zurich" / "weather_data.csv", sep=";", encoding="utf-8-sig")
    days.columns = ["date", "t_mean_c", "rain_sum_mm"]
    days["date"] = pd.to_datetime(days["date"], format="%d.%m.%Y")
    days["year"] = days["date"].dt.year + (days["date"].dt.month >= 9)
    days.assign(unit="CHE", date=days["date"].dt.date).to_parquet(out / "series.parquet")
    return out


def test_good_wheat_is_answered_at_harvest_and_near_what_the_country_brings(farm, history):
    rows = farm(end=date(2022, 9, 1), as_of=date(2022, 8, 15), history=history)
    assert rows["status"].eq("estimated").all(), rows["reason"].tolist()
    quantiles = rows[list(QUANTILE_COLUMNS)].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    # Swiss wheat of the last 25 years of the series lies between 4.4 and 6.5 t/ha as a national mean.
    assert ((quantiles[:, 3] > 4.5) & (quantiles[:, 3] < 9)).all()
    assert ((quantiles[:, 0] > 1.5) & (quantiles[:, 6] < 14)).all()


def test_without_a_history_the_interval_says_that_the_level_is_unknown(farm, history):
    alone = farm(end=date(2022, 9, 1), as_of=date(2022, 8, 15))
    joined = farm(end=date(2022, 9, 1), as_of=date(2022, 8, 15), history=history)
    assert alone["status"].eq("estimated").all()
    assert (alone["q95"] / alone["q05"] > joined["q95"] / joined["q05"]).all()


def test_an_estimate_in_may_is_the_same_whether_or_not_june_has_been_seen(farm, history):
    as_of = date(2022, 5, 17)
    known_later = farm(end=date(2022, 9, 1), as_of=as_of, history=history)
    known_then = farm(end=date(2022, 5, 18), as_of=as_of, history=history)
    pd.testing.assert_frame_equal(known_later, known_then)


def test_the_county_release_abstains_on_switzerland_and_the_release_in_force_answers_with_the_history(
    farm, history, switzerland
):
    as_of = date(2022, 8, 15)
    alone = farm(end=date(2022, 9, 1), as_of=as_of, history=history)
    asked = AreaSource(release="wheat-us-county", data=switzerland)
    joined = farm(end=date(2022, 9, 1), as_of=as_of, history=history, areas=asked)
    assert farm.said["areas_abstained_because"] == {"out_of_distribution": 1}
    pd.testing.assert_frame_equal(joined, alone)
    assert set(alone["release"]) == {release_in_force(models_path(), "winter_wheat", as_of=as_of)}


def test_no_country_is_answered_by_the_county_release_whatever_its_history(switzerland):
    facts = evaluate("wheat-us-county", data=switzerland, years=(2016, 2018)).facts
    assert facts["n"] == 0
    assert facts["abstained"] > 300
