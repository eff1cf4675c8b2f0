"""What a satellite would have recorded of simulated canopies: clouds, gaps, haze, neighbours, a sensor not quite true.

Everything is drawn a season, on a grid of single days, so that seasons of any revisit share arrays. The disturbances
are wider than any one sensor's, on purpose: a network that has seen only clean curves is sure of itself where it should
not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.domain.errors import InputUnusableError
from agrocredit.growth import canopy_reflectance
from agrocredit.indices import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agrocredit.growth import CanopyOptics, GrowthSeason
    from agrocredit.indices import IndexDefinition

    Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LooksConfig:
    """How the simulated seasons are looked at; ranges are drawn from uniformly, spreads are standard deviations."""

    revisit_days: tuple[int, ...]
    """Days between acquisitions; one of these a season."""
    revisit_shares: tuple[float, ...]
    """How often each of them is drawn."""
    clear_share: tuple[float, float]
    """Share of acquisitions that show the plot."""
    partial_share: float
    """Share of clear looks that show only part of the plot."""
    late_start_share: float
    """Share of seasons whose first acquisition comes late, up to `late_start_max` of the season."""
    late_start_max: float
    gap_share: float
    """Share of seasons with one long gap."""
    gap_days: tuple[int, int]
    missed_cloud_share: float
    """Share of looks with a cloud the mask did not see."""
    band_gain_spread: float
    """Constant error of a season's band, relative: sensor, atmosphere, and our leaf spectra against real ones."""
    band_offset_spread: float
    """Constant error of a season's band, reflectance."""
    look_gain_spread: float
    """Error of one look, all bands alike, relative."""
    band_noise: float
    """Error of one look and band, reflectance."""
    nir08_share: float
    """Share of seasons seen without B08, so that B8A stands in."""
    pixels: tuple[float, float]
    """Smallest and largest plot in 10 m pixels, drawn by logarithm."""
    mixing: float
    """Largest share of a one-pixel plot's signal that comes from the neighbours; falls with the root of the pixels."""

    def __post_init__(self) -> None:
        shares = [self.partial_share, self.late_start_share, self.late_start_max, self.gap_share, self.nir08_share]
        shares += [self.missed_cloud_share, *self.clear_share]
        wrong = len(self.revisit_days) != len(self.revisit_shares) or abs(sum(self.revisit_shares) - 1) > 1e-9
        if wrong or not all(0 <= share <= 1 for share in shares) or not 1 <= self.pixels[0] < self.pixels[1]:
            raise InputUnusableError("config_invalid", f"settings of the simulated looks out of range: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLooks:
    """Looks at n seasons on a grid of days; what the features room reads."""

    index_values: Doubles
    """(n, day, index); meaningless where the weight is 0."""
    weights: Doubles
    """(n, day) share of the plot seen clear, 0 where there is no look."""
    touched: NDArray[np.bool_]
    """(n, day) whether there was an acquisition, clouded or not."""
    pixel_counts: Doubles
    """(n,)"""


def simulate_looks(
    grown: GrowthSeason,
    *,
    cover: Doubles,
    soil_brightness: Doubles,
    nitrogen: Doubles,
    optics: CanopyOptics,
    indices: Sequence[IndexDefinition],
    config: LooksConfig,
    rng: np.random.Generator,
) -> SimulatedLooks:
    """Return the looks at grown seasons.

    Parameters
    ----------
    grown : GrowthSeason
        n seasons; neighbours in order are taken as neighbours in the field.
    cover, soil_brightness, nitrogen : ndarray, shape (n,)
        Share of the ground the crop stands on, the rest is bare; nitrogen colours the leaves.
    optics : CanopyOptics
    indices : sequence of IndexDefinition
    config : LooksConfig
    rng : numpy Generator
    """
    n, days = grown.green_lai.shape
    touched, weights = _schedule(n, days, config=config, rng=rng)
    pixels = np.exp(rng.uniform(np.log(config.pixels[0]), np.log(config.pixels[1]), size=n))
    crop, bare = (
        canopy_reflectance(
            green_lai,
            optics=optics,
            dead_lai=dead_lai,
            soil_brightness=soil_brightness[:, None],
            soil_wetness=grown.surface_wetness,
            chlorophyll=nitrogen[:, None],
            water_stress=grown.water_stress,
        )
        for green_lai, dead_lai in ((grown.green_lai, grown.dead_lai), (np.zeros(1), np.zeros(1)))
    )
    bands = {name: cover[:, None] * crop[name] + (1 - cover[:, None]) * bare[name] for name in crop}
    mixed = np.minimum(rng.uniform(0.0, config.mixing, size=n) / np.sqrt(pixels), 0.6)[:, None]
    bands = {name: (1 - mixed) * band + mixed * np.roll(band, 1, axis=0) for name, band in bands.items()}
    seen = _sensed(bands, config=config, rng=rng)
    values = np.stack([evaluate(index, seen) for index in indices], axis=2)
    return SimulatedLooks(index_values=values, weights=weights, touched=touched, pixel_counts=pixels)


def _schedule(n: int, days: int, *, config: LooksConfig, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Doubles]:
    """Draw when there was an acquisition, and how much of the plot it showed, both (n, day)."""
    day = np.arange(days)[None, :]
    revisit = rng.choice(config.revisit_days, size=n, p=config.revisit_shares)[:, None]
    touched = (day + rng.integers(0, revisit, size=(n, 1))) % revisit == 0
    late = rng.random(n) < config.late_start_share
    touched &= day >= np.where(late, rng.uniform(0, config.late_start_max * days, size=n), 0)[:, None]
    gap = np.where(rng.random(n) < config.gap_share, rng.integers(*config.gap_days, size=n), 0)[:, None]
    gap_from = rng.integers(0, days, size=(n, 1))
    touched &= ~((day >= gap_from) & (day < gap_from + gap))
    # A composite of a month finds a clear day far oftener than one overpass does.
    clear_share = rng.uniform(*config.clear_share, size=(n, 1)) ** (1 / np.sqrt(np.maximum(revisit / 5, 1)))
    clear = rng.random((n, days)) < clear_share
    partly = np.where(rng.random((n, days)) < config.partial_share, rng.uniform(0.05, 1, size=(n, days)), 1.0)
    return touched, np.where(touched & clear, partly, 0.0)


def _sensed(bands: Mapping[str, Doubles], *, config: LooksConfig, rng: np.random.Generator) -> dict[str, Doubles]:
    """Return reflectance as recorded: errors of the season, of the look and of the band, and clouds the mask missed."""
    n, days = next(iter(bands.values())).shape
    look = 1 + config.look_gain_spread * rng.standard_normal((n, days))
    cloud = np.where(rng.random((n, days)) < config.missed_cloud_share, rng.uniform(0.1, 0.5, size=(n, days)), 0.0)
    seen = {}
    for name in sorted(bands):
        gain = 1 + config.band_gain_spread * rng.standard_normal((n, 1))
        offset = config.band_offset_spread * rng.standard_normal((n, 1))
        noise = config.band_noise * rng.standard_normal((n, days))
        # Clouds are about as bright in every band; 0.6 is a thick one.
        seen[name] = (1 - cloud) * (bands[name] * gain * look + offset + noise) + cloud * 0.6
    stands_in = rng.random((n, 1)) < config.nir08_share
    seen["nir"] = np.where(stands_in, seen["nir08"], seen["nir"])
    return seen
