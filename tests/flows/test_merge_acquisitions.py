from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrocredit.domain.tables import scene_row
from pipelines import merge_acquisitions as module
from pipelines.merge_acquisitions import merge_acquisitions, observed_rows
from pipelines.observe_scene import SceneOutcome
from pipelines.scene_rows import write_rows

NAMES = ["ndvi"]
IDS = pa.array([f"p{number:03}" for number in range(40)])


def rows_of(plots, fraction):
    """Return what a scene says of these plots; an index has no value where nothing is clear."""
    rows = np.zeros(len(plots), scene_row(NAMES))
    rows["plot"], rows["valid_fraction"], rows["pixel_count"] = plots, fraction, 9.0 * np.asarray(fraction)
    rows["ndvi"] = np.where(np.asarray(fraction) > 0, np.asarray(fraction) / 2, np.nan)
    return rows


def scene_of(name, acquisition, day, path=None):
    at = datetime(2024, 5, day, tzinfo=UTC)
    return SceneOutcome(
        scene_id=name, acquisition=acquisition, acquired_at=at, rows_file=path, manifest={}, grid={}, refused=()
    )


def outcome_of(folder, name, acquisition, day, rows):
    """Return a scene with these rows committed."""
    write_rows(rows, folder / f"{name}.rows")
    return scene_of(name, acquisition, day, folder / f"{name}.rows")


@pytest.fixture
def scenes():
    rng = np.random.default_rng(5)
    every = np.arange(40)
    return [
        ("a", "first", 1, rows_of(every[:25], rng.uniform(0, 1, 25))),
        ("b", "first", 1, rows_of(every[15:], rng.uniform(0, 1, 25))),
        ("c", "second", 6, rows_of(every[::3], rng.uniform(0, 1, 14))),
    ]


@pytest.fixture
def outcomes(scenes, tmp_path):
    return [outcome_of(tmp_path, *scene) for scene in scenes]


def expected(scenes):
    """Return the rows that speak, plainly: the first of those that show most, by plot and by order of scenes."""
    best = {}
    for number, (name, acquisition, day, rows) in enumerate(scenes):
        for plot, fraction, count, ndvi in rows.tolist():
            found = best.get((plot, acquisition))
            if found is None or fraction > found["valid_fraction"]:
                best[plot, acquisition] = {
                    "number": number,
                    "plot_id": IDS[plot].as_py(),
                    "scene_id": name,
                    "acquired_at": datetime(2024, 5, day, tzinfo=UTC),
                    "valid_fraction": fraction,
                    "pixel_count": count,
                    "ndvi": None if np.isnan(ndvi) else ndvi,
                }
    ordered = sorted(best.values(), key=lambda row: (row["plot_id"], row["number"]))
    return [{name: value for name, value in row.items() if name != "number"} for row in ordered]


@pytest.mark.parametrize("rows_per_part", [1, 7, 1_000])
def test_parts_hold_the_same_rows_whatever_their_size(scenes, outcomes, monkeypatch, rows_per_part):
    monkeypatch.setattr(module, "ROWS_PER_PART", rows_per_part)
    merged = merge_acquisitions(outcomes, plot_ids=IDS, names=NAMES)
    parts = list(merged.parts())
    rows = pa.concat_tables(parts)
    assert rows.to_pylist() == expected(scenes)
    assert merged.rows == rows.num_rows
    assert merged.touched.all()
    assert all(part.num_rows <= max(rows_per_part, 2) for part in parts)  # two acquisitions of one plot at least


@st.composite
def seasons(draw):
    """Scenes of few acquisitions, whose tiles may be taken in turns, on some plots, often equally clear."""
    count = draw(st.integers(1, 6))
    scenes = []
    for number in range(count):
        plots = sorted(draw(st.sets(st.integers(0, 5), max_size=6)))
        fraction = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=len(plots), max_size=len(plots)))
        acquisition = draw(st.sampled_from(["first", "second", "third"]))
        scenes.append((f"s{number}", acquisition, number + 1, rows_of(plots, fraction)))
    return scenes


@given(seasons())
def test_the_scene_speaks_that_shows_most_and_rows_are_by_plot_and_time(scenes):
    told = [scene_of(*scene[:3]) for scene in scenes]
    rows = observed_rows([scene[3] for scene in scenes], told, names=NAMES, plot_ids=IDS, plots=range(6))
    assert rows.to_pylist() == expected(scenes)


def test_a_scene_that_has_all_plots_touches_all(tmp_path):
    outcome = outcome_of(tmp_path, "all", "first", 1, rows_of(np.arange(40), np.zeros(40)))
    merged = merge_acquisitions([outcome], plot_ids=IDS, names=NAMES)
    assert merged.touched.all()
    assert merged.rows == 40


def test_plots_that_no_scene_touches_are_told(outcomes):
    merged = merge_acquisitions(outcomes[:1], plot_ids=IDS, names=NAMES)
    assert np.flatnonzero(~merged.touched).tolist() == list(range(25, 40))


def test_a_longer_season_takes_no_more_memory(tmp_path, monkeypatch):
    """Of the committed rows only those of one part are in memory, one scene at a time."""
    monkeypatch.setattr(module, "ROWS_PER_PART", 4_000)
    ids = pa.array([f"p{number:06}" for number in range(20_000)])
    rows = rows_of(np.arange(20_000), np.full(20_000, 0.5))
    season = [outcome_of(tmp_path, f"s{day}", f"a{day}", day, rows) for day in range(1, 21)]

    def most_bytes(outcomes):
        tracemalloc.start()
        for part in merge_acquisitions(outcomes, plot_ids=ids, names=NAMES).parts():
            del part
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert most_bytes(season) < 1.2 * most_bytes(season[:4])
