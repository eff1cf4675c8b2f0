"""What moved the estimates of a group of plots: beside their rows and never in them, whose columns are a contract."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    import xarray as xr

    from agrocredit.yields import PlotFacts, Release
    from agrocredit.yields.explanations import Influence

Explained = dict[str, list[dict[str, object]]]
"""Influences by plot, strongest first."""


def explain_rows(
    season: xr.Dataset, rows: pa.Table, *, release: Release, plots: PlotFacts, regions: Sequence[str | None]
) -> Explained:
    """Return what moved the estimate of every plot that has one.

    Parameters
    ----------
    season : Dataset
    rows : Table
        The season's estimates, in its order. Plots that were abstained on are no peers of anybody.
    release : Release
    plots : PlotFacts
    regions : sequence of str or None
    """
    from agrocredit.yields.explanations import explain

    answered = np.flatnonzero([status == "estimated" for status in rows["status"].to_pylist()])
    if not answered.size:
        return {}
    influences = explain(
        season.isel(plot=answered),
        release=release,
        plots=plots.chosen(answered),
        regions=[regions[int(row)] for row in answered],
    )
    plot_ids = [str(rows["plot_id"][int(row)]) for row in answered]
    return {plot: [asdict(one) for one in found] for plot, found in zip(plot_ids, influences, strict=True)}


def write_explained(
    explained: Mapping[str, object], out: Path, *, areas: Mapping[str, Sequence[Influence]] | None = None
) -> None:
    """Write explanations as JSON: plots in the order of their ids, areas in that of their names where there are any.

    Parameters
    ----------
    explained : mapping
        By plot.
    out : Path
    areas : mapping, optional
        By area.
    """
    import json

    from agrocredit.store.atomic import write_text

    document: dict[str, object] = {"plots": {plot: explained[plot] for plot in sorted(explained)}}
    if areas:
        document["areas"] = {area: [asdict(one) for one in areas[area]] for area in sorted(areas)}
    write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", out)
