from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.inputs import season_inputs, with_level
from agrocredit.yields.network import NetworkConfig
from agrocredit.yields.prediction import network_quantiles
from agrocredit.yields.scoring import score
from agrocredit.yields.training import LabelledSeasons, TrainingConfig, fit, one_thread

from .conftest import bell_season

NETWORK = NetworkConfig(width=8, hidden=24, dropout=0.0)
TRAINING = TrainingConfig(
    seed=1,
    epochs=8,
    batch=64,
    learning_rate=5e-3,
    weight_decay=1e-4,
    level_hidden_share=0.3,
    channel_missing_share=0.2,
)


def labelled(n, seed):
    """Yield is eight times the height of the bell above the soil, times 15 % of noise; regions differ in nothing."""
    rng = np.random.default_rng(seed)
    peaks = rng.uniform(0.4, 0.95, n)
    season = bell_season(peaks, positions=rng.uniform(0.5, 0.65, n))
    yields = 8 * (peaks - 0.15) * np.exp(0.15 * rng.standard_normal(n))
    levels = rng.uniform(3, 5, n)
    return LabelledSeasons(
        inputs=season_inputs(season, pixel_counts=60.0, levels_t_ha=levels, reference_t_ha=4.0),
        yields_t_ha=yields,
        levels_t_ha=levels,
        harvest_years=np.full(n, 2010),
        regions=np.full(n, "a", dtype=object),
    )


@pytest.fixture(scope="module")
def fitted():
    return fit(labelled(1500, 1), network=NETWORK, training=TRAINING, reference_t_ha=4.0)


@pytest.mark.parametrize("level_shown", [True, False])
def test_a_yield_that_the_curve_shows_is_learnt_with_an_honest_interval(fitted, level_shown):
    test = labelled(1500, 2)
    levels = test.levels_t_ha if level_shown else np.full(1500, np.nan)
    inputs = with_level(test.inputs, levels, reference_t_ha=4.0)
    shown = levels if level_shown else np.full(1500, 4.0)
    scores = score(test.yields_t_ha, network_quantiles(fitted, inputs) * shown[:, None])
    assert scores["r2"] > 0.75
    assert 0.84 < scores["coverage90"] < 0.96


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    seasons, short = labelled(300, 1), replace(TRAINING, epochs=1)
    one, two, other = (
        fit(seasons, network=NETWORK, training=settings, reference_t_ha=4.0).state_dict()
        for settings in (short, short, replace(short, seed=2))
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["conv1.weight"], other["conv1.weight"])


def test_every_epoch_is_told_and_the_loss_falls():
    told = []
    settings = replace(TRAINING, epochs=6)
    fit(
        labelled(600, 1),
        network=NETWORK,
        training=settings,
        reference_t_ha=4.0,
        on_epoch=lambda epoch, loss: told.append((epoch, loss)),
    )
    assert [epoch for epoch, _ in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1][1] < 0.6 * told[0][1]


def test_a_loss_that_is_no_number_ends_training():
    seasons = labelled(200, 1)
    broken = replace(seasons, inputs=replace(seasons.inputs, steps=np.full_like(seasons.inputs.steps, np.nan)))
    with pytest.raises(InputUnusableError, match="training_failed"):
        fit(broken, network=NETWORK, training=replace(TRAINING, epochs=1), reference_t_ha=4.0)


@pytest.mark.parametrize(
    "change",
    [
        {"yields_t_ha": np.full(50, -1.0)},
        {"levels_t_ha": np.zeros(50)},
        {"yields_t_ha": np.full(50, np.nan)},
        {"harvest_years": np.zeros(3, dtype=np.int64)},
    ],
)
def test_labels_that_cannot_be_are_refused(change):
    with pytest.raises(InputUnusableError, match="training_data_invalid"):
        replace(labelled(50, 1), **change)


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputUnusableError, match="config_invalid"):
        replace(TRAINING, level_hidden_share=1.2)


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
