"""The goals of the observation engine and whether the figures of a run meet them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DECODING_MAX = 1.25
PEERS_MIN = {"odc_xvec": 30.0, "exactextract": 25.0, "rasterstats": 400.0}
"""How many times our CPU a peer must cost at least."""
FEW_PLOTS_MIN = 8.0
DIFFERENCE_MAX = 1e-4
WEIGHTS_BYTES_MAX = 350.0
PEAK_MB_MAX = 600.0
QUARTER_TILE = 5490
"""Pixels of 10 m along the tile that the goals are stated for."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """What was measured; CPU seconds are of one date."""

    pixels: int
    """Side of the tile, 10 m each."""
    decode_s: float
    """Decoding the same blocks with rasterio."""
    further_s: float
    """Each further date of `observe`."""
    whole_s: float
    """The whole process of `observe` over all dates, a date: the first run over these plots, which builds weights."""
    kept_s: float
    """The same in every later run, which finds the weights."""
    peak_mb: float
    peers_s: dict[str, float] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    """Largest difference of a value to each peer."""
    few: tuple[int, float, float] | None = None
    """Plots, our whole process a date, exactextract: with few plots."""
    weights_bytes: float | None = None
    """A plot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One goal."""

    goal: str
    found: str
    met: bool


def verdicts(figures: Figures) -> Iterator[Verdict]:
    """Yield each goal that was measured, judged by the whole process, and of two kinds of run by the first."""
    further = figures.further_s / figures.decode_s
    for run, seconds in (("the first run over its plots", figures.whole_s), ("every later run", figures.kept_s)):
        whole = seconds / figures.decode_s
        yield Verdict(
            goal=f"{run} at most {DECODING_MAX} x decoding with rasterio",
            found=f"{whole:.2f} x whole, {further:.2f} x each further date",
            met=whole <= DECODING_MAX,
        )
    for name, least in PEERS_MIN.items():
        if name in figures.peers_s:
            whole, further = (figures.peers_s[name] / ours for ours in (figures.whole_s, figures.further_s))
            yield Verdict(
                goal=f"at least {least:.0f} x less than {name}",
                found=f"{whole:.0f} x whole, {further:.0f} x each further date",
                met=whole >= least,
            )
    if figures.few is not None:
        plots, ours, theirs = figures.few
        found = f"{theirs / ours:.1f} x whole"
        goal = f"with {plots:,} plots at least {FEW_PLOTS_MIN:.0f} x less than exactextract"
        yield Verdict(goal=goal, found=found, met=theirs / ours >= FEW_PLOTS_MIN)
    if "exactextract" in figures.differences:
        apart = figures.differences["exactextract"]
        goal = f"values within {DIFFERENCE_MAX} of exactextract"
        yield Verdict(goal=goal, found=f"{apart:.0e}", met=apart <= DIFFERENCE_MAX)
    if figures.weights_bytes is not None:
        goal = f"weights at most {WEIGHTS_BYTES_MAX:.0f} bytes a plot"
        yield Verdict(goal=goal, found=f"{figures.weights_bytes:.0f}", met=figures.weights_bytes <= WEIGHTS_BYTES_MAX)
    goal = f"peak memory at most {PEAK_MB_MAX:.0f} MB a process"
    yield Verdict(goal=goal, found=f"{figures.peak_mb:.0f} MB", met=figures.peak_mb <= PEAK_MB_MAX)


def print_verdicts(figures: Figures) -> None:
    """Print a line a goal."""
    smaller = "" if figures.pixels >= QUARTER_TILE else "; on this smaller one, starting weighs more than pixels"
    print(f"\ngoals, stated for a quarter tile ({QUARTER_TILE} pixels a side){smaller}")
    for one in verdicts(figures):
        print(f"{'met   ' if one.met else 'MISSED'}  {one.goal:<58} {one.found}", flush=True)
