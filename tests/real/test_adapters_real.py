"""The public data sets as published: counts as stated, values checked by hand, halves like the whole."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipelines.adapt import ADAPTERS, adapt

CANONICAL = ("labels.parquet", "series.parquet", "static.parquet")

LABELS = {
    "africarising_maize": 1027 + 914,
    "illinois_soybean_hls": 4032,
    "india_rice_districts": 8687 - 20,
    "oaf_maize_cropcuts": 11_295,
    "ug_karamoja_2017": 206,
    "us_winter_wheat": 9978,
}
SERIES = {
    "africarising_maize": (1027 + 914) * 7,
    "illinois_soybean_hls": 4032 + 384 * 26,
    "india_rice_districts": 8687,
    "oaf_maize_cropcuts": 11_295,
    "ug_karamoja_2017": 29 * 12,
    "us_winter_wheat": 574 * 7671,
}


@pytest.fixture(scope="module")
def adapted(shared, tmp_path_factory):
    """Give the canonical folder of a set and the summary of its making, made once."""
    made = {}

    def get(name):
        if not (shared / "yields" / name).is_dir():
            pytest.skip(f"no {name} data")
        if name not in made:
            out = tmp_path_factory.mktemp("adapted") / name
            made[name] = (out, adapt(name, [shared / "yields" / name], out=out))
        return made[name]

    return get


def one(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


@pytest.mark.parametrize("name", LABELS)
def test_every_row_of_the_source_becomes_a_label_and_none_is_refused(name, adapted):
    _, summary = adapted(name)
    assert summary.counts["labels"] == LABELS[name]
    assert summary.counts["series_rows"] == SERIES[name]
    assert summary.refused == ()


def test_national_yields_are_the_cells_above_zero(adapted, shared):
    out, summary = adapted("national_fao")
    cells = pd.read_csv(shared / "yields/national_fao/key_crop_yields.csv").filter(like="tonnes per hectare")
    assert summary.counts["labels"] == int((cells > 0).to_numpy().sum())
    assert summary.refused == ()
    labels = pd.read_parquet(out / "labels.parquet")
    assert one(labels, unit="AFG", crop="wheat", harvest_year=1961)["yield_t_ha"] == 1.022


def test_wheat_counties(adapted):
    out, summary = adapted("us_winter_wheat")
    assert (summary.counts["units"], summary.counts["regions"]) == (574, 10)
    labels = pd.read_parquet(out / "labels.parquet")
    adams = one(labels, unit="08001", harvest_year=2001)
    assert adams["yield_t_ha"] == pytest.approx(32.5 * 0.067251, abs=1e-4)
    assert (adams["longitude"], adams["latitude"], adams["region"]) == (-104.3318718, 39.8743252, "COLORADO")
    days = pd.read_parquet(out / "series.parquet", filters=[("unit", "==", "08001")])
    assert days["date"].is_monotonic_increasing
    first = days.iloc[0]
    assert (str(first["date"]), first["year"]) == ("2000-01-01", 2000)
    measured = first[["t_mean_c", "t_max_c", "t_min_c", "rain_sum_mm"]].to_numpy(float)
    assert measured == pytest.approx([3.12, 11.51, -1.25, 0.48], abs=1e-5)
    # 2000 has January to August; the autumn of 2020 belongs to a harvest not in the labels.
    assert days.groupby("year").size().loc[[2000, 2001, 2021]].tolist() == [244, 365, 122]


def test_maize_crop_cuts(adapted):
    out, summary = adapted("oaf_maize_cropcuts")
    labels = pd.read_parquet(out / "labels.parquet")
    assert summary.counts["regions"] == 3
    assert one(labels, unit="ID_00001")["yield_t_ha"] == pytest.approx(1.0229999)
    by_season = labels.groupby(["region", "harvest_year"]).size()
    assert by_season["Kenya"].to_dict() == {2017: 1486, 2018: 3829, 2019: 4782}
    static = pd.read_parquet(out / "static.parquet")
    place_and_year = labels.merge(static, on="unit")
    assert place_and_year.duplicated(["place", "harvest_year"], keep=False).sum() == 686
    assert "era_prec_avg" not in pq.read_schema(out / "series.parquet").names


def test_rice_districts_lose_their_zeros(adapted):
    out, summary = adapted("india_rice_districts")
    assert (summary.counts["not_reported"], summary.counts["units"]) == (20, 493)
    labels = pd.read_parquet(out / "labels.parquet")
    assert (labels["yield_t_ha"] > 0).all()
    durg = one(labels, unit="1", harvest_year=1990)
    assert (durg["yield_t_ha"], durg["region"]) == (1.21, "Chhattisgarh")


def test_soybean_counties_have_the_same_yield_from_both_files(adapted):
    out, _ = adapted("illinois_soybean_hls")
    labels = pd.read_parquet(out / "labels.parquet")
    assert one(labels, unit="ADAMS", harvest_year=2018)["yield_t_ha"] == pytest.approx(59.3 * 0.0672511, abs=1e-4)
    series = pd.read_parquet(out / "series.parquet")
    step = one(series, unit="ADAMS", year=2018, step=1)
    assert step["ndvi"] == pytest.approx(0.698584787052241)
    assert pd.isna(step["date"])
    assert series["gndvi"].abs().max() <= 1
    assert str(one(series, unit="ADAMS", year=1980, step=0)["date"]) == "1980-12-31"


def test_households_keep_their_village_and_lose_their_income(adapted):
    out, summary = adapted("africarising_maize")
    assert summary.counts["regions"] == 4 + 3
    labels, static = pd.read_parquet(out / "labels.parquet"), pd.read_parquet(out / "static.parquet")
    assert labels["yield_t_ha"].min() == pytest.approx(0.00148263001)
    assert set(labels["harvest_year"]) == {2013}
    assert static["village"].nunique() < len(static) / 3
    assert not [name for name in static.columns if "income" in name or "head" in name]
    series = pd.read_parquet(out / "series.parquet")
    malawi = series[series["unit"].str.startswith("malawi")]["date"].map(str)
    assert (malawi.min(), malawi.max()) == ("2012-10-31", "2013-04-30")


def test_karamoja_plots_have_areas_moisture_and_twelve_months_for_29(adapted):
    out, summary = adapted("ug_karamoja_2017")
    assert summary.counts["crops"] == 2
    labels, static = pd.read_parquet(out / "labels.parquet"), pd.read_parquet(out / "static.parquet")
    assert labels["crop"].value_counts().to_dict() == {"sorghum": 114, "maize": 92}
    assert one(labels, unit="ug020")["yield_t_ha"] == pytest.approx(0.9111)
    assert one(static, unit="ug020")["grain_moisture_percent"] == pytest.approx(10.9)
    assert static["area_m2"].between(600, 16_000).all()
    series = pd.read_parquet(out / "series.parquet")
    assert series["unit"].nunique() == 29
    clear = one(series[series["date"].map(str) == "2016-12-15"], unit="ug025")
    assert clear["ndvi"] == pytest.approx((2445 - 481) / (2445 + 481))
    assert clear["t_mean_c"] == pytest.approx(296.57 - 273.15)
    assert clear["rain_sum_mm"] == pytest.approx(4.02)
    cloudy = one(series[series["date"].map(str) == "2017-02-15"], unit="ug025")
    assert np.isnan(cloudy["ndvi"])
    assert cloudy["valid_fraction"] == 0


def halve(source, first, second):
    """Write each file's rows into two folders under other names, some rows into both."""
    for number, path in enumerate(sorted(source.rglob("*"))):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            cut = table.num_rows // 2
            pq.write_table(table.slice(0, cut + 3), first / f"a{number}.parquet")
            pq.write_table(table.slice(cut), second / f"b{number}.parquet")
        elif path.suffix == ".csv":
            header, *lines = path.read_text().splitlines(keepends=True)
            year = "_2013" if "2013" in path.name else ""
            (first / f"a{number}{year}.csv").write_text(header + "".join(lines[::2]))
            (second / f"b{number}{year}.csv").write_text(header + "".join(lines[1::2] + lines[:5]))
        elif path.suffix == ".geojson":
            whole = json.loads(path.read_text())
            for folder, features in ((first, whole["features"][:150]), (second, whole["features"][100:])):
                (folder / f"c{number}.geojson").write_text(json.dumps({**whole, "features": features}))


@pytest.mark.parametrize("name", ADAPTERS)
def test_two_halves_under_other_names_give_the_same_bytes_as_the_whole(name, adapted, shared, tmp_path):
    out, whole = adapted(name)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    halve(shared / "yields" / name, first, second)
    summary = adapt(name, [second, first], out=tmp_path / "out")
    assert summary.refused == ()
    assert summary.counts == whole.counts
    for file in CANONICAL:
        assert (tmp_path / "out" / file).exists() == (out / file).exists()
        if (out / file).exists():
            assert (tmp_path / "out" / file).read_bytes() == (out / file).read_bytes(), file
