"""The scores as one picture: estimates beside yields, errors beside baselines, coverage by year, width by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from agrocredit.domain.estimate import QUANTILE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pipelines.scored_rows import ScoredRows

    Figures = Mapping[str, float | int | None]

OURS, INSIDE, OUTSIDE, BASELINE = "#1b6e53", "#7fb5a0", "#c0561f", "#b8b8b0"
"""The release, truths inside and outside its 90 % interval, and everything it is compared with; readable without red
and green told apart."""

_LOW, _MIDDLE, _HIGH = (QUANTILE_COLUMNS.index(name) for name in ("q05", "q50", "q95"))


def draw_scores(scored: ScoredRows, out: Path, *, title: str) -> None:
    """Write the picture of a release's scores.

    Parameters
    ----------
    scored : ScoredRows
    out : Path
        PNG file.
    title : str
        Name of the release.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from agrocredit.store.atomic import atomic_file

    figures = scored.figures()
    # A canvas of its own: pyplot keeps figures alive and reads the user's settings.
    figure = Figure(figsize=(10, 8), layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    ((estimates, errors), (coverage, widths)) = figure.subplots(2, 2)
    figure.suptitle(f"{title}: {figures['n']} estimates, abstained on {figures['abstained']}")
    _estimates(estimates, scored.truth, scored.quantiles)
    _errors(errors, figures, title)
    _coverage(coverage, cast("Mapping[str, Figures]", figures["by_year"]))
    _widths(widths, cast("Mapping[str, Figures]", figures["by_month"]), figures)
    with atomic_file(out) as partial:
        canvas.print_png(str(partial), metadata={"Software": None})


def _estimates(axes: Any, truth: NDArray[np.float64], quantiles: NDArray[np.float64]) -> None:  # noqa: ANN401 - matplotlib states no type of its axes
    known = np.isfinite(quantiles).all(axis=1)
    truth, quantiles = truth[known], quantiles[known]
    inside = (truth >= quantiles[:, _LOW]) & (truth <= quantiles[:, _HIGH])
    for rows, colour, label in ((inside, INSIDE, "inside its 90 % interval"), (~inside, OUTSIDE, "outside")):
        axes.plot(quantiles[rows, _MIDDLE], truth[rows], ".", color=colour, markersize=3, label=label, rasterized=True)
    top = float(np.nanmax([truth.max(initial=1.0), quantiles[:, _MIDDLE].max(initial=1.0)])) * 1.05
    axes.plot([0, top], [0, top], color="black", linewidth=0.8)
    axes.set(xlabel="estimated yield (median), t/ha", ylabel="measured yield, t/ha", xlim=(0, top), ylim=(0, top))
    axes.legend(loc="upper left", markerscale=3)


def _errors(axes: Any, figures: Mapping[str, object], title: str) -> None:  # noqa: ANN401
    lines = {title: cast("Figures", figures), **cast("Mapping[str, Figures]", figures["baselines"])}
    known = {name.replace("_", " "): line["rmse_t_ha"] for name, line in lines.items() if line["rmse_t_ha"] is not None}
    colours = [OURS if name == title.replace("_", " ") else BASELINE for name in known]
    bars = axes.barh(list(known), list(known.values()), color=colours)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set(xlabel="root mean square error on the same rows, t/ha")


def _coverage(axes: Any, by_year: Mapping[str, Figures]) -> None:  # noqa: ANN401
    known = {year: line["coverage90"] for year, line in by_year.items() if line["coverage90"] is not None}
    axes.bar(list(known), [100 * cast("float", share) for share in known.values()], color=INSIDE)
    axes.axhline(90, color="black", linewidth=0.8)
    axes.set(xlabel="harvest year", ylabel="yields inside the 90 % interval, %", ylim=(0, 100))
    axes.tick_params(axis="x", rotation=90 if len(known) > 8 else 0)


def _widths(axes: Any, by_month: Mapping[str, Figures], figures: Mapping[str, object]) -> None:  # noqa: ANN401
    steps = {**by_month, "last": cast("Figures", figures)}
    known = {month: line["width90_t_ha"] for month, line in steps.items() if line["width90_t_ha"] is not None}
    axes.plot(list(known), list(known.values()), "o-", color=OURS)
    axes.set(xlabel="known at the end of month", ylabel="mean width of the 90 % interval, t/ha")
    axes.set_ylim(bottom=0, top=1.1 * max([cast("float", width) for width in known.values()], default=1.0))
