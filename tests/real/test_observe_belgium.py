"""A clouded autumn near Antwerp and a year of composites without a mask in Hesbaye."""

import json
from datetime import date

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from agrocredit.domain.errors import InputUnusableError
from pipelines.observe import ObserveRequest, observe


def square_plots(path, *, crs, x, y, side_m, rows):
    """A few square fields of `side_m` on a row, as GeoJSON in degrees."""
    fields = [box(x + i * side_m * 1.5, y, x + i * side_m * 1.5 + side_m, y + side_m) for i in range(rows)]
    frame = gpd.GeoDataFrame({"id": [f"p{i}" for i in range(rows)]}, geometry=fields, crs=crs).to_crs("EPSG:4326")
    frame.to_file(path, driver="GeoJSON")
    return path


def run(shared, name, plots, out, start, end):
    observe(
        ObserveRequest(
            scenes=str(shared / "imagery" / name / "stac" / "items.json"), plots=plots, start=start, end=end, out=out
        )
    )
    table = pd.concat([pd.read_parquet(part) for part in sorted(out.glob("*.parquet"))], ignore_index=True)
    return table, json.loads((out / "manifest.json").read_text())


def test_clouded_dates_are_rows_without_values_and_only_two_or_three_dates_speak(shared, tmp_path):
    plots = square_plots(tmp_path / "p.geojson", crs="EPSG:32631", x=587_920, y=5_685_000, side_m=80, rows=3)
    table, manifest = run(shared, "be_antwerp_2023", plots, tmp_path / "o", date(2023, 10, 1), date(2024, 1, 1))
    assert len(table) == 19 * 3
    clouded = table[table["valid_fraction"] < 0.05]
    assert clouded["ndvi"].isna().all()
    assert clouded["acquired_at"].nunique() >= 15
    assert {scene["offset"] for scene in manifest["scenes"]} == {0.0}
    assert table.loc[table["valid_fraction"] > 0.9, "ndvi"].between(0.2, 0.95).all()
    assert "ndmi" not in table.columns or table["ndmi"].isna().all()


def test_composites_without_a_mask_say_so_and_missing_months_stay_missing(shared, tmp_path):
    plots = square_plots(tmp_path / "p.geojson", crs="EPSG:32631", x=664_100, y=5_611_400, side_m=100, rows=5)
    table, manifest = run(shared, "be_hesbaye_2021", plots, tmp_path / "o", date(2020, 11, 1), date(2021, 11, 1))
    assert {scene["mask"] for scene in manifest["scenes"]} == {"none"}
    months = table.assign(month=table["acquired_at"].dt.month).groupby("month")["valid_fraction"].max()
    assert months[12] == months[1] == 0.0
    assert (months.drop([12, 1]) > 0.99).all()
    june = table[table["acquired_at"].dt.month == 6]
    february = table[table["acquired_at"].dt.month == 2]
    assert june["ndvi"].median() > february["ndvi"].median()


def test_a_season_that_holds_no_scene_is_refused(shared, tmp_path):
    plots = square_plots(tmp_path / "p.geojson", crs="EPSG:32631", x=587_920, y=5_685_000, side_m=80, rows=1)
    with pytest.raises(InputUnusableError, match="season_empty"):
        run(shared, "be_antwerp_2023", plots, tmp_path / "o", date(2019, 1, 1), date(2019, 2, 1))
    assert not (tmp_path / "o").exists()
