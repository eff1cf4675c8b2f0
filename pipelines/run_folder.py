"""Where things lie in a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run. Those of later steps may not be there yet."""

    path: Path

    @property
    def plots(self) -> Path:
        """Accepted plots, GeoParquet."""
        return self.path / "plots.parquet"

    @property
    def observations(self) -> Path:
        """Observations dataset, a folder."""
        return self.path / "observations"

    @property
    def estimates(self) -> Path:
        """Yield estimates."""
        return self.path / "estimates.parquet"

    @property
    def decisions(self) -> Path:
        """Decisions."""
        return self.path / "decisions.parquet"

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    def read_observations(self) -> pa.Table:
        """Return the observations, keys as declared in `agrocredit.domain.tables.OBSERVATION_KEYS`, then indices."""
        from agrocredit.store.observations import read_observations

        return read_observations(self.observations)

    def read_estimates(self) -> pa.Table:
        """Return the estimates, columns as declared in `agrocredit.domain.tables.ESTIMATES`."""
        from agrocredit.domain.tables import ESTIMATES
        from agrocredit.store.tables import read_parquet_table

        return read_parquet_table(self.estimates, ESTIMATES, "estimates")

    def read_decisions(self) -> pa.Table:
        """Return the decisions, columns as declared in `agrocredit.domain.tables.DECISIONS`."""
        from agrocredit.domain.tables import DECISIONS
        from agrocredit.store.tables import read_parquet_table

        return read_parquet_table(self.decisions, DECISIONS, "decisions")
