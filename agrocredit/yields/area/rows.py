"""Area-years: what was known of each on one day, and the yield it brought where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRows:
    """Area-years with their features. Arrays over n rows."""

    units: NDArray[np.object_]
    """Name of the area (county, district, plot)."""
    regions: NDArray[np.object_]
    """Name of what it lies in (state, country)."""
    harvest_years: NDArray[np.int64]
    longitude_deg: NDArray[np.float64]
    """NaN where the source has none."""
    latitude_deg: NDArray[np.float64]
    features: NDArray[np.float64]
    """(n, k), named by `names`; NaN where not known on the day of knowledge."""
    names: tuple[str, ...]
    yields_t_ha: NDArray[np.float64]
    """NaN where not known."""

    def __post_init__(self) -> None:
        n = len(self.units)
        others = (self.regions, self.harvest_years, self.longitude_deg, self.latitude_deg, self.yields_t_ha)
        if any(values.shape != (n,) for values in others) or self.features.shape != (n, len(self.names)):
            shapes = [values.shape for values in (*others, self.features)]
            raise InputUnusableError("training_data_invalid", f"{n} area-years with columns of {shapes}")

    def __len__(self) -> int:
        return len(self.units)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> AreaRows:
        """Return some of the rows."""
        return AreaRows(
            units=self.units[rows],
            regions=self.regions[rows],
            harvest_years=self.harvest_years[rows],
            longitude_deg=self.longitude_deg[rows],
            latitude_deg=self.latitude_deg[rows],
            features=self.features[rows],
            names=self.names,
            yields_t_ha=self.yields_t_ha[rows],
        )
