from __future__ import annotations

import numpy as np
import pytest

from agrocredit.domain.errors import InputUnusableError
from agrocredit.yields.area.normals import Normals, fit_normals, network_input, places_of, strangeness


def test_an_anomaly_is_the_distance_from_the_areas_own_normal(area_rows_of):
    features = [[10.0, 0, 0], [14.0, 0, 0], [100.0, 0, 0], [104.0, 0, 0]]
    rows = area_rows_of(["A1", "A1", "A2", "A2"], [2000, 2001, 2000, 2001], features)
    anomalies = fit_normals(rows).anomalies(rows)
    np.testing.assert_allclose(anomalies[:, 0], [-1, 1, -1, 1])
    np.testing.assert_allclose(anomalies[:, 1], 0)


def test_an_area_without_normals_has_no_anomalies_unless_others_bring_them(area_rows_of):
    normals = fit_normals(area_rows_of(["A1", "A1"], [2000, 2001], [[1.0, 1, 1], [3.0, 3, 3]]))
    new = area_rows_of(["B1"], [2002], [[5.0, 5, 5]])
    assert np.isnan(normals.anomalies(new)).all()
    others = fit_normals(area_rows_of(["B1"], [2001], [[4.0, 4, 4]]))
    np.testing.assert_allclose(normals.anomalies(new, others=others), 1.0)


def test_a_feature_that_an_area_never_had_takes_the_normal_of_all(area_rows_of):
    features = [[np.nan, 1, 1], [np.nan, 1, 1], [2.0, 1, 1], [4.0, 1, 1]]
    normals = fit_normals(area_rows_of(["A1", "A1", "A2", "A2"], [2000, 2001, 2000, 2001], features))
    assert normals.mean[0, 0] == 3.0


def test_the_network_reads_unknown_as_normal_and_nothing_beyond_its_bound():
    read = network_input(np.array([[np.nan, 50.0, -50.0, 1.5]]))
    assert read.tolist() == [[0.0, 3.0, -3.0, 1.5]]
    assert read.dtype == np.float32


def test_strangeness_counts_known_features_only():
    found = strangeness(np.array([[2.0, np.nan], [np.nan, np.nan], [1.0, 3.0]]))
    assert found.tolist() == [4.0, 0.0, 5.0]


def test_a_region_that_is_not_known_has_the_place_after_the_last():
    assert places_of(np.array(["B", "X", "A"], dtype=object), ("A", "B")).tolist() == [1, 2, 0]


def test_a_scale_of_0_is_refused():
    with pytest.raises(InputUnusableError, match="model_invalid"):
        Normals(units=("A1",), mean=np.zeros((1, 1), dtype=np.float32), scale=np.zeros(1, dtype=np.float32))
