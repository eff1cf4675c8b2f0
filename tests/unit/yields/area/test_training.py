from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.training import AreaTrainingConfig, fit_area

TRAINING = AreaTrainingConfig(seed=3, members=2, steps=250, learning_rate=0.05, shared_penalty=1e-3, own_penalty=1e-3)


def some_rows(n=1000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2)).astype(np.float32)
    places = rng.integers(0, 2, n)
    truth = (0.5 * x[:, 0] + np.where(places == 1, 0.3, -0.3) * x[:, 1] + 0.3 * rng.standard_normal(n)).astype(
        np.float32
    )
    return x, truth, places, rng.integers(2000, 2010, n)


def fitted(training=TRAINING):
    x, truth, places, years = some_rows()
    swings = np.ones(len(x), dtype=np.float32)
    return fit_area(x, truth, swings=swings, places=places, years=years, regions=2, training=training)


def test_the_network_finds_the_shared_response_and_each_regions_own():
    network = fitted()
    with torch.no_grad():
        response = (network.shared[:, None] + network.own).mean(dim=0).numpy()
    np.testing.assert_allclose(response, [[0.5, -0.3], [0.5, 0.3]], atol=0.05)


def test_a_strong_penalty_leaves_the_level_alone():
    network = fitted(replace(TRAINING, shared_penalty=1e7, own_penalty=1e7))
    with torch.no_grad():
        assert float(network.shared.abs().max()) < 0.02
        assert float(network.own.abs().max()) < 0.02


def test_the_same_rows_and_seed_give_the_same_bytes_and_another_seed_gives_others():
    one, again, other = fitted(), fitted(), fitted(replace(TRAINING, seed=4))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(one.shared, other.shared)


def test_the_stated_half_of_the_truth_lies_between_the_quartiles():
    x, truth, places, _ = some_rows()
    network = fitted()
    with torch.no_grad():
        quantiles = network(torch.from_numpy(x), torch.ones(len(x)), torch.from_numpy(places)).numpy()
    inside = (truth >= quantiles[:, 2]) & (truth <= quantiles[:, 4])
    assert 0.4 < inside.mean() < 0.6


def test_yields_that_are_no_numbers_end_the_training():
    x, truth, places, years = some_rows()
    truth[0] = np.nan
    with pytest.raises(InputUnusableError, match="training_failed"):
        fit_area(
            x, truth, swings=np.ones(len(x), dtype=np.float32), places=places, years=years, regions=2, training=TRAINING
        )
