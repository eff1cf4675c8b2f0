"""The yield network: a season's curves in, non-crossing quantiles of yield over the regional level out.

Strategy: three convolutions along the season (36 -> 18 -> 9 steps) see shapes such as a late start or an early fall
wherever they lie; the flattened rest keeps *when*. Steps nobody has seen yet arrive as zeros with ``known`` 0, so one
network serves every date of knowledge. The head cannot cross and cannot go below 0: the median is a softplus, lower
quantiles are shares of the next higher one, upper quantiles add positive steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields.inputs import CONTEXT_INPUTS, STEP_INPUTS, STEPS

_MEDIAN = QUANTILE_LEVELS.index(0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Size of the network. The quantile levels are those of the domain and no choice."""

    width: int = 32
    """Filters of the first convolution; the next two have twice as many."""
    kernel: int = 5
    """Steps a convolution sees."""
    hidden: int = 96
    """Units between the season and the head."""
    dropout: float = 0.05
    """Share of hidden units left out in training."""

    def __post_init__(self) -> None:
        if min(self.width, self.hidden) < 1 or self.kernel % 2 == 0 or not 0 <= self.dropout < 1:
            msg = f"network of width {self.width}, kernel {self.kernel} (odd), hidden {self.hidden}, {self.dropout=}"
            raise ValueError(msg)

    @property
    def steps(self) -> int:
        """Steps of a season that the network reads."""
        return STEPS


class QuantileHead(nn.Module):
    """Seven rising quantiles from 0 upwards, out of a hidden state."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden, len(QUANTILE_LEVELS))

    def forward(self, state: Tensor) -> Tensor:
        """Return quantiles (B, Q) of a state (B, H)."""
        raw = self.linear(state)  # (B, Q)
        median = functional.softplus(raw[:, _MEDIAN : _MEDIAN + 1])  # (B, 1)
        shares = torch.sigmoid(raw[:, :_MEDIAN] + 1.5)  # (B, 3), next to the median first
        below = median * torch.cumprod(shares, dim=1)  # (B, 3) falling
        above = median + torch.cumsum(functional.softplus(raw[:, _MEDIAN + 1 :] - 1.5), dim=1)  # (B, 3) rising
        return torch.cat([below.flip(1), median, above], dim=1)  # (B, Q)


class YieldNetwork(nn.Module):
    """Quantiles of a plot's yield relative to its region's level."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        wide, pad = 2 * config.width, config.kernel // 2
        self.conv1 = nn.Conv1d(len(STEP_INPUTS), config.width, config.kernel, padding=pad)
        self.conv2 = nn.Conv1d(config.width, wide, config.kernel, stride=2, padding=pad)
        self.conv3 = nn.Conv1d(wide, wide, config.kernel, stride=2, padding=pad)
        self.mix = nn.Linear(wide * (STEPS // 4) + len(CONTEXT_INPUTS), config.hidden)
        self.deep = nn.Linear(config.hidden, config.hidden)
        self.drop = nn.Dropout(config.dropout)
        self.head = QuantileHead(config.hidden)

    def forward(self, steps: Tensor, context: Tensor) -> Tensor:
        """Return quantiles (B, Q) from steps (B, T, C) and context (B, K)."""
        x = functional.gelu(self.conv1(steps.transpose(1, 2)))  # (B, W, T)
        x = functional.gelu(self.conv2(x))  # (B, 2W, T/2)
        x = functional.gelu(self.conv3(x))  # (B, 2W, T/4)
        x = torch.cat([x.flatten(1), context], dim=1)  # (B, 2W*T/4 + K)
        x = self.drop(functional.gelu(self.mix(x)))  # (B, H)
        x = x + functional.gelu(self.deep(x))  # (B, H)
        quantiles: Tensor = self.head(x)  # (B, Q)
        return quantiles


def pinball_loss(quantiles: Tensor, truth: Tensor) -> Tensor:
    """Return the mean pinball loss over all levels, in the unit of `truth`.

    ``max(p e, (p - 1) e)`` with ``e = truth - quantile`` (Koenker and Bassett 1978, Econometrica 46:33-50).

    Parameters
    ----------
    quantiles : Tensor, shape (B, Q)
    truth : Tensor, shape (B,)
    """
    return pinball_loss_rows(quantiles, truth).mean()


def pinball_loss_rows(quantiles: Tensor, truth: Tensor) -> Tensor:
    """Return the pinball loss of every row, mean over levels, in the unit of `truth`.

    Parameters
    ----------
    quantiles : Tensor, shape (..., Q)
    truth : Tensor, shape (...)
    """
    levels = torch.tensor(QUANTILE_LEVELS, dtype=quantiles.dtype, device=quantiles.device)  # (Q,)
    error = truth[..., None] - quantiles  # (..., Q)
    return torch.maximum(levels * error, (levels - 1.0) * error).mean(dim=-1)
