"""A plot and a season cube give the rows that the batch gives, and a cube that is not whole gives none."""

import json
import shutil
from datetime import date

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from shapely import MultiPolygon, Point, Polygon, box
from shapely.geometry import shape

from agrocredit.domain.errors import InputUnusableError, RefusedError, WrongUsageError
from agrocredit.zonal.cube import open_cube
from pipelines import cube as cube_flow
from pipelines import grid_projection
from pipelines.cube_blocks import BlockName
from pipelines.fresh import fresh
from pipelines.observe import ObserveRequest, observe

DAYS = ("2022-05-10", "2022-05-15", "2022-05-20")


def request_of(catalogue, plots, out, **changes):
    fields = {"scenes": str(catalogue.write()), "plots": plots, "start": date(2022, 5, 1), "end": date(2022, 7, 1)}
    return ObserveRequest(**{**fields, "out": out, **changes})


def rows_of(out):
    return pd.concat([pd.read_parquet(path) for path in sorted(out.glob("*.parquet"))], ignore_index=True)


def everything(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def counts(rng, level, side):
    return (level + rng.integers(0, 400, (side, side))).astype(np.int64)


@pytest.fixture
def season(catalogue):
    """Three dates with relief and cloud; one lacks a band, and one is shown by two tiles that overlap."""
    rng = np.random.default_rng(4)
    for number, day in enumerate(DAYS):
        classes = rng.choice([4, 5, 8, 9], (20, 20), p=[0.6, 0.2, 0.1, 0.1]).astype(np.uint8)
        relief = {
            "B04": counts(rng, 700, 40),
            "B08": counts(rng, 4000 + 100 * number, 40),
            "B11": counts(rng, 2000, 20),
        }
        bands = ["B02", "B03", "B04", "B08", "B11", "SCL"] if number == 1 else None
        catalogue.add(f"main-{day}", day, counts=relief, classes=classes, bands=bands)
    return catalogue.add(
        "left-tile", DAYS[0], tile="32TMT", x0=500_000.0 - 320.0, counts={"B08": counts(rng, 3000, 40)}
    )


@pytest.fixture
def features(field_of):
    return [
        field_of("a", 1.25, 4.5, 6.5, 8),
        field_of("b", 20.5, 10.25, 6.5, 4),
        field_of("over the edge", 36, 30, 8, 8),
    ]


@pytest.fixture
def fits(monkeypatch):
    """What a batch fits while it takes a polynomial for however few points."""
    fits, fit = [], grid_projection.GridProjection.fit
    monkeypatch.setattr(grid_projection, "POINTS_MIN", 1)
    monkeypatch.setattr(grid_projection.GridProjection, "fit", lambda *of: fits.append(fit(*of)) or fits[-1])
    return fits


@pytest.fixture
def made(season, features, write_plots, tmp_path):
    """Folders of the batch's observations and of the cube of the same run."""
    plots = write_plots(tmp_path / "plots.geojson", *features)
    observe(request_of(season, plots, tmp_path / "obs", cube=tmp_path / "cube"))
    return tmp_path / "obs", tmp_path / "cube"


def assert_same_rows(found, expected):
    pd.testing.assert_frame_equal(
        found.to_pandas(), expected.sort_values("acquired_at").reset_index(drop=True), rtol=0, atol=1e-6
    )


def test_the_rows_of_a_plot_are_those_of_the_batch(made, features):
    observations, cube = made
    rows = rows_of(observations)
    for feature in features:
        name = feature["properties"]["id"]
        found = fresh(shape(feature["geometry"]), cube=cube, plot_id=name)
        assert found.num_rows == len(DAYS)
        assert_same_rows(found, rows[rows["plot_id"] == name])
    assert rows["ndvi"].notna().any()
    assert rows["ndmi"].notna().any()


def test_the_rows_of_a_plot_are_those_of_a_batch_that_projects_by_a_polynomial(fits, made, features):
    assert fits
    assert all(fits)
    test_the_rows_of_a_plot_are_those_of_the_batch(made, features)


def test_a_plot_that_the_run_did_not_know_has_the_rows_that_a_batch_with_it_has(
    made, season, field_of, write_plots, tmp_path
):
    new = field_of("new", 12.3, 15.7, 9.1, 11.9)
    plots = write_plots(tmp_path / "new.geojson", new)
    observe(request_of(season, plots, tmp_path / "other", indices=("EVI", "NDVI")))
    found = fresh(shape(new["geometry"]), cube=made[1], plot_id="new", indices=("EVI", "NDVI"))
    assert_same_rows(found, rows_of(tmp_path / "other"))


def test_parts_of_a_plot_far_from_each_other_are_read_alone(made, season, field_of, write_plots, tmp_path):
    corners = [shape(field_of("x", column, 1, 4, 5)["geometry"]) for column in (1, 30)]
    whole = MultiPolygon(corners)
    feature = {"type": "Feature", "properties": {"id": "two"}, "geometry": whole.__geo_interface__}
    observe(request_of(season, write_plots(tmp_path / "two.geojson", feature), tmp_path / "other"))
    assert_same_rows(fresh(whole, cube=made[1], plot_id="two"), rows_of(tmp_path / "other"))


def test_a_cube_changes_no_byte_of_the_observations_and_is_itself_the_same_again(
    made, season, features, write_plots, tmp_path
):
    observations, cube = made
    plots = write_plots(tmp_path / "again.geojson", *features)
    observe(request_of(season, plots, tmp_path / "plain"))
    assert everything(observations) == everything(tmp_path / "plain")
    observe(request_of(season, plots, tmp_path / "again", cube=tmp_path / "second"), workers=1)
    assert everything(cube) == everything(tmp_path / "second")
    assert not list(tmp_path.glob(".*work"))


def test_a_stopped_run_and_a_cluster_of_processes_end_in_the_same_cube(
    made, season, features, write_plots, tmp_path, monkeypatch
):
    plots = write_plots(tmp_path / "again.geojson", *features)
    request = request_of(season, plots, tmp_path / "again", cube=tmp_path / "second")

    def stops(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cube_flow, "_seal", stops)
        with pytest.raises(KeyboardInterrupt):
            observe(request)
    assert not (tmp_path / "second").exists()
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        Client(local, set_as_default=False) as client,
    ):
        observe(request, client=client)
    assert everything(made[1]) == everything(tmp_path / "second")


