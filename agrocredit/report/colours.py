"""Colours that survive colour blindness and a grey printer."""

from __future__ import annotations

import numpy as np

# Nine evenly spaced stops of viridis (S. van der Walt and N. Smith, matplotlib 1.5, released as CC0): its lightness
# rises evenly, so that the order also reads in grey. Unlike cividis it holds no grey, which is kept for "no value".
_VIRIDIS = np.array(
    [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ],
    dtype=float,
)
SHADES = 6
"""Classes of a sequential scale: more cannot be told apart on a map."""
_FIRST, _LAST = 0.08, 0.97
"""The ends of viridis that are used: the darkest violet is too near to black outlines."""

# M. Okabe and K. Ito, "Color Universal Design" (2008): eight colours that the common forms of colour blindness keep
# apart; black is left out (outlines), grey added last for what is left over.
CATEGORIES = ("#e69f00", "#56b4e9", "#cc79a7", "#0072b2", "#d55e00", "#009e73", "#b8a90a", "#8a8a8a")


def shade_at(position: float) -> str:
    """Return the colour at a position 0 to 1 of the scale, as ``#rrggbb``.

    >>> shade_at(0.0), shade_at(1.0)
    ('#440154', '#fde725')
    """
    stops = np.linspace(0.0, 1.0, len(_VIRIDIS))
    channels = [round(float(np.interp(position, stops, _VIRIDIS[:, channel]))) for channel in range(3)]
    return "#{:02x}{:02x}{:02x}".format(*channels)


def shades() -> tuple[str, ...]:
    """Return the `SHADES` colours of the sequential scale, dark (low) to light (high)."""
    return tuple(shade_at(_FIRST + (_LAST - _FIRST) * step / (SHADES - 1)) for step in range(SHADES))


def shade_of_class(number: int, *, classes: int) -> int:
    """Return which of the `SHADES` a class gets, so that few classes still use the whole scale.

    >>> [shade_of_class(number, classes=3) for number in range(3)]
    [0, 2, 5]
    """
    return 0 if classes < 2 else number * (SHADES - 1) // (classes - 1)
