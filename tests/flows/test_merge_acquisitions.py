from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines import merge_acquisitions as module
from pipelines.merge_acquisitions import merge_acquisitions
from pipelines.observe_scene import SceneOutcome

MAPS = Path("/proc/self/maps")
IDS = pa.array([f"p{number}" for number in range(40)])


def outcome_of(folder, name, acquisition, day, plots, fraction):
    """Return a scene with committed rows of these plots."""
    rows = {"plot": plots, "valid_fraction": fraction, "pixel_count": 9.0 * fraction, "ndvi": fraction / 2}
    table = pa.table({key: np.asarray(values) for key, values in rows.items()})
    path = folder / f"{name}.arrow"
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    at = datetime(2024, 5, day, tzinfo=UTC)
    return SceneOutcome(
        scene_id=name, acquisition=acquisition, acquired_at=at, rows_file=path, manifest={}, grid={}, refused=()
    )


@pytest.fixture
def outcomes(tmp_path):
    rng = np.random.default_rng(5)
    every = np.arange(40)
    return [
        outcome_of(tmp_path, "a", "first", 1, every[:25], rng.uniform(0, 1, 25)),
        outcome_of(tmp_path, "b", "first", 1, every[15:], rng.uniform(0, 1, 25)),
        outcome_of(tmp_path, "c", "second", 6, every[::3], rng.uniform(0, 1, 14)),
    ]


def expected(outcomes):
    """Return (plot, scene) of the rows that speak, plainly."""
    best = {}
    for outcome in outcomes:
        for row in pa.ipc.open_file(str(outcome.rows_file)).read_all().to_pylist():
            key = (row["plot"], outcome.acquired_at)
            if key not in best or row["valid_fraction"] > best[key][1]:
                best[key] = (outcome.scene_id, row["valid_fraction"])
    return [(f"p{plot}", best[plot, at][0]) for plot, at in sorted(best)]


@pytest.mark.parametrize("rows_per_part", [1, 7, 1_000])
def test_parts_hold_the_same_rows_whatever_their_size(outcomes, monkeypatch, rows_per_part):
    monkeypatch.setattr(module, "ROWS_PER_PART", rows_per_part)
    merged = merge_acquisitions(outcomes, plot_ids=IDS)
    parts = list(merged.parts())
    rows = pa.concat_tables(parts)
    assert list(zip(rows["plot_id"].to_pylist(), rows["scene_id"].to_pylist(), strict=True)) == expected(outcomes)
    assert merged.rows == rows.num_rows
    assert merged.touched.all()
    assert all(part.num_rows <= max(rows_per_part, 2) for part in parts)  # two acquisitions of one plot at least


def test_plots_that_no_scene_touches_are_told(outcomes):
    merged = merge_acquisitions(outcomes[:1], plot_ids=IDS)
    assert np.flatnonzero(~merged.touched).tolist() == list(range(25, 40))


@pytest.mark.skipif(not MAPS.exists(), reason="the system does not list what a process has mapped")
def test_no_file_stays_mapped_while_rows_are_put_together(outcomes, monkeypatch):
    """Pages of a mapped file count as memory: with one file a date, a long season would grow."""
    put_together, mapped = module.observed_rows, []

    def spy(*args, **kwargs):
        mapped.extend(line for line in MAPS.read_text().splitlines() if line.endswith(".arrow"))
        return put_together(*args, **kwargs)

    monkeypatch.setattr(module, "observed_rows", spy)
    assert list(merge_acquisitions(outcomes, plot_ids=IDS).parts())
    assert not mapped
