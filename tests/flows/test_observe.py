"""Scenes and plots to observations, on pixels that are known."""

import json
import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from agrocredit.domain.errors import InputUnusableError, RunInProgressError, WrongUsageError
from agrocredit.store.lock import hold
from pipelines import observe_scene
from pipelines.observe import ObserveRequest, observe

MY_INDEX = """
schema_version = 1

[[index]]
short_name = "MYRATIO"
long_name = "My ratio"
formula = "nir / red"
bands = ["nir", "red"]
range = [0, 50]
reference = "made up here"
"""


def request_of(catalogue, plots, out, **changes):
    fields = {
        "scenes": str(catalogue.write()),
        "plots": plots,
        "start": date(2022, 5, 1),
        "end": date(2022, 7, 1),
        "out": out,
    }
    return ObserveRequest(**{**fields, **changes})


def rows_of(out):
    parts = [pd.read_parquet(path) for path in sorted(out.glob("*.parquet"))]
    return pd.concat(parts, ignore_index=True)


def manifest_of(out):
    return json.loads((out / "manifest.json").read_text())


def everything(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def plots(tmp_path, field_of, write_plots):
    return write_plots(
        tmp_path / "plots.geojson",
        field_of("a", 4, 4, 8, 8),
        field_of("b", 20.5, 10.25, 6.5, 4),
        field_of("c", 30, 30, 8, 8),
    )


def test_indices_are_those_of_the_pixels(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    summary = observe(request_of(catalogue, plots, tmp_path / "obs"))
    rows = rows_of(tmp_path / "obs").set_index("plot_id")
    nir, red, swir = 0.45, 0.07, 0.20
    assert rows.loc["a", "ndvi"] == pytest.approx((nir - red) / (nir + red), abs=1e-3)
    assert rows.loc["a", "ndmi"] == pytest.approx((nir - swir) / (nir + swir), abs=1e-3)
    assert rows.loc["b", "pixel_count"] == pytest.approx(26.0, abs=1e-3)
    assert rows["valid_fraction"].to_numpy() == pytest.approx(np.ones(3), abs=1e-3)
    assert summary.counts["observations"] == 3
    assert not summary.refused


def test_a_clouded_plot_is_a_row_without_values(catalogue, plots, tmp_path):
    classes = np.full((20, 20), 4, dtype=np.uint8)
    classes[1:7, 1:7] = 9
    catalogue.add("s1", "2022-05-10", classes=classes)
    observe(request_of(catalogue, plots, tmp_path / "obs"))
    rows = rows_of(tmp_path / "obs").set_index("plot_id")
    assert rows.loc["a", "valid_fraction"] == 0.0
    assert np.isnan(rows.loc["a", "ndvi"])
    assert rows.loc["c", "valid_fraction"] == pytest.approx(1.0, abs=1e-3)


def test_of_two_tiles_the_one_that_shows_more_of_the_plot_speaks(catalogue, plots, tmp_path):
    catalogue.add("left", "2022-05-10", tile="32TMT", x0=500_000.0 - 320.0)
    catalogue.add("right", "2022-05-10", tile="32TNT")
    observe(request_of(catalogue, plots, tmp_path / "obs"))
    rows = rows_of(tmp_path / "obs")
    assert not rows.duplicated("plot_id").any()
    assert rows.set_index("plot_id").loc["a", "scene_id"] == "right"


def test_a_newer_processing_replaces_the_older_whatever_their_order(catalogue, plots, tmp_path):
    catalogue.add("old", "2022-05-10", baseline="03.01").add("new", "2022-05-10", baseline="05.10")
    observe(request_of(catalogue, plots, tmp_path / "one"))
    catalogue.items.reverse()
    observe(request_of(catalogue, plots, tmp_path / "two"))
    assert manifest_of(tmp_path / "one")["superseded"] == ["old"]
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


def test_a_missing_band_costs_only_the_indices_that_need_it(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10", bands=["B02", "B03", "B04", "B08", "SCL"])
    summary = observe(request_of(catalogue, plots, tmp_path / "obs"))
    rows = rows_of(tmp_path / "obs")
    assert rows["ndvi"].notna().all()
    assert rows["ndmi"].isna().all()
    assert {(one.code, one.asset) for one in summary.refused} == {
        ("band_missing", "rededge1"),
        ("band_missing", "swir16"),
    }
    assert summary.exit_code == 1


def test_a_truncated_file_is_refused_by_name_and_the_run_goes_on(catalogue, plots, tmp_path):
    catalogue.add("bad", "2022-05-10").add("good", "2022-05-15")
    target = catalogue.folder / "bad" / "SCL.tif"
    target.write_bytes(target.read_bytes()[:60])
    summary = observe(request_of(catalogue, plots, tmp_path / "obs"))
    assert [(one.code, one.scene_id, one.asset) for one in summary.refused] == [("asset_unreadable", "bad", "SCL")]
    assert set(rows_of(tmp_path / "obs")["scene_id"]) == {"good"}
    assert manifest_of(tmp_path / "obs")["refused"][0]["code"] == "asset_unreadable"


def test_if_no_scene_serves_nothing_is_written(catalogue, plots, tmp_path):
    catalogue.add("bad", "2022-05-10")
    (catalogue.folder / "bad" / "SCL.tif").write_text("<html>not here</html>")
    with pytest.raises(InputUnusableError, match="no_usable_scene"):
        observe(request_of(catalogue, plots, tmp_path / "obs"))
    assert not (tmp_path / "obs").exists()


def test_plots_outside_every_scene_are_named(catalogue, field_of, write_plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    far = write_plots(tmp_path / "p.geojson", field_of("near", 4, 4, 8, 8), field_of("far", 38, 60, 8, 8))
    summary = observe(request_of(catalogue, far, tmp_path / "obs"))
    assert [(one.code, one.plot_id) for one in summary.refused] == [("plot_outside_scenes", "far")]
    alone = write_plots(tmp_path / "q.geojson", field_of("far", 41, 4, 8, 8), field_of("farther", -12, 4, 8, 8))
    with pytest.raises(InputUnusableError, match="no_plot_in_scenes"):
        observe(request_of(catalogue, alone, tmp_path / "none"))
    elsewhere = write_plots(tmp_path / "r.geojson", field_of("away", 9_000, 4, 8, 8))
    with pytest.raises(InputUnusableError, match="no_plot_in_scenes"):
        observe(request_of(catalogue, elsewhere, tmp_path / "none"))
    assert not list(tmp_path.glob("*none*"))


def test_dates_in_the_wrong_order_are_wrong_usage(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    with pytest.raises(WrongUsageError, match="date_range_invalid"):
        request_of(catalogue, plots, tmp_path / "obs", start=date(2022, 7, 1), end=date(2022, 5, 1))


def test_features_that_are_no_items_are_no_catalogue(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    with pytest.raises(InputUnusableError, match="catalog_not_stac"):
        observe(request_of(catalogue, plots, tmp_path / "obs", scenes=str(plots)))


def test_an_index_of_the_users_own_becomes_a_column(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    mine = tmp_path / "mine.toml"
    mine.write_text(MY_INDEX)
    observe(request_of(catalogue, plots, tmp_path / "obs", indices=("NDVI", "MYRATIO"), index_file=mine))
    rows = rows_of(tmp_path / "obs")
    assert list(rows.columns[-2:]) == ["ndvi", "myratio"]
    assert rows["myratio"].to_numpy() == pytest.approx(np.full(3, 0.45 / 0.07), rel=5e-3)


def test_an_unknown_index_is_wrong_usage(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    with pytest.raises(WrongUsageError, match="index_unknown"):
        observe(request_of(catalogue, plots, tmp_path / "obs", indices=("NDXX",)))


def test_a_second_run_on_the_same_output_is_turned_away(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    with hold(tmp_path / "obs"), pytest.raises(RunInProgressError):
        observe(request_of(catalogue, plots, tmp_path / "obs"))


def test_a_stopped_run_goes_on_and_ends_in_the_same_bytes(catalogue, plots, tmp_path, monkeypatch):
    for day in ("2022-05-10", "2022-05-15", "2022-05-20"):
        catalogue.add(f"s-{day}", day)
    observe(request_of(catalogue, plots, tmp_path / "undisturbed"))
    done, real = [], observe_scene._do

    def stops_at_the_third(scene, work, **files):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(scene.scene_id)
        real(scene, work, **files)

    monkeypatch.setattr(observe_scene, "_do", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        observe(request_of(catalogue, plots, tmp_path / "obs"), workers=1)
    assert not (tmp_path / "obs").exists()
    again = []
    monkeypatch.setattr(
        observe_scene, "_do", lambda scene, work, **files: (again.append(scene), real(scene, work, **files))
    )
    observe(request_of(catalogue, plots, tmp_path / "obs"))
    assert len(again) == 1
    assert everything(tmp_path / "obs") == everything(tmp_path / "undisturbed")
    assert not list(tmp_path.glob(".obs*"))


def test_a_cluster_of_processes_writes_the_same_bytes(catalogue, plots, tmp_path):
    for day in ("2022-05-10", "2022-05-15"):
        catalogue.add(f"s-{day}", day)
    observe(request_of(catalogue, plots, tmp_path / "threads"))
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        Client(local, set_as_default=False) as client,
    ):
        observe(request_of(catalogue, plots, tmp_path / "cluster"), client=client)
    assert everything(tmp_path / "threads") == everything(tmp_path / "cluster")


def test_a_manifest_names_no_place_of_this_machine(catalogue, plots, tmp_path):
    catalogue.add("s1", "2022-05-10")
    observe(request_of(catalogue, plots, tmp_path / "obs"))
    text = (tmp_path / "obs" / "manifest.json").read_text()
    assert str(tmp_path) not in text
    assert os.sep + Path(tmp_path).parts[1] not in text
