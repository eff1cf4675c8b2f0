from __future__ import annotations

import numpy as np

from agrocredit.yields.area.history import AreaHistory
from agrocredit.yields.area.normals import Normals
from agrocredit.yields.area.places import climate_distance, inside_levels


def climates(means):
    means = np.asarray(means, dtype=np.float32)
    scale = np.full(means.shape[1], 2.0, dtype=np.float32)
    return Normals(units=tuple(f"u{k}" for k in range(len(means))), mean=means, scale=scale)


def test_the_distance_is_that_of_mahalanobis_whatever_the_unit_of_a_feature():
    rng = np.random.default_rng(0)
    known = rng.multivariate_normal([10, 20], [[4.0, 1.5], [1.5, 1.0]], size=400)
    asked = np.array([[10.0, 20.0], [14.0, 21.5], [14.0, 18.5]])
    away = asked - known.mean(axis=0)
    expected = np.einsum("ij,ij->i", away, np.linalg.solve(np.cov(known, rowvar=False), away.T).T)
    found = climate_distance(asked, climates(known))
    np.testing.assert_allclose(found, expected, rtol=0.01)
    assert found[2] > 3 * found[1]  # warm and dry is rarer than warm and wet
    tenfold = climate_distance(asked * [10, 1], climates(known * [10, 1]))
    np.testing.assert_allclose(tenfold, found, rtol=0.01)


def test_a_climate_of_which_a_part_is_unknown_is_infinitely_far():
    known = climates(np.random.default_rng(0).standard_normal((50, 2)))
    assert climate_distance(np.array([[np.nan, 0.0]]), known)[0] == np.inf


def test_levels_lie_inside_between_the_lowest_and_the_highest_mean():
    history = AreaHistory(
        units=np.array(["a", "a", "b", "b"], dtype=object),
        regions=np.array(["r"] * 4, dtype=object),
        harvest_years=np.array([2001, 2002] * 2),
        yields_t_ha=np.array([1.0, 3.0, 4.0, 6.0]),
    )
    levels = np.array([1.9, 2.0, 5.0, 5.1, np.nan])
    assert inside_levels(levels, history).tolist() == [False, True, True, False, False]
