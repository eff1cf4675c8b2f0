"""Releases that ship are made by the training files as they stand; cards of those in force carry their own figures."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from agrocredit.store.bundled import models_path
from agrocredit.yields import load_release

MADE_BY = {"winter-wheat-simulated-1": "winter_wheat.toml", "maize-simulated-1": "maize.toml"}
COLUMNS = ("rmse_t_ha", "r2", "pinball", "coverage90", "width90_t_ha", "coverage80")


def in_force():
    return [entry["name"] for entry in tomllib.loads(models_path("in_force.toml").read_text())["release"]]


def test_every_release_in_force_reads_plots_and_is_known_here():
    assert sorted(in_force()) == sorted(MADE_BY)
    for name in in_force():
        assert load_release(models_path(name)).facts.name == name


@pytest.mark.parametrize(("name", "made_by"), [*MADE_BY.items(), ("wheat-us-county", "wheat_us_county.toml")])
def test_the_training_file_in_a_release_is_the_one_that_training_would_read_now(name, made_by):
    manifest = tomllib.loads((models_path(name) / "model.toml").read_text())
    training = Path(__file__).parents[2] / "pipelines" / "training" / made_by
    assert manifest["training"]["file"] == training.read_text()


@pytest.mark.parametrize("name", sorted(MADE_BY))
def test_the_card_carries_the_figures_of_the_scores(name):
    folder = models_path(name)
    scores, card = json.loads((folder / "scores.json").read_text()), (folder / "card.md").read_text()
    lines = {**scores["complete"], **scores["by_year"], **scores["by_plot_pixels"]}
    answered = [line for line in lines.values() if line["n"]]
    assert len(answered) >= 10
    for line in answered:
        assert " | ".join(f"{line[column]:.3f}" for column in COLUMNS) in card
