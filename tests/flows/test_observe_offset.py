"""The -0.1 offset declared wrong, either way: the pixels settle it, or the scene says that they could not."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipelines.observe import ObserveRequest, observe

SIDE = 40
LIES = {
    "flag says taken off, it is not": ({"earthsearch:boa_offset_applied": True}, 1_000),
    "an old baseline is named, the offset is there": ({"s2:processing_baseline": "03.01"}, 1_000),
    "a new baseline is named, the offset is gone": ({"s2:processing_baseline": "05.10"}, 0),
}


@pytest.fixture
def observed(catalogue, tmp_path, field_of, write_plots):
    """Return a function that observes a catalogue: the rows of scene ``s``, and what the manifest says of the first."""

    def run():
        request = ObserveRequest(
            scenes=str(catalogue.write()),
            plots=write_plots(tmp_path / "plots.geojson", field_of("a", 4, 4, 8, 8)),
            start=date(2022, 5, 1),
            end=date(2022, 7, 1),
            out=tmp_path / "obs",
        )
        observe(request)
        rows = pd.concat(map(pd.read_parquet, sorted(request.out.glob("*.parquet"))), ignore_index=True)
        manifest = json.loads((request.out / "manifest.json").read_text())
        return rows.query("scene_id == 's'").set_index("plot_id"), manifest["scenes"][0]

    return run


def farmland(seed):
    """Reflectance of a mix of crop and bare soil as optics has it: blue follows red, near infrared follows leaves."""
    rng = np.random.default_rng(seed)
    leaves = np.clip(rng.normal(rng.uniform(0.35, 0.85), 0.18, (SIDE, SIDE)), 0, 1)
    soil = rng.uniform(0.08, 0.2)
    red = 0.035 * leaves + soil * (1 - leaves) + rng.normal(0, 0.004, leaves.shape)
    nir = 0.45 * leaves + 1.35 * soil * (1 - leaves) + rng.normal(0, 0.01, leaves.shape)
    blue = 0.49 * red + rng.uniform(0, 0.022) + rng.normal(0, 0.004, leaves.shape)
    return {"B02": blue, "B04": red, "B08": nir, "B03": red + 0.02}


@pytest.mark.parametrize("lie", [*LIES, None])
@pytest.mark.parametrize("seed", range(4))
def test_with_the_offset_declared_wrong_ndvi_stays_true_or_the_scene_is_flagged(catalogue, observed, lie, seed):
    ground = farmland(seed)
    properties, added = LIES[lie] if lie else ({"earthsearch:boa_offset_applied": False}, 1_000)
    counts = {band: np.maximum(value, 0.001) * 10_000 + added - 1_000 for band, value in ground.items()}
    catalogue.add("s", "2022-05-10", counts=counts, properties=properties).add("good", "2022-05-15")
    rows, scene = observed()
    index = (ground["B08"] - ground["B04"]) / (ground["B08"] + ground["B04"])
    error = abs(rows.loc["a", "ndvi"] - index[4:12, 4:12].mean())
    flagged = scene["offset_check"] == "undecided"
    assert error <= 0.01 or flagged, (error, scene)
    if lie and not flagged:
        assert scene["offset_source"] == "pixels"
    if lie is None:
        assert error <= 0.01


def test_where_the_pixels_cannot_decide_the_scene_says_so(catalogue, observed):
    catalogue.add(
        "bare",
        "2022-05-10",
        counts={"B02": 900, "B04": 1_600, "B08": 2_000},
        properties={"earthsearch:boa_offset_applied": True},
    )
    _, scene = observed()
    assert scene["offset_check"] == "undecided"
