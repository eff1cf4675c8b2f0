"""What a release is worth on simulated seasons of years it has never seen, beside its baselines, in the same table."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from agrocredit.domain.estimate import QUANTILE_LEVELS
from agrocredit.yields import (
    area_outlooks,
    estimate_quantiles,
    folds,
    integral_line,
    regional_mean,
    rounded,
    score,
    score_by,
    with_level,
)
from agrocredit.yields.calibration import season_share
from pipelines.learn_release import abstain_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.yields import AreaOutlook, Release
    from pipelines.simulated_seasons import SimulatedSeasons

    Doubles = NDArray[np.float64]

SHARE_BANDS: Final = (0.3, 0.5, 0.65, 0.8, 0.95, 1.01)
PIXEL_BANDS: Final = (0.0, 4.0, 10.0, 40.0, 150.0, np.inf)
CLEAR_BANDS: Final = (0, 4, 6, 10, 20, 1000)


def simulated_scores(release: Release, *, history: SimulatedSeasons, test: SimulatedSeasons) -> dict[str, object]:
    """Return the scores of a release on test years.

    Parameters
    ----------
    release : Release
    history : SimulatedSeasons
        Seasons of earlier years: what a regional history would hold.
    test : SimulatedSeasons
        Seasons of years that neither training nor calibration has seen.

    Returns
    -------
    dict
        ``complete``: scores at harvest, a line each for the model alone and with history on both axes, for the region
        alone, and for the two baselines; ``by_year``, ``by_plot_pixels``, ``by_clear_observations`` (with history, at
        harvest) and ``by_season_share`` (as known in season); ``abstained`` by reason.
    """
    reasons = abstain_on(release, test)
    silent = np.array([reason is not None for reason in reasons])
    outlooks = _outlooks(release, history, test)
    alone = _estimates(release, test, [None] * len(outlooks), silent)
    joined = _estimates(release, test, outlooks, silent)
    late, thermal = test.complete, test.inputs.context[:, 0] > 0.5
    truth, share = test.yields_t_ha, season_share(test.inputs)
    lines = {
        f"{name}, {axis}": score(truth[rows], quantiles[rows])
        for axis, rows in (("calendar", late & ~thermal), ("thermal", late & thermal))
        for name, quantiles in (("model alone", alone), ("model with history", joined))
    }
    return rounded(
        {
            "data": "simulated seasons under real weather",
            "test_years": sorted({int(year) for year in test.harvest_years}),
            "complete": {**lines, **_baselines(test, outlooks, rows=late & ~thermal & ~silent)},
            "by_year": score_by(test.harvest_years[late], truth[late], joined[late]),
            "by_plot_pixels": _by_band(test.pixel_counts[late], PIXEL_BANDS, truth[late], joined[late]),
            "by_clear_observations": _by_band(
                test.clear_observations[late].astype(np.float64), CLEAR_BANDS, truth[late], alone[late]
            ),
            "by_season_share": {
                "model alone": _by_band(share, SHARE_BANDS, truth, alone),
                "model with history": _by_band(share, SHARE_BANDS, truth, joined),
            },
            "abstained": dict(sorted(Counter(reason or "answered" for reason in reasons).items())),
        }
    )


def _estimates(
    release: Release, test: SimulatedSeasons, outlooks: Sequence[AreaOutlook | None], silent: NDArray[np.bool_]
) -> Doubles:
    levels = [np.nan if one is None else one.expected_t_ha for one in outlooks]
    inputs = with_level(test.inputs, levels, reference_t_ha=release.facts.reference_t_ha)
    quantiles = estimate_quantiles(inputs, release=release, outlooks=outlooks)
    quantiles[silent] = np.nan
    return quantiles


def _outlooks(release: Release, history: SimulatedSeasons, test: SimulatedSeasons) -> list[AreaOutlook | None]:
    """Return each season's regional outlook, from the regions' mean yields of the earlier years."""
    table = pd.DataFrame({"region": history.regions, "year": history.harvest_years, "yield": history.yields_t_ha})
    means = table.groupby(["region", "year"], as_index=False)["yield"].mean()
    known = pd.DataFrame(
        {
            "region": means["region"].astype(str),
            "crop": release.facts.crop,
            "harvest_year": means["year"],
            "yield_t_ha": means["yield"],
        }
    )
    of_year = {
        year: area_outlooks(known, crop=release.facts.crop, harvest_year=year, config=release.facts.credibility)
        for year in sorted({int(year) for year in test.harvest_years})
    }
    return [of_year[int(year)].get(str(region)) for region, year in zip(test.regions, test.harvest_years, strict=True)]


def _baselines(
    test: SimulatedSeasons, outlooks: Sequence[AreaOutlook | None], *, rows: NDArray[np.bool_]
) -> dict[str, object]:
    """Return the lines of those who do not look, or look with a ruler, on the rows that the model answers."""
    truth, regions = test.yields_t_ha[rows], test.regions[rows].astype(str).astype(object)
    fold = folds([str(region) for region in regions], test.harvest_years[rows])
    region_alone = np.array(
        [(np.nan,) * len(QUANTILE_LEVELS) if one is None else one.quantiles_t_ha for one in outlooks]
    )[rows]
    return {
        "region alone (outlook)": score(truth, region_alone),
        "regional mean": score(truth, regional_mean(regions, truth, fold=fold)),
        "line on NDVI integral": score(truth, integral_line(test.ndvi_integral_days[rows], truth, fold=fold)),
    }


def _by_band(values: Doubles, bands: Sequence[float], truth: Doubles, quantiles: Doubles) -> dict[str, object]:
    """Return scores by band of a value, lower edge included."""
    table: dict[str, object] = {}
    for low, high in pairwise(bands):
        rows = (values >= low) & (values < high)
        if rows.any():
            table[f"{low:g} to {high:g}"] = score(truth[rows], quantiles[rows])
    return table
