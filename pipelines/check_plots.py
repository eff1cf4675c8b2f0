"""Validates a lender's plots: what can be used, and one record a refused plot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary

if TYPE_CHECKING:
    from pathlib import Path


def check_plots(plots: Path, *, out: Path | None, report: Path | None, id_field: str | None) -> Summary:
    """Return what `plots` holds; write the accepted plots and the report where asked.

    Parameters
    ----------
    plots : Path
        GeoJSON, GeoPackage, GeoParquet or zipped Shapefile.
    out : Path or None
        GeoParquet file for the accepted plots.
    report : Path or None
        JSON file for counts and refusals.
    id_field : str or None
        Column of the ids, where it is not called ``id``.

    Raises
    ------
    InputUnusableError
        If nothing in the file can be used; nothing is written then.
    """
    from agrocredit.store.canonical_json import write_json
    from agrocredit.store.plot_files import read_plots
    from agrocredit.store.plot_parquet import write_plots

    plot_set = read_plots(plots, id_field=id_field)
    refusals = Counter(refusal.code for refusal in plot_set.refused)
    counts = {"plots": len(plot_set.plots), "refused": len(plot_set.refused)}
    summary = Summary(
        counts=counts,
        refused=plot_set.refused,
        facts={
            "area_ha": round(float(plot_set.plots["area_m2"].sum()) / 10_000, 4),
            "codes": dict(sorted(refusals.items())),
        },
    )
    if out is not None:
        write_plots(plot_set, out)
    if report is not None:
        write_json(summary.as_dict(), report)
    return summary
