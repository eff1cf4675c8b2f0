from __future__ import annotations

from itertools import combinations

import numpy as np
from matplotlib import colormaps

from agrocredit.report.colours import CATEGORIES, SHADES, shade_at, shade_of_class, shades


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_shades_grow_lighter_so_that_a_grey_print_keeps_their_order():
    light = [luminance(colour) for colour in shades()]
    assert light == sorted(light)
    assert min(np.diff(light)) > 0.02


def test_the_stops_are_those_of_matplotlibs_viridis():
    for position in np.linspace(0, 1, 9):
        expected = np.array(colormaps["viridis"](position)[:3]) * 255
        ours = [int(shade_at(position)[at : at + 2], 16) for at in (1, 3, 5)]
        assert np.abs(ours - expected).max() < 4


def test_categories_differ():
    assert len(set(CATEGORIES)) == len(CATEGORIES)
    for one, other in combinations(CATEGORIES, 2):
        pair = [np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) for colour in (one, other)]
        assert np.abs(pair[0] - pair[1]).sum() > 60


def test_any_number_of_classes_uses_both_ends_of_the_scale():
    for classes in range(2, SHADES + 1):
        used = [shade_of_class(number, classes=classes) for number in range(classes)]
        assert used == sorted(set(used))
        assert (used[0], used[-1]) == (0, SHADES - 1)
    assert shade_of_class(0, classes=1) == 0
