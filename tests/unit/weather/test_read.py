from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.domain.tables import WEATHER
from agrocredit.weather import check_weather, read_weather

PLAIN = """date,tmin_c,tmax_c,tmean_c,prec_mm,radiation_mj_m2
2024-03-01,1.0,9.0,5.0,0.0,12.5
2024-03-02,2.0,8.0,4.5,3.2,7.5
2024-03-03,0.0,11.0,6.0,,15.0
"""


@pytest.fixture
def write(tmp_path):
    def _write(text, name="weather.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def failing(path, code):
    with pytest.raises(InputUnusableError) as caught:
        read_weather(path)
    assert caught.value.code == code
    return caught.value.detail


def test_a_plain_file_comes_back_with_the_declared_columns(write):
    table = read_weather(write(PLAIN))
    assert list(table.columns) == WEATHER.names
    assert table["date"].tolist() == [pd.Timestamp("2024-03-01") + pd.Timedelta(days=n) for n in range(3)]
    assert table["prec_mm"].isna().tolist() == [False, False, True]


def test_a_parquet_file_gives_the_same_as_its_csv(write, tmp_path):
    from_csv = read_weather(write(PLAIN))
    path = tmp_path / "weather.parquet"
    from_csv.to_parquet(path)
    pd.testing.assert_frame_equal(read_weather(path), from_csv)


def test_dates_may_come_as_parquet_dates(tmp_path):
    path = tmp_path / "weather.parquet"
    pd.DataFrame({"date": [date(2024, 1, 1), date(2024, 1, 2)], "tmean_c": [1.0, 2.0]}).to_parquet(path)
    assert read_weather(path)["date"].dt.day.tolist() == [1, 2]


def test_the_mean_is_taken_from_the_extremes_where_it_is_not_given(write):
    table = read_weather(write("date,tmin_c,tmax_c\n2024-03-01,1.0,9.0\n"))
    assert table["tmean_c"].tolist() == [5.0]
    assert table["radiation_mj_m2"].isna().all()


def test_nasa_power_names_are_understood(write):
    text = "date,T2M_MIN,T2M_MAX,T2M,PRECTOTCORR,ALLSKY_SFC_SW_DWN\n20240301,1,9,5,0,12.5\n"
    table = read_weather(write(text))
    assert table.iloc[0, 1:].tolist() == [1.0, 9.0, 5.0, 0.0, 12.5]


def test_two_meteoswiss_files_are_joined_by_date(write):
    warm = write("\n \nstn;time;tre200d0\nTAE;20211001;11.4\nTAE;20211002;15.7\n", "t.txt")
    rain = write("\n \nstn;time;rka150d0\nTAE;20211001;0.0\nTAE;20211002;-\nTAE;20211003;1.0\n", "p.txt")
    table = read_weather([warm, rain])
    assert table["tmean_c"].tolist() == [11.4, 15.7]
    assert table["prec_mm"].isna().tolist() == [False, True]


def test_german_dates_semicolons_and_a_byte_order_mark_are_understood(write):
    table = read_weather(write("\ufeffdate;t2m_c;prec\n31.12.2003;-1.5;0\n01.01.2004;0.5;2\n"))
    assert table["date"].dt.year.tolist() == [2003, 2004]


def test_rows_are_put_in_order(write):
    lines = PLAIN.splitlines()
    table = read_weather(write("\n".join([lines[0], lines[3], lines[1], lines[2]])))
    assert table["date"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (("tmean_c", "warmth").__add__(("tmin_c", "low")), "column_missing", "tmean_c"),
        (("date,", "when,"), "column_missing", "date"),
        (("2024-03-02", "2024-03-12"), "weather_gap", "after 2024-03-01"),
        (("2024-03-02", "2024-03-01"), "weather_invalid", "twice"),
        (("2024-03-02", "yesterday"), "weather_invalid", "yesterday"),
        ((",4.5,", ",,"), "weather_gap", "2024-03-02"),
        ((",4.5,", ",277.6,"), "weather_invalid", "277.6"),
        ((",3.2,", ",-3.2,"), "weather_invalid", "-3.2"),
        ((",12.5", ",12500"), "weather_invalid", "12500"),
        (("2.0,8.0", "9.0,8.0"), "weather_invalid", "above tmax_c"),
        ((",3.2,", ",much,"), "weather_invalid", "much"),
        (("3.2,7.5", "3.2"), "weather_unreadable", "row 3"),
    ],
)
def test_a_fault_is_named(write, change, code, named):
    text = PLAIN
    for old, new in zip(change[::2], change[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    assert named in failing(write(text), code)


@pytest.mark.parametrize("text", ["", "\n\n", "\x00\x01"])
def test_a_file_without_rows_is_refused(write, text):
    with pytest.raises(InputUnusableError):
        read_weather(write(text))


def test_a_header_alone_is_a_gap(write):
    failing(write(PLAIN.splitlines()[0] + "\n"), "weather_gap")


def test_a_missing_file_and_a_false_parquet_are_unreadable(tmp_path, write):
    failing(tmp_path / "nowhere.csv", "weather_unreadable")
    failing(write("not parquet", "weather.parquet"), "weather_unreadable")


def test_two_columns_of_one_meaning_are_refused(write):
    failing(write("date,tmean_c,t2m\n2024-03-01,1,2\n"), "weather_invalid")


def test_one_day_is_enough():
    assert len(check_weather(pd.DataFrame({"date": ["2024-03-01"], "tmean_c": [4.0]}))) == 1
