"""Estimates for many plots out of an assembled season: one row a plot, quantiles or a reason.

Strategy: plots go through the network in batches of one fixed size, the last one filled up with zeros, on one thread.
So memory is flat in the number of plots, and a row's bytes do not depend on which plots stand beside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import torch

from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, QUANTILE_LEVELS, AbstainReason, EstimateStatus
from agrocredit.domain.tables import ESTIMATES
from agrocredit.yields.abstention import abstain
from agrocredit.yields.calibration import group_of
from agrocredit.yields.credibility import blend
from agrocredit.yields.inputs import SeasonInputs, blocks, season_inputs
from agrocredit.yields.training import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray

    from agrocredit.yields.credibility import AreaOutlook
    from agrocredit.yields.network import YieldNetwork
    from agrocredit.yields.release import Release

BATCH_ROWS: Final = 512
CHUNK_ROWS: Final = 16_384
NO_RELEASE: Final = "none"
"""Stands in the column ``release`` where no release answers for a crop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotFacts:
    """What is known of the season's plots beside their curves; arrays over the season's plots in its order."""

    area_m2: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    """Degrees north."""
    outlooks: Sequence[AreaOutlook | None]
    """What the plot's region usually brings, from `agrocredit.yields.outlook_for`; None where no history says."""
    evidence: Sequence[str]
    """Hash of the plot's observations, or any text that names them; goes into the estimate's own hash."""

    def __post_init__(self) -> None:
        n = len(self.area_m2)
        others = (len(self.latitude_deg), len(self.outlooks), len(self.evidence))
        if others != (n, n, n):
            raise WrongUsageError("plots_invalid", f"{n} areas with {others} latitudes, outlooks and evidence hashes")

    def take(self, rows: slice) -> PlotFacts:
        """Return the facts of some plots."""
        return PlotFacts(
            area_m2=self.area_m2[rows],
            latitude_deg=self.latitude_deg[rows],
            outlooks=self.outlooks[rows],
            evidence=self.evidence[rows],
        )

    def chosen(self, places: NDArray[np.intp]) -> PlotFacts:
        """Return the facts of the plots at some places, in their order."""
        return PlotFacts(
            area_m2=self.area_m2[places],
            latitude_deg=self.latitude_deg[places],
            outlooks=[self.outlooks[place] for place in places],
            evidence=[self.evidence[place] for place in places],
        )


def predict(season: xr.Dataset, *, release: Release, plots: PlotFacts, harvest_year: int) -> pa.Table:
    """Return the estimates of all plots of a season, in its order, as `agrocredit.domain.tables.ESTIMATES`.

    Parameters
    ----------
    season : Dataset
        From the features room; thermal axes must span the release's ``thermal_total_c_day``.
    release : Release
    plots : PlotFacts
    harvest_year : int
        Year in which the season's harvest ends.

    Raises
    ------
    WrongUsageError
        ``plots_invalid`` if there are not as many facts as plots.
    InputUnusableError
        ``season_invalid`` or ``index_missing`` if the network cannot read the season.
    """
    n = int(season.sizes["plot"])
    if n != len(plots.area_m2):
        raise WrongUsageError("plots_invalid", f"season of {n} plots with facts about {len(plots.area_m2)}")
    parts = [
        _predict_some(season.isel(plot=rows), release=release, plots=plots.take(rows), harvest_year=harvest_year)
        for rows in blocks(n, CHUNK_ROWS)
    ]
    return pa.concat_tables(parts) if parts else ESTIMATES.empty_table()


def unknown_crop(plot_ids: Sequence[str], *, crop: str, harvest_year: int, as_of: date) -> pa.Table:
    """Return one abstaining row a plot for a crop that no release in force answers for.

    Parameters
    ----------
    plot_ids : sequence of str
    crop : str
    harvest_year : int
    as_of : date
    """
    n = len(plot_ids)
    columns: dict[str, Sequence[object]] = {
        "plot_id": list(plot_ids),
        "crop": [crop] * n,
        "season": [str(harvest_year)] * n,
        "harvest_year": [harvest_year] * n,
        "as_of": [as_of] * n,
        "status": [EstimateStatus.ABSTAINED.value] * n,
        "reason": [AbstainReason.CROP_UNKNOWN.value] * n,
        **{column: [None] * n for column in QUANTILE_COLUMNS},
        "clear_observations": [0] * n,
        "release": [NO_RELEASE] * n,
        "evidence_sha256": [_sha256(plot, crop, harvest_year, as_of, NO_RELEASE) for plot in plot_ids],
    }
    return pa.table(columns, schema=ESTIMATES)


