"""From seasons with known yield to a release: the network, its training range, its calibration on held-out years."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import agrocredit
from agrocredit.yields import (
    LabelledSeasons,
    Release,
    ReleaseFacts,
    abstain,
    describe,
    fit,
    fit_calibration,
    fit_range,
    group_of,
    network_quantiles,
    uncorrected,
    with_level,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.yields import Calibration, SeasonInputs
    from pipelines.progress import Progress
    from pipelines.simulated_seasons import SimulatedSeasons
    from pipelines.training_config import TrainingFile


def learn(
    name: str, file: TrainingFile, train: SimulatedSeasons, calibrate: SimulatedSeasons, *, progress: Progress
) -> Release:
    """Return a release that learnt from some years and was corrected on others.

    Parameters
    ----------
    name : str
        Of the release.
    file : TrainingFile
    train, calibrate : SimulatedSeasons
        Of the file's years.
    progress : Progress
        Told of every epoch.
    """
    facts = ReleaseFacts(
        name=name,
        crop=file.season.crop,
        code_version=agrocredit.__version__,
        reference_t_ha=round(float(train.yields_t_ha.mean()), 3),
        base_temperature_c=file.season.base_temperature_c,
        thermal_total_c_day=file.season.thermal_total_c_day,
        indices=tuple(name.lower() for name in file.season.indices),
        network=file.network,
        abstention=file.abstention,
        credibility=file.credibility,
    )
    levels = region_levels(train, error=file.simulation.level_error, seed=file.training.seed)
    labelled = LabelledSeasons(
        inputs=with_level(train.inputs, levels, reference_t_ha=facts.reference_t_ha),
        yields_t_ha=train.yields_t_ha,
        levels_t_ha=levels,
        harvest_years=train.harvest_years,
        regions=train.regions.astype(object),
    )
    release = Release(
        facts=facts,
        network=fit(
            labelled,
            network=file.network,
            training=file.training,
            reference_t_ha=facts.reference_t_ha,
            on_epoch=lambda epoch, _loss: progress("epochs", epoch, file.training.epochs),
        ),
        calibration=uncorrected(),
        known=fit_range(describe(train.inputs), refused_share=file.abstention.out_of_range_share),
        sha256="",
    )
    return replace(release, calibration=_corrected(release, train, calibrate, file=file))


def region_levels(
    known: SimulatedSeasons, *, error: float, seed: int, of: SimulatedSeasons | None = None
) -> NDArray[np.float64]:
    """Return what a region's history would let one expect of each season, t/ha.

    The mean of the region's yields in all years of `known` but the season's own, with a relative error of
    `error` drawn a region and year: real histories are short and of other plots.

    Parameters
    ----------
    known : SimulatedSeasons
        The history.
    error : float
        Standard deviation of the logarithm.
    seed : int
    of : SimulatedSeasons, optional
        The seasons asked about; those of `known` by default.
    """
    asked = known if of is None else of
    table = pd.DataFrame({"region": known.regions, "year": known.harvest_years, "yield": known.yields_t_ha})
    sums = table.groupby(["region", "year"])["yield"].agg(["sum", "count"])
    whole = sums.groupby(level="region").sum()
    index = pd.MultiIndex.from_arrays([asked.regions, asked.harvest_years])
    own = sums.reindex(index).fillna(0.0)
    rest = whole.loc[asked.regions].to_numpy() - own.to_numpy()
    pairs, pair_of = np.unique(np.column_stack([asked.regions, asked.harvest_years]), axis=0, return_inverse=True)
    errors = np.exp(error * np.random.default_rng(seed).standard_normal(len(pairs)))
    levels: NDArray[np.float64] = rest[:, 0] / rest[:, 1] * errors[pair_of]
    return levels


def answered(release: Release, seasons: SimulatedSeasons) -> NDArray[np.bool_]:
    """Return which seasons the release would answer for.

    Parameters
    ----------
    release : Release
    seasons : SimulatedSeasons
    """
    return np.array([reason is None for reason in abstain_on(release, seasons)], dtype=bool)


def abstain_on(release: Release, seasons: SimulatedSeasons) -> list[str | None]:
    """Return why the release would not answer for each season, or None.

    Parameters
    ----------
    release : Release
    seasons : SimulatedSeasons
    """
    reasons = abstain(
        seasons.inputs,
        observations=seasons.observations,
        clear_observations=seasons.clear_observations,
        pixel_counts=seasons.pixel_counts,
        config=release.facts.abstention,
        known=release.known,
    )
    return [None if reason is None else reason.value for reason in reasons]


def _corrected(
    release: Release, train: SimulatedSeasons, held_out: SimulatedSeasons, *, file: TrainingFile
) -> Calibration:
    """Learn the shifts on the seasons that the release would answer for, with and without a level."""
    kept = answered(release, held_out)
    truth, years, inputs = held_out.yields_t_ha[kept], held_out.harvest_years[kept], held_out.inputs.take(kept)
    levels = region_levels(train, of=held_out, error=file.simulation.level_error, seed=file.training.seed)[kept]
    reference_t_ha = release.facts.reference_t_ha
    asked: list[tuple[SeasonInputs, NDArray[np.float64]]] = [
        (with_level(inputs, np.nan, reference_t_ha=reference_t_ha), truth / reference_t_ha),
        (with_level(inputs, levels, reference_t_ha=reference_t_ha), truth / levels),
    ]
    return fit_calibration(
        np.concatenate([network_quantiles(release.network, one) for one, _ in asked]),
        np.concatenate([ratio for _, ratio in asked]),
        groups=np.concatenate([group_of(one) for one, _ in asked]),
        harvest_years=np.concatenate([years, years]),
    )
