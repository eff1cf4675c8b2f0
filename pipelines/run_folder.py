"""Where things lie in a run folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    def tranches(self) -> Path:
        """Parts of the limits, and what is released of them."""
        return self.path / "tranches.parquet"

    @property
    def notices(self) -> Path:
        """What farmers whose limit was cut are told, JSON."""
        return self.path / "notices.json"

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

    def read_tranches(self) -> pa.Table:
        """Return the parts of the limits, columns as `agrocredit.credit.TRANCHES`."""
        from agrocredit.credit import TRANCHES
        from agrocredit.store.tables import read_parquet_table

        return read_parquet_table(self.tranches, TRANCHES, "tranches")

    def read_notices(self) -> list[dict[str, Any]]:
        """Return what farmers whose limit was cut are told, as `pipelines.cut_notices` writes it.

        Raises
        ------
        InputUnusableError
            ``run_invalid`` for a file that is no such list.
        """
        from agrocredit.domain.errors import InputUnusableError

        try:
            notices = json.loads(self.notices.read_bytes())
            return [{name: one[name] for name in ("farmer_id", "season", "sentences")} for one in notices]
        except (ValueError, KeyError, TypeError) as error:
            raise InputUnusableError("run_invalid", f"{self.notices.name} is no list of notices ({error})") from error
