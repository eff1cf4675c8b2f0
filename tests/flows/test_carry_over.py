"""A season that grows: what is there is not observed again, and nothing that changed is taken for what it was."""

import json
import shutil
from datetime import date

import numpy as np
import pytest
import rasterio

from agrocredit.scenes import opening
from pipelines.observe import ObserveRequest, observe

DAYS = ("2022-05-10", "2022-05-15", "2022-05-20")
NEXT = "2022-06-04"


def observed(catalogue, plots, out, *, end=date(2022, 7, 1), **changes):
    fields = {"scenes": str(catalogue.write()), "plots": plots, "start": date(2022, 5, 1), "end": end, "out": out}
    return observe(ObserveRequest(**{**fields, **changes}))


def bytes_of(out):
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture
def plots(tmp_path, field_of, write_plots):
    features = [field_of("a", 4, 4, 8, 8), field_of("b", 20.5, 10.25, 6.5, 4), field_of("edge", 36, 30, 8, 8)]
    return write_plots(tmp_path / "plots.geojson", *features)


@pytest.fixture
def season(catalogue):
    """Dates with cloud; on two, a second tile shows part of the land."""
    rng = np.random.default_rng(4)
    for day in (*DAYS, NEXT):
        classes = rng.choice([4, 8], (20, 20), p=[0.7, 0.3]).astype(np.uint8)
        catalogue.add(f"main-{day}", day, counts={"B08": 4_000 + rng.integers(0, 400, (40, 40))}, classes=classes)
    for day in (DAYS[1], NEXT):
        catalogue.add(f"left-{day}", day, tile="32TMT", x0=500_000.0 - 320.0)
    return catalogue


@pytest.fixture
def grown(season, plots, tmp_path, monkeypatch):
    """Observe half of the season; return the folder and the list of scenes that are opened from then on."""
    out = tmp_path / "obs"
    observed(season, plots, out, end=date(2022, 6, 1))
    opened = []
    real = opening.open_scene

    def noted(scene, **options):
        opened.append(scene.scene_id)
        return real(scene, **options)

    monkeypatch.setattr(opening, "open_scene", noted)
    return out, opened


def test_only_new_scenes_are_observed_and_the_bytes_are_those_of_a_full_run(season, plots, tmp_path, grown):
    out, opened = grown
    observed(season, plots, out)
    assert sorted(opened) == [f"left-{NEXT}", f"main-{NEXT}"]
    observed(season, plots, tmp_path / "full")
    assert bytes_of(out) == bytes_of(tmp_path / "full")
    assert not (tmp_path / ".obs.work").exists()


def pixels_changed(season, scene_id):
    path = season.folder / scene_id / "B08.tif"
    with rasterio.open(path) as src:
        profile, pixels = src.profile, src.read(1)
    with rasterio.open(path, "w", **profile) as dst:
        dst.write(pixels + np.uint16(300), 1)


def words_changed(season, scene_id):
    item = next(item for item in season.items if item["id"] == scene_id)
    item["assets"]["B08"]["raster:bands"] = [{"scale": 1e-4, "offset": -0.1, "nodata": 0}]


def file_gone(season, scene_id):
    (season.folder / scene_id / "B11.tif").unlink()


def tile_gone(season, scene_id):
    season.items = [item for item in season.items if item["id"] != scene_id]


@pytest.mark.parametrize(
    ("change", "scene_id"),
    [
        (pixels_changed, f"main-{DAYS[0]}"),
        (pixels_changed, f"left-{DAYS[1]}"),
        (words_changed, f"main-{DAYS[1]}"),
        (file_gone, f"main-{DAYS[0]}"),
        (tile_gone, f"left-{DAYS[1]}"),
    ],
)
def test_a_scene_that_changed_is_observed_again_with_all_tiles_of_its_acquisition(
    season, plots, tmp_path, grown, change, scene_id
):
    out, opened = grown
    change(season, scene_id)
    observed(season, plots, out)
    day = scene_id[5:]
    again = {f"main-{day}", f"left-{day}"} & {item["id"] for item in season.items}
    assert sorted(opened) == sorted(again | {f"left-{NEXT}", f"main-{NEXT}"})
    observed(season, plots, tmp_path / "full")
    assert bytes_of(out) == bytes_of(tmp_path / "full")


def test_a_tile_that_came_later_makes_its_acquisition_be_observed_again(season, plots, tmp_path, grown):
    out, opened = grown
    season.add("late", DAYS[0], tile="32TMT", x0=500_000.0 - 320.0)
    observed(season, plots, out, end=date(2022, 6, 1))
    assert sorted(opened) == ["late", f"main-{DAYS[0]}"]
    observed(season, plots, tmp_path / "full", end=date(2022, 6, 1))
    assert bytes_of(out) == bytes_of(tmp_path / "full")


def test_a_scene_of_which_a_band_was_refused_is_tried_again(season, plots, tmp_path, grown):
    out, opened = grown
    shutil.move(season.folder / f"main-{DAYS[2]}" / "B11.tif", tmp_path / "B11.tif")
    observed(season, plots, out, end=date(2022, 6, 1))
    assert opened == [f"main-{DAYS[2]}"]
    shutil.move(tmp_path / "B11.tif", season.folder / f"main-{DAYS[2]}" / "B11.tif")
    assert observed(season, plots, out, end=date(2022, 6, 1)).refused == ()
    assert opened == [f"main-{DAYS[2]}"] * 2


@pytest.mark.parametrize("what", ["plots", "indices", "part", "manifest", "record"])
def test_a_dataset_of_another_recipe_or_other_plots_or_not_whole_is_no_source(season, plots, grown, write_plots, what):
    out, opened = grown
    changes = {}
    if what == "plots":  # the same shapes under other names
        renamed = json.loads(plots.read_text())["features"]
        renamed[0]["properties"]["id"], renamed[1]["properties"]["id"] = "b", "a"
        write_plots(plots, *renamed)
    elif what == "indices":
        changes["indices"] = ("NDVI",)
    elif what == "part":
        (out / "part-00000.parquet").write_bytes(b"torn")
    elif what == "manifest":
        (out / "manifest.json").write_text("{}")
    else:
        manifest = json.loads((out / "manifest.json").read_text())
        manifest["scenes"][0] = {"scene_id": manifest["scenes"][0]["scene_id"], "assets": 7}
        (out / "manifest.json").write_text(json.dumps(manifest))
    observed(season, plots, out, end=date(2022, 6, 1), **changes)
    assert len(opened) == 4


def test_a_cube_needs_pixels_so_all_is_observed(season, plots, tmp_path, grown):
    out, opened = grown
    observed(season, plots, out, end=date(2022, 6, 1), cube=tmp_path / "cube")
    assert len(opened) == 4
