"""The figures of a scored table, and its picture."""

import numpy as np
import pandas as pd
import pytest

from agrocredit.domain.estimate import QUANTILE_COLUMNS
from pipelines.score_figure import draw_scores
from pipelines.scored_rows import ScoredRows, size_bands


@pytest.fixture
def scored():
    """Six plots of two years; the release abstains on the last, and a baseline is one t/ha too high everywhere."""
    truth = np.array([2.0, 3.0, 4.0, 2.0, 3.0, 9.0])
    quantiles = truth[:, None] + np.linspace(-1.0, 1.0, 7)
    quantiles[5] = np.nan
    rows = pd.DataFrame(
        {
            "unit": list("abcdef"),
            "region": ["north"] * 3 + ["south"] * 3,
            "crop": "maize",
            "harvest_year": [2020, 2021] * 3,
            "yield_t_ha": truth,
            "area_m2": [25_000.0, 400.0, 4_000.0, 6_000.0, np.nan, 400.0],
            "reason": [None] * 5 + ["not_observed"],
            **dict(zip(QUANTILE_COLUMNS, quantiles.T, strict=True)),
        }
    )
    months = {"04": 2.0 * (quantiles - truth[:, None]) + truth[:, None], "05": quantiles}
    return ScoredRows(rows=rows, baselines={"mean": quantiles + 1.0}, by_month=months)


def test_groups_split_the_rows_and_bands_of_size_rise(scored):
    figures = scored.figures()
    assert (figures["n"], figures["abstained"]) == (5, 1)
    assert {name: line["n"] for name, line in figures["by_year"].items()} == {"2020": 3, "2021": 2}
    assert {name: line["n"] for name, line in figures["by_region"].items()} == {"north": 3, "south": 2}
    assert [(name, line["n"]) for name, line in figures["by_size"].items()] == [
        ("under 0.1 ha", 1),
        ("0.1 to 0.5 ha", 1),
        ("0.5 to 2 ha", 1),
        ("2 ha and more", 1),
    ]
    assert figures["abstained_because"] == {"not_observed": 1}


def test_baselines_are_scored_on_the_rows_that_the_release_answered(scored):
    line = scored.figures()["baselines"]["mean"]
    assert (line["n"], line["abstained"]) == (5, 0)
    assert line["rmse_t_ha"] == pytest.approx(1.0)


def test_months_stand_in_the_order_of_the_season_and_the_interval_narrows(scored):
    months = scored.figures()["by_month"]
    assert list(months) == ["04", "05"]
    assert [line["width90_t_ha"] for line in months.values()] == pytest.approx([4.0, 2.0])


def test_an_edge_belongs_to_the_band_above_it():
    assert size_bands(np.array([999.9, 1000.0, 20_000.0])).tolist() == [
        "under 0.1 ha",
        "0.1 to 0.5 ha",
        "2 ha and more",
    ]


def test_the_picture_is_the_same_bytes_twice(scored, tmp_path):
    for name in ("one.png", "two.png"):
        draw_scores(scored, tmp_path / name, title="tiny")
    one = (tmp_path / "one.png").read_bytes()
    assert one.startswith(b"\x89PNG")
    assert one == (tmp_path / "two.png").read_bytes()


def test_nothing_answered_still_makes_a_picture(scored, tmp_path):
    silent = scored.rows.assign(**dict.fromkeys(QUANTILE_COLUMNS, np.nan))
    draw_scores(ScoredRows(rows=silent, baselines={}, by_month={}), tmp_path / "none.png", title="tiny")
    assert (tmp_path / "none.png").stat().st_size > 1000
