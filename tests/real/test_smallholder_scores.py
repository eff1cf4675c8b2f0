"""Smallholders' maize as published: the year ahead in Kenya, and countries that the model has never seen."""

import pytest

from pipelines.adapt import adapt
from pipelines.smallholder_scores import smallholder_scores


@pytest.fixture(scope="module")
def tables(shared, tmp_path_factory):
    folders = []
    for name in ("oaf_maize_cropcuts", "national_fao"):
        if not (shared / "yields" / name).is_dir():
            pytest.skip(f"no {name} data")
        folders.append(tmp_path_factory.mktemp("adapted") / name)
        adapt(name, [shared / "yields" / name], out=folders[-1])
    return smallholder_scores(*folders)


def test_a_year_ahead_plots_cells_and_the_low_end_are_better_than_anything_simpler(tables):
    lines = {line["model"]: line for line in tables["the year ahead"]}
    ours, climatology = lines["level and peers"], lines["climatology"]
    assert ours["n"] == 4782
    assert ours["r2"] >= 0.10
    assert ours["cell_r"] >= 0.6
    assert ours["pinball10"] <= 0.95 * climatology["pinball10"]
    assert 0.88 <= ours["coverage90"] <= 0.95
    assert all(ours["rmse_t_ha"] < line["rmse_t_ha"] for name, line in lines.items() if name != "level and peers")


def test_in_a_country_never_seen_it_is_no_worse_than_the_national_mean(tables):
    lines = {(line["country"], line["model"]): line for line in tables["a country never seen"]}
    for country in ("Burundi", "Rwanda"):
        mean, ours = (lines[country, name] for name in ("national mean", "level and peers at the national mean"))
        assert ours["rmse_t_ha"] <= mean["rmse_t_ha"]
        assert lines[country, "with 50 labels"]["r2"] > lines[country, "mean of 50 labels"]["r2"] + 0.05
    assert lines["Rwanda", "with 50 labels"]["r2"] >= 0.10
