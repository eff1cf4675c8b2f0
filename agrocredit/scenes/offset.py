"""Does the declared reflectance offset fit the pixels? A wrong -0.1 is the commonest lie of Sentinel-2 catalogues.

Two statistics over clear, vegetated ground, both in reflectance without any offset:

- *dark*: the 10th percentile of blue. Leaves absorb blue light, so vegetated ground has a blue reflectance of a few
  hundredths; clearly negative reflectance does not exist.
- *line*: the median of ``blue - (0.49 red + 0.005)``. Over vegetation and dark soil blue follows red on that line
  (Kaufman et al. 1997, doi:10.1109/36.628795: red twice blue; Levy et al. 2007, doi:10.1029/2006JD007811: slope 0.49
  and 0.005, used since for aerosol over land). An offset of 0.1 on both bands moves a pixel 0.051 off the line.

An offset is plausible if *dark* plus it lies in ``DARK`` and *line* plus 0.51 of it lies in ``LINE``. The windows are
about one offset wide (0.1 and 0.051), so that neighbours hardly share a value, and they lie where clear farmland was
found: in 98 products over Switzerland and Belgium *dark* ran from 0.012 to 0.077 and *line* from -0.007 to 0.026.

The declared offset is *overruled* only if it is implausible by both statistics in the same direction and exactly one
other candidate is plausible by both. Haze raises both statistics too, and cloud edges spread *line* widely, so a
picture whose *line* spreads by more than ``SPREAD_MAX`` and one with fewer than ``PIXELS_MIN`` pixels decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.scenes.scene import ReflectanceScale

CANDIDATES = (-0.1, 0.0, 0.1)
"""Offset to be taken off, none, and one taken off twice by whoever made the files."""
DARK = (-0.02, 0.10)
LINE = (-0.015, 0.036)
LINE_SLOPE = 0.49
LINE_INTERCEPT = 0.005
SPREAD_MAX = 0.04
"""From the 10th to the 90th percentile: 0.004 to 0.035 on those 98, 0.045 and 0.06 on two with cloud left in."""
PIXELS_MIN = 50
VEGETATED_MIN = 0.1
"""Least near infrared minus red reflectance, whatever the offset; cloud and roofs have none."""
SAMPLE_SIDES = (128, 512)
"""Pixels a side, at most, of a first look, which may only confirm, and of the one that decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetEvidence:
    """What the clear vegetated pixels of a scene show, as reflectance with no offset applied."""

    pixel_count: int
    dark: float
    line: float
    line_spread: float


def evidence(
    blue: NDArray[np.float64], red: NDArray[np.float64], nir: NDArray[np.float64], *, usable: NDArray[np.bool_]
) -> OffsetEvidence:
    """Return the two statistics of a sample.

    Parameters
    ----------
    blue, red, nir : array of float, equal shapes
        Raw counts times scale, without offset.
    usable : array of bool, same shape
        True where all three have data and the class map, where there is one, says clear land.
    """
    vegetated = usable & (nir - red >= VEGETATED_MIN)
    count = int(vegetated.sum())
    if count == 0:
        return OffsetEvidence(pixel_count=0, dark=float("nan"), line=float("nan"), line_spread=float("nan"))
    above_line = blue[vegetated] - (LINE_SLOPE * red[vegetated] + LINE_INTERCEPT)
    low, middle, high = np.percentile(above_line, (10, 50, 90))
    return OffsetEvidence(
        pixel_count=count,
        dark=float(np.percentile(blue[vegetated], 10)),
        line=float(middle),
        line_spread=float(high - low),
    )


def decide(declared: ReflectanceScale, found: OffsetEvidence) -> ReflectanceScale:
    """Return the declared scale with the verdict of the pixels: confirmed, overruled or undecided.

    >>> from agrocredit.scenes.scene import ReflectanceScale
    >>> lie = ReflectanceScale(scale=1e-4, offset=0.0, offset_source="provider_flag")
    >>> decide(lie, OffsetEvidence(pixel_count=900, dark=0.13, line=0.056, line_spread=0.01)).offset
    -0.1
    """
    if found.pixel_count < PIXELS_MIN or not found.line_spread <= SPREAD_MAX:
        return declared
    sides = _sides(found, declared.offset)
    if sides == (0, 0):
        return replace(declared, check="confirmed")
    others = [offset for offset in CANDIDATES if _sides(found, offset) == (0, 0)]
    if sides not in {(1, 1), (-1, -1)} or len(others) != 1:
        return declared
    return replace(
        declared, offset=others[0], offset_source="pixels", check="overruled", declared_offset=declared.offset
    )


def _sides(found: OffsetEvidence, offset: float) -> tuple[int, int]:
    """Return for *dark* and *line* whether they lie below (-1), in (0) or above (1) their window under an offset."""
    return _side(found.dark + offset, DARK), _side(found.line + (1 - LINE_SLOPE) * offset, LINE)


def _side(value: float, window: tuple[float, float]) -> int:
    return -1 if value < window[0] else 1 if value > window[1] else 0
