"""Grids nest or refuse each other."""

from dataclasses import replace

import pytest

from agrocredit.domain.errors import RefusedError
from agrocredit.domain.grid import Grid

FINE = Grid(crs="EPSG:32632", x0=500_000.0, y0=5_300_000.0, resolution_m=10.0, height=101, width=100)
COARSE = Grid(crs="EPSG:32632", x0=500_000.0, y0=5_300_000.0, resolution_m=20.0, height=51, width=50)


def test_bounds_run_from_the_upper_left_corner():
    assert FINE.bounds == (500_000.0, 5_298_990.0, 501_000.0, 5_300_000.0)


def test_a_twenty_metre_band_nests_with_factor_two_also_where_it_sticks_out():
    assert FINE.factor_of(COARSE) == 2
    assert FINE.factor_of(FINE) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"crs": "EPSG:32633"},
        {"x0": 500_010.0},
        {"y0": 5_300_010.0},
        {"resolution_m": 15.0},
        {"height": 50},
    ],
)
def test_a_grid_that_does_not_nest_is_refused(changes):
    with pytest.raises(RefusedError, match="grid_mismatch"):
        FINE.factor_of(replace(COARSE, **changes))


def test_the_key_is_the_content():
    assert FINE.key == replace(FINE).key
    assert FINE.key != replace(FINE, width=99).key


def test_an_empty_grid_is_refused():
    with pytest.raises(RefusedError, match="grid_mismatch"):
        replace(FINE, height=0)
