from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.inputs import CONTEXT_INPUTS, STEP_INPUTS, STEPS
from agrocredit.yields.network import NetworkConfig, QuantileHead, YieldNetwork, pinball_loss


@given(st.integers(0, 2**31 - 1), st.floats(0.1, 30.0))
@settings(max_examples=60, deadline=None)
def test_no_weights_and_no_state_make_quantiles_cross_or_fall_below_zero(seed, size):
    torch.manual_seed(seed)
    head = QuantileHead(6)
    torch.nn.init.normal_(head.linear.weight, std=size)
    quantiles = head(size * torch.randn(32, 6)).detach().numpy()
    assert quantiles.shape == (32, len(QUANTILE_LEVELS))
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_the_network_stays_small_and_reads_a_whole_season():
    network = YieldNetwork(NetworkConfig())
    assert sum(weights.numel() for weights in network.parameters()) <= 100_000
    answer = network(torch.zeros(3, STEPS, len(STEP_INPUTS)), torch.zeros(3, len(CONTEXT_INPUTS)))
    assert answer.shape == (3, 7)


def test_every_input_channel_can_move_the_answer():
    torch.manual_seed(1)
    network = YieldNetwork(NetworkConfig()).eval()
    steps = torch.zeros(1, STEPS, len(STEP_INPUTS), requires_grad=True)
    context = torch.zeros(1, len(CONTEXT_INPUTS), requires_grad=True)
    network(steps, context).sum().backward()
    assert (steps.grad.abs().sum(dim=(0, 1)) > 0).all()
    assert (context.grad.abs().sum(dim=0) > 0).all()


def test_pinball_loss_agrees_with_scikit_learn():
    rng = np.random.default_rng(2)
    quantiles, truth = np.sort(rng.uniform(0, 9, (50, 7)), axis=1), rng.uniform(0, 9, 50)
    expected = np.mean(
        [mean_pinball_loss(truth, quantiles[:, k], alpha=level) for k, level in enumerate(QUANTILE_LEVELS)]
    )
    assert pinball_loss(torch.from_numpy(quantiles), torch.from_numpy(truth)).item() == pytest.approx(expected)


def test_pinball_loss_is_least_at_the_quantiles_of_the_truth():
    truth = torch.from_numpy(np.random.default_rng(4).gamma(4.0, 1.0, 5000))
    right = torch.quantile(truth, torch.tensor(QUANTILE_LEVELS, dtype=torch.float64)).expand(5000, 7)
    assert all(pinball_loss(right, truth) < pinball_loss(right + shift, truth) for shift in (-0.3, 0.3))


@pytest.mark.parametrize("wrong", [{"width": 0}, {"kernel": 4}, {"dropout": 1.0}, {"hidden": 0}])
def test_a_network_that_cannot_be_built_is_refused_by_its_config(wrong):
    with pytest.raises(ValueError, match="network of width"):
        NetworkConfig(**wrong)
