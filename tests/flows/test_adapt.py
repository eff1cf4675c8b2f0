"""Public data sets become the canonical form, whatever the files are called; each refusal names its row."""

import pyarrow.parquet as pq
import pytest

from agrocredit.domain.errors import ExitCode, InputUnusableError, WrongUsageError
from pipelines.adapt import ADAPTERS, LABEL_COLUMNS, adapt

HEADER = "Entity,Code,Year,Wheat (tonnes per hectare),Maize (tonnes per hectare)\n"
WHEAT = "county_fips,state_fips,state_name,county_name,county_lat,county_lon,year,yield_bu_acre,yield_t_ha\n"
DAILY = "county_fips,date,t2m_c,tmax_c,tmin_c,prec_mm\n"


def folder(path, **files):
    path.mkdir()
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text)
    return path


def county(year, bushels, t_ha="", fips="08001"):
    return f"{fips},8,COLORADO,ADAMS,39.9,-104.3,{year},{bushels},{t_ha or round(bushels * 0.067251, 4)}\n"


def labels(out):
    return pq.read_table(out / "labels.parquet").to_pandas()


def test_two_folders_join_and_rows_that_stand_twice_count_once(tmp_path):
    old = folder(tmp_path / "old", series=HEADER + "Kenya,KEN,2001,2.1,1.5\nAfrica,,2001,1.9,0\n")
    new = folder(tmp_path / "new", another_name=HEADER + "Kenya,KEN,2001,2.1,1.5\nKenya,KEN,2002,2.2,\n")
    summary = adapt("national_fao", [old, new], out=tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "labels.parquet").to_pylist()
    found = [(row["region"], row["crop"], row["harvest_year"], row["yield_t_ha"]) for row in rows]
    assert found == [
        ("Africa", "wheat", 2001, 1.9),
        ("KEN", "maize", 2001, 1.5),
        ("KEN", "wheat", 2001, 2.1),
        ("KEN", "wheat", 2002, 2.2),
    ]
    assert tuple(rows[0]) == LABEL_COLUMNS
    expected = {"labels": 4, "not_reported": 2, "units": 2, "regions": 2, "crops": 2, "series_rows": 0}
    assert summary.counts == expected
    assert summary.exit_code is ExitCode.DONE


def test_the_same_input_gives_the_same_bytes(tmp_path):
    source = folder(tmp_path / "in", a=HEADER + "Kenya,KEN,2001,2.1,1.5\n")
    for name in ("one", "two"):
        adapt("national_fao", [source], out=tmp_path / name)
    assert (tmp_path / "one/labels.parquet").read_bytes() == (tmp_path / "two/labels.parquet").read_bytes()


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(WrongUsageError, match="adapter_unknown: 'moon', expected one of africarising_maize"):
        adapt("moon", [tmp_path], out=tmp_path / "out")


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_set_refuses_an_empty_folder_and_one_without_its_keys(name, tmp_path):
    with pytest.raises(InputUnusableError, match="labels_missing"):
        adapt(name, [folder(tmp_path / "empty")], out=tmp_path / "out")
    with pytest.raises(InputUnusableError, match=r"column_missing: x\.csv: no column"):
        adapt(name, [folder(tmp_path / "wrong", x="a,b\n1,2\n")], out=tmp_path / "out")
    with pytest.raises(InputUnusableError, match="file_missing"):
        adapt(name, [tmp_path / "nowhere"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bushels_become_tonnes_and_the_basis_stands_beside_them(tmp_path):
    source = folder(tmp_path / "in", a=WHEAT + county(2001, 24.0))
    adapt("us_winter_wheat", [source], out=tmp_path / "out")
    # 24 bushels of 60 lb: 24 x 60 x 0.45359237 kg on 0.40468564224 ha.
    assert labels(tmp_path / "out")["yield_t_ha"].tolist() == pytest.approx([653.1730128 / 404.68564224])
    metadata = pq.read_schema(tmp_path / "out" / "labels.parquet").field("yield_t_ha").metadata
    assert metadata[b"units"] == b"t ha-1"
    assert metadata[b"moisture_basis_percent"] == b"13.5"


def test_entries_that_contradict_each_other_are_all_refused_with_their_rows(tmp_path):
    source = folder(tmp_path / "in", a=WHEAT + county(2001, 24.0) + county(2002, 30.0), b=WHEAT + county(2001, 25.0))
    summary = adapt("us_winter_wheat", [source], out=tmp_path / "out")
    assert [(refusal.code, refusal.row) for refusal in summary.refused] == [("label_contradiction", 1)] * 2
    assert labels(tmp_path / "out")["harvest_year"].tolist() == [2002]
    assert summary.exit_code is ExitCode.SOME_REFUSED


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("yield_contradiction", county(2009, 30.0, "20.0")),
        ("yield_implausible", county(2009, 300.0)),
        ("yield_implausible", county(2009, 160.0)),
        ("yield_invalid", county(2009, -3.0)),
        ("yield_invalid", "08001,8,COLORADO,ADAMS,39.9,-104.3,2009,much,\n"),
        ("year_invalid", county(20.5, 30.0)),
        ("place_invalid", county(2009, 30.0).replace("39.9", "139.9")),
        ("unit_missing", county(2009, 30.0).replace("08001", "")),
    ],
)
def test_a_bad_row_is_refused_alone_and_the_others_go_on(code, row, tmp_path):
    good = "".join(county(year, 30.0) for year in range(2001, 2008))
    summary = adapt("us_winter_wheat", [folder(tmp_path / "in", a=WHEAT + good + row)], out=tmp_path / "out")
    assert [(refusal.code, refusal.row) for refusal in summary.refused] == [(code, 8)]
    assert labels(tmp_path / "out")["harvest_year"].tolist() == list(range(2001, 2008))


