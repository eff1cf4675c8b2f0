"""Histories by hand: a table of unit to year to yield; a unit's first letter is its region."""

from __future__ import annotations

import numpy as np
import pytest

from agrocredit.yields.area.history import AreaHistory


def history_of(table):
    rows = [(unit, year, brought) for unit, series in table.items() for year, brought in series.items()]
    units, years, yields = (list(column) for column in zip(*rows, strict=True))
    return AreaHistory(
        units=np.array(units, dtype=object),
        regions=np.array([unit[0] for unit in units], dtype=object),
        harvest_years=np.array(years),
        yields_t_ha=np.array(yields, dtype=float),
    )


@pytest.fixture(scope="session")
def a_history():
    return history_of
