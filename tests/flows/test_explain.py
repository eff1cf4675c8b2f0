"""What moved an estimate stands beside it: for plots that have one, compared with plots that have one."""

import json

import numpy as np
import pytest
import xarray as xr

from agrocredit.yields import PlotFacts, predict
from pipelines.explain import explain_rows, write_explained
from pipelines.releases import named_release


@pytest.fixture(scope="module")
def answered():
    """Twenty wheat plots, the last one greener, and a pond."""
    release = named_release("winter-wheat-simulated-1")
    step = (np.arange(36) + 0.5) / 36
    heights = np.array([0.45] * 19 + [0.65, 0.0])
    ndvi = 0.15 + heights[:, None] * np.exp(-(((step - 0.65) / 0.18) ** 2))
    curve = np.stack([ndvi * (1 - 0.1 * channel) for channel in range(6)], axis=2).astype(np.float32)
    n = len(heights)
    season = xr.Dataset(
        {
            "curve": (("plot", "step", "channel"), curve),
            "gap_days": (("plot", "step"), np.full((n, 36), 3.0, dtype=np.float32)),
            "seen": (("plot", "step"), np.ones((n, 36), dtype=np.float32)),
            "observations": ("plot", np.full(n, 40)),
            "clear_observations": ("plot", np.full(n, 20)),
        },
        coords={"plot": [f"p{k:02d}" for k in range(n)], "channel": list(release.facts.indices)},
        attrs={"axis": "calendar", "start_on": "2021-09-01", "end_on": "2022-08-31", "as_of": "2022-08-01"},
    )
    plots = PlotFacts(
        area_m2=np.full(n, 6000.0), latitude_deg=np.full(n, 40.0), outlooks=[None] * n, evidence=["seen"] * n
    )
    rows = predict(season, release=release, plots=plots, harvest_year=2022)
    return rows, explain_rows(season, rows, release=release, plots=plots, regions=["north"] * n)


def test_every_estimate_is_explained_and_nothing_else(answered):
    rows, explained = answered
    assert rows["status"].to_pylist() == ["estimated"] * 20 + ["abstained"]
    assert set(explained) == {f"p{k:02d}" for k in range(20)}


def test_the_greener_plot_is_told_what_was_higher_and_in_words(answered):
    _, explained = answered
    assert 1 <= len(explained["p19"]) <= 3
    assert all(one["side"] == "higher" and one["compared_with"] == "peers" for one in explained["p19"])
    assert "greenness in mid-season" in [one["what"] for one in explained["p19"]]
    # The others are one another's likes: the greener one moves their mean by a twentieth.
    assert max(abs(one["moved_t_ha"]) for one in explained["p19"]) > max(
        (abs(one["moved_t_ha"]) for one in explained["p00"]), default=0.0
    )


def test_the_file_is_the_same_whatever_the_order(answered, tmp_path):
    _, explained = answered
    write_explained(explained, tmp_path / "one.json")
    write_explained(dict(reversed(explained.items())), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert json.loads((tmp_path / "one.json").read_text())["plots"]["p19"] == explained["p19"]
