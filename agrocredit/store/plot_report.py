"""The report of a plot check: how many were read, used and refused, and one record a refused plot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agrocredit.store.plot_rules import PlotSet


def report_plots(plotset: PlotSet) -> dict[str, object]:
    """Return the record that ``plots check`` prints with ``--json`` and writes with ``--report``.

    Parameters
    ----------
    plotset : PlotSet
        What `read_plots` or `check_plots` returned.

    Returns
    -------
    dict
        ``counts`` (plots read, usable, refused), ``refused_by_code`` (code to count), ``area_m2`` (geodesic, of the
        usable plots), ``refused`` (in the order of the file: code, detail, row, plot_id).
    """
    codes = Counter(refusal.code for refusal in plotset.refused)
    return {
        "counts": {"read": plotset.read_count, "usable": len(plotset.plots), "refused": len(plotset.refused)},
        "refused_by_code": dict(sorted(codes.items())),
        "area_m2": float(plotset.plots["area_m2"].sum()),
        "refused": [refusal.as_dict() for refusal in plotset.refused],
    }
