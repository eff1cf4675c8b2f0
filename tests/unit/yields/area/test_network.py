from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.yields.area.network import AreaNetwork, AreaNetworkConfig


def a_network(seed=0):
    torch.manual_seed(seed)
    network = AreaNetwork(AreaNetworkConfig(features=3, regions=2, members=2))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=2.0)
    return network.eval()


def test_a_network_that_has_learnt_nothing_moves_no_middle():
    network = AreaNetwork(AreaNetworkConfig(features=3, regions=2, members=2)).eval()
    with torch.inference_mode():
        quantiles = network(torch.ones(1, 3), torch.ones(1), torch.zeros(1, dtype=torch.int64))
    assert quantiles[0, 3] == 0.0


@given(st.integers(0, 50), st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3), st.integers(0, 2))
@settings(deadline=None)
def test_quantiles_rise_whatever_the_weights_and_the_season(seed, x, region):
    with torch.inference_mode():
        quantiles = a_network(seed)(torch.tensor([x]), torch.tensor([0.6]), torch.tensor([region]))[0].numpy()
    assert (np.diff(quantiles) >= 0).all()


def test_a_season_at_its_normal_stays_at_the_level():
    with torch.inference_mode():
        quantiles = a_network()(torch.zeros(1, 3), torch.ones(1), torch.tensor([1]))
    assert quantiles[0, 3] == 0.0


def test_a_region_that_was_not_trained_on_has_the_shared_response_alone():
    network = a_network()
    x = torch.tensor([[1.0, -2.0, 0.5]])
    with torch.inference_mode():
        foreign = network.middle(x, torch.tensor([2]))[:, 0]
    assert torch.allclose(foreign, network.shared @ x[0])


def test_an_area_that_swings_twice_as_much_has_an_interval_twice_as_wide():
    x, region = torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)
    with torch.inference_mode():
        quantiles = a_network()(x, torch.tensor([0.5, 1.0]), region)
    width = quantiles[:, 6] - quantiles[:, 0]
    assert torch.isclose(width[1], 2 * width[0])
