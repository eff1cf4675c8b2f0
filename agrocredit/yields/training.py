"""Fit the network to seasons with known yield. Seeded, one thread: the same rows give the same weights.

A season is shown in many disguises, so that one network serves every case it will meet: with and without a regional
level, with some index curves missing. The truth is always yield over the level shown (the release's reference yield
where none is shown), because ratios to a region travel between regions and absolute yields do not.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.inputs import CHANNELS, SeasonInputs, channels_missing, with_level
from agrocredit.yields.network import NetworkConfig, YieldNetwork, pinball_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How the network is fitted."""

    seed: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    level_hidden_share: float
    """Share of seasons shown without their region's level."""
    channel_missing_share: float
    """Share of seasons shown without some of the curves; NDVI is never taken away."""

    def __post_init__(self) -> None:
        shares = (self.level_hidden_share, self.channel_missing_share)
        if min(self.epochs, self.batch) < 1 or not all(0 <= share <= 1 for share in shares) or self.learning_rate <= 0:
            raise InputUnusableError("config_invalid", f"training settings out of range: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSeasons:
    """Seasons with known yield. Arrays over n rows."""

    inputs: SeasonInputs
    """With the level known; training hides it from some."""
    yields_t_ha: NDArray[np.float64]
    levels_t_ha: NDArray[np.float64]
    """Yield expected in the row's region from other years, t/ha."""
    harvest_years: NDArray[np.int64]
    regions: NDArray[np.object_]

    def __post_init__(self) -> None:
        n = len(self.inputs)
        others = (self.yields_t_ha, self.levels_t_ha, self.harvest_years, self.regions)
        if n == 0 or any(values.shape != (n,) for values in others):
            raise InputUnusableError(
                "training_data_invalid", f"{n} seasons with labels of {[values.shape for values in others]}"
            )
        finite = np.isfinite(self.yields_t_ha) & np.isfinite(self.levels_t_ha) & (self.levels_t_ha > 0)
        if not finite.all() or self.yields_t_ha.min() < 0:
            raise InputUnusableError(
                "training_data_invalid", f"{int((~finite).sum())} of {n} seasons without a yield or a level above 0"
            )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> LabelledSeasons:
        """Return some of the seasons."""
        return LabelledSeasons(
            inputs=self.inputs.take(rows),
            yields_t_ha=self.yields_t_ha[rows],
            levels_t_ha=self.levels_t_ha[rows],
            harvest_years=self.harvest_years[rows],
            regions=self.regions[rows],
        )


def fit(
    seasons: LabelledSeasons,
    *,
    network: NetworkConfig,
    training: TrainingConfig,
    reference_t_ha: float,
    on_epoch: Callable[[int, float], None] | None = None,
) -> YieldNetwork:
    """Return a network fitted to the seasons by pinball loss.

    Parameters
    ----------
    seasons : LabelledSeasons
    network, training : NetworkConfig, TrainingConfig
    reference_t_ha : float
        Reference yield of the release, t/ha.
    on_epoch : callable, optional
        Told the epoch, from 1, and its mean loss (yield over level, no unit).

    Raises
    ------
    InputUnusableError
        ``training_failed`` if the loss is no longer a number.
    """
    torch.manual_seed(training.seed)
    model = YieldNetwork(network).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay)
    batches = -(-len(seasons.inputs) // training.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=training.learning_rate, total_steps=training.epochs * batches, pct_start=0.1
    )
    rng = np.random.default_rng(training.seed)
    with one_thread():
        for epoch in range(1, training.epochs + 1):
            losses = []
            for inputs, truth in _disguised(seasons, training=training, reference_t_ha=reference_t_ha, rng=rng):
                loss = pinball_loss(model(torch.from_numpy(inputs.steps), torch.from_numpy(inputs.context)), truth)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch states no type here
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            _tell(epoch, float(np.mean(losses)), on_epoch)
    return model.eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread inside, and as before after: sums over threads are not the same bytes twice."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _tell(epoch: int, loss: float, on_epoch: Callable[[int, float], None] | None) -> None:
    if not np.isfinite(loss):
        raise InputUnusableError("training_failed", f"loss {loss} in epoch {epoch}, expected a number")
    if on_epoch is not None:
        on_epoch(epoch, loss)


def _disguised(
    seasons: LabelledSeasons, *, training: TrainingConfig, reference_t_ha: float, rng: np.random.Generator
) -> Iterator[tuple[SeasonInputs, torch.Tensor]]:
    """Yield shuffled batches, each season with its level and curves shown or hidden anew, and yield over level (B,)."""
    order = rng.permutation(len(seasons.inputs))
    for start in range(0, len(order), training.batch):
        rows = order[start : start + training.batch]
        levels = np.where(rng.random(len(rows)) < training.level_hidden_share, np.nan, seasons.levels_t_ha[rows])
        inputs = with_level(seasons.inputs.take(rows), levels, reference_t_ha=reference_t_ha)
        inputs = channels_missing(inputs, _missing(len(rows), share=training.channel_missing_share, rng=rng))
        shown = np.where(np.isfinite(levels), levels, reference_t_ha)
        yield inputs, torch.from_numpy((seasons.yields_t_ha[rows] / shown).astype(np.float32))


def _missing(n: int, *, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which curves are hidden, (n, channel); the first, NDVI, stays."""
    missing = (rng.random((n, 1)) < share) & (rng.random((n, len(CHANNELS))) < 0.5)
    missing[:, 0] = False
    return missing
