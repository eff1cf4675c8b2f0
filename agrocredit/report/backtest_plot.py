"""The back-test as a picture: credit against loss for every rule, and realised against predicted default by year."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.report.colours import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_POLICY, *_OTHERS = (CATEGORIES[place] for place in (4, 3, 1, 5, 6))
_INCHES, _DPI = (10.0, 4.2), 150
_LOSS_SHOWN = 4.0
"""Loss rates are shown up to so many times the policy's: beyond, nobody lends."""
_ROOM_FOR_NAMES = 1.75
"""Curves carry their names at their ends, right of the last loss rate shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPicture:
    """What the picture shows; rates as shares, credit in major units."""

    policy: str
    loss_rate: float
    credit: float
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    """Loss rate and credit of each simpler rule at rising scales."""
    years: Sequence[int]
    realised: NDArray[np.float64]
    """Share of the policy's loans that failed, (years,); NaN without a loan."""
    predicted: NDArray[np.float64]
    currency: str
    note: str


def backtest_png(picture: BacktestPicture) -> bytes:
    """Return the picture as PNG; the same figures give the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        _draw_credit(left, picture)
        _draw_default(right, picture)
        figure.suptitle(picture.note, fontsize=9, color="#444444")
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _draw_credit(axes: Axes, picture: BacktestPicture) -> None:
    million = 1e6
    shown = max(_LOSS_SHOWN * picture.loss_rate, 1e-4)
    most = picture.credit
    for (name, (loss, credit)), colour in zip(picture.curves.items(), _OTHERS, strict=False):
        near = np.isfinite(loss) & (loss <= shown) & (credit > 0)
        if not near.any():
            continue
        axes.plot(100 * loss[near], credit[near] / million, color=colour)
        end = (100 * float(loss[near][-1]), float(credit[near][-1]) / million)
        axes.annotate(name.replace("_", " "), end, (4, 0), textcoords="offset points", color=colour, va="center")
        most = max(most, float(credit[near].max(initial=0.0)))
    axes.axvline(100 * picture.loss_rate, color="#999999", linewidth=0.8, linestyle=":")
    here = (100 * picture.loss_rate, picture.credit / million)
    axes.plot(*here, "o", color=_POLICY, markersize=9)
    axes.annotate(picture.policy, here, (0, 26), textcoords="offset points", color=_POLICY, ha="center")
    axes.set(
        xlabel="loss, % of what fell due",
        ylabel=f"credit, million {picture.currency}",
        xlim=(0, 100 * shown * _ROOM_FOR_NAMES),
        ylim=(0, 1.15 * most / million),
    )
    axes.set_title("Credit at each loss rate", loc="left", fontsize=10)
    axes.grid(visible=True, alpha=0.3)


def _draw_default(axes: Axes, picture: BacktestPicture) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.plot(picture.years, 100 * picture.realised, "o-", color=_POLICY, label="realised")
    axes.plot(picture.years, 100 * picture.predicted, "s--", color="#555555", markersize=4, label="predicted before")
    axes.set(xlabel="harvest year", ylabel="loans that fall short, %")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(f"Default under {picture.policy}", loc="left", fontsize=10)
    axes.legend(frameon=False)
    axes.grid(visible=True, alpha=0.3)
