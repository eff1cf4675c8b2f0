"""Fit the area network. Full batches, seeded, one thread: the same rows give the same weights.

The middle is fitted by squared error, because the estimate's error is scored so; the offsets by pinball loss around a
middle that they may not move. Every member sees the years with other weights (Rubin 1981, Annals of Statistics
9:130-134: a Bayesian bootstrap, of whole years), because years and not counties are what is scarce.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.network import AreaNetwork, AreaNetworkConfig
from agrocredit.yields.network import pinball_loss_rows
from agrocredit.yields.training import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTrainingConfig:
    """How the area network is fitted."""

    seed: int
    members: int
    steps: int
    learning_rate: float
    shared_penalty: float
    """Of the squared shared responses, in rows: as many rows without a signal would hold them back as much."""
    own_penalty: float
    """Of the squared responses of each region's own."""

    def __post_init__(self) -> None:
        penalties = (self.shared_penalty, self.own_penalty)
        if min(self.members, self.steps) < 1 or min(penalties) < 0 or self.learning_rate <= 0:
            raise InputUnusableError("config_invalid", f"training settings out of range: {self}")


def fit_area(
    anomalies: NDArray[np.float32],
    deviations_t_ha: NDArray[np.float32],
    *,
    swings: NDArray[np.float32],
    places: NDArray[np.int64],
    years: NDArray[np.int64],
    regions: int,
    training: AreaTrainingConfig,
) -> AreaNetwork:
    """Return a network fitted to area-years.

    Parameters
    ----------
    anomalies : ndarray, shape (n, k)
        Features in standard deviations from their normals, 0 where unknown.
    deviations_t_ha : ndarray, shape (n,)
        Yields minus their levels, t/ha.
    swings : ndarray, shape (n,)
        From `AreaLevels.swing`.
    places : ndarray of int, shape (n,)
        Place of each row's region, `regions` for any other.
    years : ndarray of int, shape (n,)
        Harvest years.
    regions : int
    training : AreaTrainingConfig

    Raises
    ------
    InputUnusableError
        ``training_failed`` if the loss is no longer a number.
    """
    torch.manual_seed(training.seed)
    config = AreaNetworkConfig(features=anomalies.shape[1], regions=regions, members=training.members)
    model = AreaNetwork(config).train()
    x, swing, region = torch.from_numpy(anomalies), torch.from_numpy(swings), torch.from_numpy(places)
    truth = torch.from_numpy(deviations_t_ha)
    weights = torch.from_numpy(_year_weights(years, members=training.members, seed=training.seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=training.steps)
    with one_thread():
        for _ in range(training.steps):
            loss = _loss(model, (x, swing, region), truth, weights) + _penalty(model, training) / len(truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch states no type here
            optimizer.step()
            schedule.step()
    if not bool(torch.isfinite(loss)):
        raise InputUnusableError("training_failed", f"loss {loss.item()} after {training.steps} steps")
    return model.eval()


def _loss(
    model: AreaNetwork,
    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    truth: torch.Tensor,
    weights: torch.Tensor,
) -> torch.Tensor:
    x, swing, region = inputs
    middle = model.middle(x, region)  # (M, B)
    squared = (weights * (truth - middle).square()).mean(dim=1)  # (M)
    around = truth - middle.detach()  # (M, B)
    return (squared + (weights * pinball_loss_rows(model.offset(swing), around)).mean(dim=1)).sum()


def _penalty(model: AreaNetwork, training: AreaTrainingConfig) -> torch.Tensor:
    return training.shared_penalty * model.shared.square().sum() + training.own_penalty * model.own.square().sum()


def _year_weights(years: NDArray[np.int64], *, members: int, seed: int) -> NDArray[np.float32]:
    """Return the members' weights of rows (M, B): one exponential draw a year, scaled to mean 1."""
    table = {int(year): np.random.default_rng([seed, int(year)]).exponential(size=members) for year in np.unique(years)}
    drawn = np.stack([table[int(year)] for year in years], axis=1)
    weights: NDArray[np.float32] = (drawn / drawn.mean(axis=1, keepdims=True)).astype(np.float32)
    return weights