def test_any_zarr_reader_opens_it_and_finds_the_raw_numbers(made):
    import rasterio
    import zarr

    cube = open_cube(made[1])
    season = next(one for one in cube.seasons if len(one.scenes) == len(DAYS))
    group = zarr.open_group(made[1] / "season.zarr", mode="r")[season.grid.key]
    fine = group["by_1"]
    layers = fine.attrs["layers"]
    with rasterio.open(made[1].parent / "scenes" / season.scenes[2].scene_id / "B04.tif") as band:
        np.testing.assert_array_equal(fine[2, layers.index("red")], band.read(1))
    assert fine.shards == (3, 4, 512, 512)
    assert fine.chunks == (3, 4, 64, 64)
    assert [scene["scene_id"] for scene in group.attrs["scenes"]] == [f"main-{day}" for day in DAYS]
    assert all(len(asset["sha256"]) == 64 for scene in group.attrs["scenes"] for asset in scene["assets"].values())


def test_a_plot_outside_the_cube_is_an_answer_of_its_own(made, field_of):
    for column in (60, -120, 900_000):
        with pytest.raises(RefusedError, match="plot_outside_cube"):
            fresh(shape(field_of("far", column, 4, 8, 8)["geometry"]), cube=made[1])


def test_a_polygon_that_cannot_be_a_plot_is_refused_as_in_a_file(made):
    bowtie = Polygon([(9.0, 47.5), (9.01, 47.51), (9.01, 47.5), (9.0, 47.51)])
    cases = {
        "geometry_invalid": [bowtie, Point(9, 47.5)],
        "coordinate_invalid": [None, Polygon()],
        "plot_too_small": [box(9, 47.5, 9.00001, 47.50001)],
        "plot_too_large": [box(9, 47.5, 9.2, 47.7)],
        "axis_order_suspected": [box(47.5, 109, 47.501, 109.001)],
    }
    for code, polygons in cases.items():
        for polygon in polygons:
            with pytest.raises(RefusedError, match=code):
                fresh(polygon, cube=made[1])


def damaged(cube, target):
    shutil.copytree(cube, target)
    return sorted((target / "season.zarr").rglob("c/0/0/0/0"))


def test_a_missing_file_of_chunks_is_never_read_as_empty_land(made, features, tmp_path):
    for file in damaged(made[1], tmp_path / "broken"):
        file.unlink()
    with pytest.raises(InputUnusableError, match="cube_invalid"):
        fresh(shape(features[1]["geometry"]), cube=tmp_path / "broken")


def test_a_flipped_bit_or_a_short_file_is_noticed(made, features, tmp_path):
    polygon = shape(features[1]["geometry"])
    for number, spoil in enumerate((lambda data: bytes([data[0] ^ 1]) + data[1:], lambda data: data[:40])):
        for file in damaged(made[1], tmp_path / f"broken-{number}"):
            file.write_bytes(spoil(file.read_bytes()))
        with pytest.raises(InputUnusableError, match="cube_invalid"):
            fresh(polygon, cube=tmp_path / f"broken-{number}")