def test_nothing_usable_writes_nothing_and_says_why(tmp_path):
    source = folder(tmp_path / "in", a=WHEAT + county(2001, -1.0))
    with pytest.raises(InputUnusableError, match=r"labels_missing: .* first refusal: yield_invalid"):
        adapt("us_winter_wheat", [source], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_day_of_autumn_counts_to_the_harvest_after_it_and_minus_999_is_missing(tmp_path):
    days = "8001,2000-08-31,20,25,15,0\n8001,2000-09-01,19,24,14,-999\n"
    again = "8001,2000-09-01,19,24,14,-999\n8001,2000-12-31,-999,-999,-999,1\n"
    first = folder(tmp_path / "in", a=WHEAT + county(2001, 24.0), w=DAILY + days)
    more = folder(tmp_path / "more", other=DAILY + again)
    adapt("us_winter_wheat", [first, more], out=tmp_path / "out")
    series = pq.read_table(tmp_path / "out" / "series.parquet").to_pylist()
    assert [(row["unit"], str(row["date"]), row["year"]) for row in series] == [
        ("08001", "2000-08-31", 2000),
        ("08001", "2000-09-01", 2001),
        ("08001", "2000-12-31", 2001),
    ]
    assert [row["rain_sum_mm"] for row in series] == [0.0, None, 1.0]
    assert [row["t_mean_c"] for row in series] == [20.0, 19.0, None]


def test_a_day_with_two_stories_is_refused_in_both(tmp_path):
    weather = "8001,2000-08-30,20,25,15,0\n8001,2000-08-31,20,25,15,0\n8001,2000-08-31,21,25,15,0\n"
    source = folder(tmp_path / "in", a=WHEAT + county(2001, 24.0), w=DAILY + weather)
    summary = adapt("us_winter_wheat", [source], out=tmp_path / "out")
    assert [(refusal.code, refusal.row) for refusal in summary.refused] == [
        ("series_contradiction", 2),
        ("series_contradiction", 3),
    ]
    assert summary.counts["series_rows"] == 1


def test_a_day_without_a_county_is_refused_and_a_file_without_days_adds_none(tmp_path):
    weather = "8001,2000-08-30,20,25,15,0\n,2000-08-31,20,25,15,0\n"
    source = folder(tmp_path / "in", a=WHEAT + county(2001, 24.0), w=DAILY + weather)
    summary = adapt("us_winter_wheat", [source], out=tmp_path / "out")
    assert [(refusal.code, refusal.row) for refusal in summary.refused] == [("value_missing", 2)]
    empty = folder(tmp_path / "empty", a=WHEAT + county(2001, 24.0), w=DAILY)
    assert adapt("us_winter_wheat", [empty], out=tmp_path / "out").counts["series_rows"] == 0


CUTS = (
    "ID,survey,country,year,field_latitude,field_longitude,plant_date,harvest_date,gs_length,yield_kg_ph,hybrid,"
    "intercrop,esa_avg,chirps_sum,era_temp_mean_avg,era_temp_min_avg,era_temp_max_avg,kdd_event,kdd_result,N_kg_ph,"
    "era_prec_avg,era_vswl_avg\n"
)


def cut(number, kg_ha, latitude=0.5):
    place = f"Kenya_2018,Kenya,2018,{latitude},34.5"
    return f"C{number},{place},2018-03-01,2018-08-01,153,{kg_ha},1,0,0.3,700,20,15,25,0,0,40,,0.4\n"


def test_a_tenfold_crop_cut_is_refused_and_cuts_that_share_a_place_stay_apart(tmp_path):
    rows = "".join(cut(number, 1000 + number) for number in range(7)) + cut(7, 10_000) + cut(8, 900, latitude="")
    summary = adapt("oaf_maize_cropcuts", [folder(tmp_path / "in", a=CUTS + rows)], out=tmp_path / "out")
    found = [(refusal.code, refusal.row) for refusal in summary.refused]
    assert found == [("place_invalid", 9), ("yield_implausible", 8)]
    assert labels(tmp_path / "out")["yield_t_ha"].tolist() == [(1000 + number) / 1000 for number in range(7)]
    static = pq.read_table(tmp_path / "out" / "static.parquet")
    assert static["place"].unique().to_pylist()[0] == "0.5 34.5"


RICE = (
    "Dist Code,Year,State Name,Dist Name,RICE AREA (1000 ha),RICE IRRIGATED AREA (1000 ha),RICE YIELD (kg per ha),"
    "nitrogen,phosphate,potash,"
    + ",".join(
        f"{name}_{part}"
        for part in ("grow", "harvest")
        for name in ["prec", "et", "maxT", "minT", "runoff", "windspeed"]
    )
    + "\n"
)


def district(year, kg_ha, code="1"):
    return f"{code},{year},Chhattisgarh,Durg,400,160,{kg_ha},2,1,1" + ",1" * 12 + "\n"


def test_a_district_without_rice_is_left_out_and_counted_and_a_tenfold_year_is_refused(tmp_path):
    rows = "".join(district(year, 1000 + year - 1990) for year in range(1990, 1997))
    rows += district(1997, 0) + district(1998, 12_000) + district(1999, 1010) + district(1999, 1010)
    rows += district(2000, 900) + district(2000, 950)
    summary = adapt("india_rice_districts", [folder(tmp_path / "in", a=RICE + rows)], out=tmp_path / "out")
    assert summary.counts["not_reported"] == 1
    assert [(refusal.code, refusal.row) for refusal in summary.refused] == [
        ("label_contradiction", 12),
        ("label_contradiction", 13),
        ("yield_implausible", 9),
    ]
    assert labels(tmp_path / "out")["harvest_year"].tolist() == [*range(1990, 1997), 1999]


def plot(name, kg_ha, grain_g, ring="[[34.0,2.0],[34.001,2.0],[34.001,2.001],[34.0,2.0]]"):
    geometry = f'{{"type":"Polygon","coordinates":[{ring}]}}' if ring else "null"
    facts = f'"plot_id":"{name}","District":null,"crop1":"maize","Moisture":0.1,"Estimated Harvest Date":"2017-12-31"'
    return (
        f'{{"type":"Feature","geometry":{geometry},'
        f'"properties":{{{facts},"Yield_KgHa":{kg_ha},"Grain_W_g":{grain_g}}}}}'
    )


def test_a_cut_that_was_weighed_otherwise_and_a_plot_without_a_place_are_refused(tmp_path):
    source = folder(tmp_path / "in")
    features = [plot("a", 1000, 225), plot("b", 10_000, 225), plot("c", 1000, 225, ring=None), plot("d", 40, 9)]
    (source / "p.geojson").write_text(f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}')
    summary = adapt("ug_karamoja_2017", [source], out=tmp_path / "out")
    assert [(refusal.code, refusal.row) for refusal in summary.refused] == [
        ("place_invalid", 3),
        ("yield_contradiction", 2),
    ]
    assert labels(tmp_path / "out")[["unit", "yield_t_ha"]].to_numpy().tolist() == [["a", 1.0], ["d", 0.04]]
    static = pq.read_table(tmp_path / "out" / "static.parquet").to_pylist()
    # Half of a box of 0.001 degrees at 2 degrees north: 111.25 m x 110.58 m / 2.
    assert static[0]["area_m2"] == pytest.approx(111.25 * 110.58 / 2, rel=0.001)


def test_a_file_that_is_something_else_is_refused_by_name_and_the_rest_is_used(tmp_path):
    source = folder(tmp_path / "in", a=WHEAT + county(2001, 24.0), notes="this,that\n1,2\n")
    summary = adapt("us_winter_wheat", [source], out=tmp_path / "out")
    assert [refusal.code for refusal in summary.refused] == ["column_missing"]
    assert "notes.csv" in summary.refused[0].detail
    assert summary.counts["labels"] == 1
