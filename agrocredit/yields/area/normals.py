"""What an area's seasons are normally like, and how far one of them lies from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.errors import InputUnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.yields.area.rows import AreaRows

ANOMALY_MAX: Final = 3.0
"""The network reads anomalies up to so many standard deviations: beyond it a response is not extrapolated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normals:
    """Means of features of each area over the training years, and how far seasons usually lie from them."""

    units: tuple[str, ...]
    mean: NDArray[np.float32]
    """(u, k)."""
    scale: NDArray[np.float32]
    """(k,), above 0: one for all areas, so that a dry month is as dry in a dry county."""

    def __post_init__(self) -> None:
        if self.mean.shape != (len(self.units), len(self.scale)) or not (self.scale > 0).all():
            raise InputUnusableError(
                "model_invalid", f"normals of shape {self.mean.shape} for {len(self.units)} units, scales above 0"
            )

    def anomalies(self, rows: AreaRows, *, others: Normals | None = None) -> NDArray[np.float64]:
        """Return features (n, k) in standard deviations from their normals; NaN where either is unknown.

        Parameters
        ----------
        rows : AreaRows
        others : Normals, optional
            Of areas that these do not hold.
        """
        means = normals_of(rows.units, [self] if others is None else [self, others])
        result: NDArray[np.float64] = (rows.features - means) / self.scale
        return result


def fit_normals(rows: AreaRows) -> Normals:
    """Return the normals of the areas in some years.

    Parameters
    ----------
    rows : AreaRows
        Of the training years. A feature that an area lacks in all of them takes the mean of all areas; NaN where none
        has it.
    """
    units, place = np.unique(rows.units.astype(str), return_inverse=True)
    known = np.isfinite(rows.features)
    filled = np.where(known, rows.features, 0.0)
    count = _sums(place, known, len(units))
    everywhere = np.where(known.any(axis=0), filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
    mean = np.where(count > 0, _sums(place, filled, len(units)) / np.maximum(count, 1), everywhere)
    away = np.where(known, rows.features - mean[place], 0.0)
    variance = (away**2).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    scale = np.where(variance > 0, np.sqrt(variance), 1.0)
    return Normals(units=tuple(units.tolist()), mean=mean.astype(np.float32), scale=scale.astype(np.float32))


def normals_of(units: NDArray[np.object_], tables: Sequence[Normals]) -> NDArray[np.float64]:
    """Return the normal features (n, k) of areas, from the first table that holds each; NaN where none does.

    Parameters
    ----------
    units : ndarray of str, shape (n,)
    tables : sequence of Normals
    """
    found: dict[str, NDArray[np.float32]] = {}
    for table in reversed(tables):
        found.update(zip(table.units, table.mean, strict=True))
    nothing = np.full(tables[0].mean.shape[1], np.nan)
    return np.array([found.get(str(unit), nothing) for unit in units], dtype=np.float64).reshape(len(units), -1)


def network_input(anomalies: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return anomalies as the network reads them: bounded, and 0, the normal, where unknown.

    Parameters
    ----------
    anomalies : ndarray, shape (n, k)
    """
    return np.nan_to_num(np.clip(anomalies, -ANOMALY_MAX, ANOMALY_MAX)).astype(np.float32)


def strangeness(anomalies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean squared anomaly (n,) over the known features of each row: 1 is usual; 0 where none is known.

    Parameters
    ----------
    anomalies : ndarray, shape (n, k)
        Not bounded.
    """
    known = np.isfinite(anomalies)
    squared = np.where(known, anomalies, 0.0) ** 2
    result: NDArray[np.float64] = squared.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return result


def places_of(regions: NDArray[np.object_], known: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each row's region among those known, ``len(known)`` for any other.

    Parameters
    ----------
    regions : ndarray of str, shape (n,)
    known : sequence of str
    """
    place = {region: at for at, region in enumerate(known)}
    return np.array([place.get(str(region), len(known)) for region in regions], dtype=np.int64)


def _sums(place: NDArray[np.intp], values: NDArray[np.float64] | NDArray[np.bool_], n: int) -> NDArray[np.float64]:
    sums = np.zeros((n, values.shape[1]))
    np.add.at(sums, place, values)
    return sums