def network_quantiles(network: YieldNetwork, inputs: SeasonInputs) -> NDArray[np.float64]:
    """Return the network's raw quantiles, yield over level, (n, 7).

    Parameters
    ----------
    network : YieldNetwork
    inputs : SeasonInputs
    """
    answers = np.empty((len(inputs), len(QUANTILE_LEVELS)))
    with one_thread(), torch.inference_mode():
        for rows in blocks(len(inputs), BATCH_ROWS):
            steps, context = _filled(inputs.steps[rows]), _filled(inputs.context[rows])
            answers[rows] = network(torch.from_numpy(steps), torch.from_numpy(context))[
                : rows.stop - rows.start
            ].numpy()
    return answers


def estimate_quantiles(
    inputs: SeasonInputs, *, release: Release, outlooks: Sequence[AreaOutlook | None]
) -> NDArray[np.float64]:
    """Return calibrated quantiles in t/ha, joined with the regions' outlooks where there are any, (n, 7).

    Parameters
    ----------
    inputs : SeasonInputs
        With the levels of the same outlooks.
    release : Release
    outlooks : sequence of AreaOutlook or None, length n
    """
    ratios = release.calibration.apply(network_quantiles(release.network, inputs), group_of(inputs))
    levels = np.array([release.facts.reference_t_ha if one is None else one.expected_t_ha for one in outlooks])
    return blend(ratios * levels[:, None], outlooks, config=release.facts.credibility)


def _predict_some(season: xr.Dataset, *, release: Release, plots: PlotFacts, harvest_year: int) -> pa.Table:
    facts = release.facts
    pixels = plots.area_m2 / 100.0
    inputs = season_inputs(
        season,
        pixel_counts=pixels,
        levels_t_ha=[np.nan if one is None else one.expected_t_ha for one in plots.outlooks],
        reference_t_ha=facts.reference_t_ha,
    )
    clear = season["clear_observations"].to_numpy().astype(np.int64)
    reasons = abstain(
        inputs,
        observations=season["observations"].to_numpy().astype(np.int64),
        clear_observations=clear,
        pixel_counts=pixels,
        latitudes_deg=plots.latitude_deg,
        config=facts.abstention,
        known=release.known,
    )
    quantiles = estimate_quantiles(inputs, release=release, outlooks=plots.outlooks)
    return _table(season, quantiles, reasons, inputs, clear=clear, release=release, plots=plots, year=harvest_year)


def _table(
    season: xr.Dataset,
    quantiles: NDArray[np.float64],
    reasons: Sequence[AbstainReason | None],
    inputs: SeasonInputs,
    *,
    clear: NDArray[np.int64],
    release: Release,
    plots: PlotFacts,
    year: int,
) -> pa.Table:
    n, as_of = len(inputs), date.fromisoformat(season.attrs["as_of"])
    plot_ids = [str(plot) for plot in season["plot"].to_numpy()]
    answered = np.array([reason is None for reason in reasons], dtype=bool)
    status = [EstimateStatus.ESTIMATED if known else EstimateStatus.ABSTAINED for known in answered]
    evidence = [
        _sha256(
            plot, release.facts.crop, year, as_of, release.facts.name, release.sha256, text, outlook,
            inputs.steps[row].tobytes().hex(), inputs.context[row].tobytes().hex(), clear[row],
        )
        for row, (plot, text, outlook) in enumerate(zip(plot_ids, plots.evidence, plots.outlooks, strict=True))
    ]  # fmt: skip
    columns = {
        "plot_id": plot_ids,
        "crop": [release.facts.crop] * n,
        "season": [str(year)] * n,
        "harvest_year": [year] * n,
        "as_of": [as_of] * n,
        "status": [one.value for one in status],
        "reason": [None if reason is None else reason.value for reason in reasons],
        **{column: pa.array(quantiles[:, place], mask=~answered) for place, column in enumerate(QUANTILE_COLUMNS)},
        "clear_observations": clear.astype(np.int32),
        "release": [release.facts.name] * n,
        "evidence_sha256": evidence,
    }
    return pa.table(columns, schema=ESTIMATES)


def _filled(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows with zeros up to the fixed batch, so that every product has one shape and one order of sums."""
    missing = BATCH_ROWS - len(rows)
    return rows if missing == 0 else np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), dtype=np.float32)])


def _sha256(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()
