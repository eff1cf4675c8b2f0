"""Harvests that were brought in: the history an estimate may rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaHistory:
    """Yields that were brought in. Arrays over h rows."""

    units: NDArray[np.object_]
    regions: NDArray[np.object_]
    harvest_years: NDArray[np.int64]
    yields_t_ha: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.units)
        if any(v.shape != (n,) for v in (self.regions, self.harvest_years, self.yields_t_ha)):
            raise InputUnusableError("history_invalid", f"{n} units, other columns of another length")
        if not (np.isfinite(self.yields_t_ha).all() and (self.yields_t_ha >= 0).all()):
            raise InputUnusableError("history_invalid", "a yield of the history is missing or below 0")

    def __len__(self) -> int:
        return len(self.units)

    def before(self, year: int) -> AreaHistory:
        """Return the harvests of earlier years."""
        return self.take(self.harvest_years < year)

    def without(self, year: int) -> AreaHistory:
        """Return the harvests of all other years."""
        return self.take(self.harvest_years != year)

    def until(self, year: int) -> AreaHistory:
        """Return the harvests up to a year."""
        return self.take(self.harvest_years <= year)

    def take(self, rows: NDArray[np.bool_]) -> AreaHistory:
        """Return some of the rows."""
        return AreaHistory(
            units=self.units[rows],
            regions=self.regions[rows],
            harvest_years=self.harvest_years[rows],
            yields_t_ha=self.yields_t_ha[rows],
        )

    def joined(self, other: AreaHistory) -> AreaHistory:
        """Return these rows and those of the other whose unit and year are not among them."""
        mine = set(zip(self.units, self.harvest_years.tolist(), strict=True))
        new = np.array(
            [pair not in mine for pair in zip(other.units, other.harvest_years.tolist(), strict=True)], dtype=bool
        )
        added = other.take(new)
        return AreaHistory(
            units=np.concatenate([self.units, added.units]),
            regions=np.concatenate([self.regions, added.regions]),
            harvest_years=np.concatenate([self.harvest_years, added.harvest_years]),
            yields_t_ha=np.concatenate([self.yields_t_ha, added.yields_t_ha]),
        )
