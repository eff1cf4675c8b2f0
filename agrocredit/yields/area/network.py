"""The area network: a season's anomalies in, non-crossing quantiles of yield around the area's level out.

Strategy: few years of weather teach few things, so the middle is a response that all regions share and one of each
region's own, both pulled towards 0, where the answer is the level itself. A hidden layer was tried and lost to this on
years it had not seen, and so did a width of each region's own fitted here. Unknown features arrive as 0, their normal.
The spread is what the area's harvests usually swing, times offsets that rise by construction: quantiles cannot cross.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from agrocredit.domain.estimate import QUANTILE_LEVELS

_MEDIAN = QUANTILE_LEVELS.index(0.50)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaNetworkConfig:
    """Size of the network. The quantile levels are those of the domain and no choice."""

    features: int
    """Features of a season."""
    regions: int
    """Regions with a response of their own; the row after the last is that of every other region, and is 0."""
    members: int
    """Networks of the ensemble."""

    def __post_init__(self) -> None:
        if min(self.features, self.regions, self.members) < 1:
            msg = f"area network of {self.features=}, {self.regions=}, {self.members=}"
            raise ValueError(msg)


class AreaNetwork(nn.Module):
    """Quantiles of an area's yield minus its level, t/ha; all members of the ensemble at once."""

    def __init__(self, config: AreaNetworkConfig) -> None:
        super().__init__()
        m, k, r = config.members, config.features, config.regions
        self.config = config
        self.shared = nn.Parameter(torch.zeros(m, k))
        self.own = nn.Parameter(torch.zeros(m, r, k))
        self.offsets = nn.Parameter(torch.full((m, len(QUANTILE_LEVELS)), -1.0))

    def middle(self, x: Tensor, region: Tensor) -> Tensor:
        """Return the members' deviations (M, B) from anomalies (B, K) and places of regions (B)."""
        response = self.shared[:, None] + functional.pad(self.own, (0, 0, 0, 1))  # (M, R + 1, K)
        every = torch.einsum("bk,mrk->bmr", x, response)  # (B, M, R + 1)
        return every.gather(2, region[:, None, None].expand(-1, every.shape[1], 1))[:, :, 0].T  # (M, B)

    def offset(self, swing: Tensor) -> Tensor:
        """Return how far the members' quantiles (M, B, Q) lie off their middle, from usual swings (B)."""
        steps = functional.softplus(self.offsets)  # (M, Q)
        below = -steps[:, :_MEDIAN].flip(1).cumsum(1).flip(1)  # (M, 3) rising to 0
        above = steps[:, _MEDIAN + 1 :].cumsum(1)  # (M, 3) rising from 0
        offsets = torch.cat([below, torch.zeros_like(steps[:, :1]), above], dim=1)  # (M, Q)
        return swing[:, None] * offsets[:, None, :]  # (M, B, Q)

    def forward(self, x: Tensor, swing: Tensor, region: Tensor) -> Tensor:
        """Return quantiles (B, Q), mean of the members', from anomalies (B, K), swings (B), places of regions (B)."""
        return (self.middle(x, region)[:, :, None] + self.offset(swing)).mean(dim=0)  # (B, Q)