def test_a_table_of_chunks_of_another_cube_is_noticed(made, features, tmp_path):
    damaged(made[1], tmp_path / "broken")
    table = tmp_path / "broken" / "chunks.parquet"
    manifest = json.loads((tmp_path / "broken" / "manifest.json").read_text())
    manifest["chunks"]["sha256"] = "0" * 64
    (tmp_path / "broken" / "manifest.json").write_text(json.dumps(manifest))
    assert table.is_file()
    with pytest.raises(InputUnusableError, match="cube_invalid"):
        fresh(shape(features[1]["geometry"]), cube=tmp_path / "broken")


def test_a_cube_of_another_recipe_or_format_is_stale_and_what_is_no_cube_says_so(made, features, tmp_path):
    polygon = shape(features[1]["geometry"])
    damaged(made[1], tmp_path / "old")
    path = tmp_path / "old" / "manifest.json"
    manifest = json.loads(path.read_text())
    for change, code in (
        ({"recipe": "0" * 64}, "cube_stale"),
        ({"format": 0}, "cube_stale"),
        ({"seasons": None}, "cube_invalid"),
        ({"indices": [{}]}, "cube_invalid"),
    ):
        path.write_text(json.dumps({**manifest, **change}))
        with pytest.raises(InputUnusableError, match=code):
            fresh(polygon, cube=tmp_path / "old")
    for damage in (b"[", b"\xff" * 5_000):
        path.write_bytes(damage)
        with pytest.raises(InputUnusableError, match="cube_invalid") as caught:
            fresh(polygon, cube=tmp_path / "old")
        assert len(str(caught.value)) < 200
    with pytest.raises(InputUnusableError, match="file_missing"):
        fresh(polygon, cube=tmp_path / "nowhere")


def test_an_index_whose_band_was_not_kept_is_named(made, features, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'schema_version = 1\n[[index]]\nshort_name = "WET"\nlong_name = "Wet"\nformula = "nir / swir22"\n'
        'bands = ["nir", "swir22"]\nrange = [0, 9]\nreference = "made up here"\n'
    )
    with pytest.raises(InputUnusableError, match=r"band_missing.*swir22"):
        fresh(shape(features[1]["geometry"]), cube=made[1], indices=("WET",), index_file=mine)


def test_blocks_are_named_by_tile_row_and_column(season, features, write_plots, tmp_path):
    plots = write_plots(tmp_path / "plots.geojson", *features)
    named = request_of(season, plots, tmp_path / "obs", cube=tmp_path / "cube", cube_blocks=("32TNT/0/0",))
    observe(named)
    kept = [one for one in open_cube(tmp_path / "cube").seasons if one.arrays]
    assert [len(one.scenes) for one in kept] == [len(DAYS)]
    assert fresh(shape(features[1]["geometry"]), cube=tmp_path / "cube").num_rows == len(DAYS)
    with pytest.raises(RefusedError, match="plot_outside_cube"):  # the other tile shows it, and was not kept
        fresh(shape(features[0]["geometry"]), cube=tmp_path / "cube")
    with pytest.raises(InputUnusableError, match="cube_empty"):
        observe(request_of(season, plots, tmp_path / "obs2", cube=tmp_path / "cube2", cube_blocks=("32TNT/7/7",)))
    assert BlockName.parse("32TMT/3/10") == BlockName(tile="32TMT", row=3, col=10)


def test_wrong_names_of_blocks_are_wrong_usage(season, features, write_plots, tmp_path):
    plots = write_plots(tmp_path / "plots.geojson", *features)
    for changes in (
        {"cube": tmp_path / "c", "cube_blocks": ("here",)},
        {"cube_blocks": ("32TNT/0/0",)},
        {"cube": tmp_path / "obs"},
    ):
        with pytest.raises(WrongUsageError):
            request_of(season, plots, tmp_path / "obs", **changes)


def test_a_folder_that_is_not_a_cube_is_left_alone(season, features, write_plots, tmp_path):
    plots = write_plots(tmp_path / "plots.geojson", *features)
    (tmp_path / "cube").mkdir()
    (tmp_path / "cube" / "mine.txt").write_text("mine")
    with pytest.raises(InputUnusableError, match="output_not_ours"):
        observe(request_of(season, plots, tmp_path / "obs", cube=tmp_path / "cube"))
    assert (tmp_path / "cube" / "mine.txt").read_text() == "mine"
