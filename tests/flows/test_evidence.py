"""The hash of what is known of a plot: the same for the same rows, another for anything that differs."""

import hashlib
from datetime import UTC, datetime

import pandas as pd
import pytest

from pipelines.evidence import evidence_sha256


def rows(**changes):
    table = {
        "plot_id": ["a", "b", "a"],
        "scene_id": ["s1", "s1", "s2"],
        "acquired_at": [datetime(2022, 5, day, 10, tzinfo=UTC) for day in (1, 1, 6)],
        "valid_fraction": [1.0, 0.5, 0.0],
        "pixel_count": [60.0, 30.0, 0.0],
        "ndvi": [0.5, 0.6, float("nan")],
    }
    return pd.DataFrame({**table, **changes})


def test_the_order_of_rows_and_of_plots_does_not_matter():
    assert evidence_sha256(rows(), ["a", "b"]) == evidence_sha256(rows().iloc[::-1], ["b", "a"])[::-1]


def test_other_plots_do_not_matter():
    assert evidence_sha256(rows(), ["a"]) == evidence_sha256(rows().iloc[[0, 2]], ["a", "b"])[:1]


@pytest.mark.parametrize(
    "changes",
    [
        {"scene_id": ["s1", "s1", "s3"]},
        {"ndvi": [0.5000001, 0.6, float("nan")]},
        {"ndvi": [0.5, 0.6, 0.0]},
        {"pixel_count": [60.5, 30.0, 0.0]},
        {"acquired_at": [datetime(2022, 5, day, 10, tzinfo=UTC) for day in (1, 1, 7)]},
    ],
)
def test_any_other_value_of_a_plot_gives_another_hash(changes):
    before, after = evidence_sha256(rows(), ["a", "b"]), evidence_sha256(rows(**changes), ["a", "b"])
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_plot_without_rows_has_the_hash_of_nothing():
    assert evidence_sha256(rows(), ["c"]) == [hashlib.sha256().hexdigest()]


def test_a_negative_zero_is_zero():
    assert evidence_sha256(rows(ndvi=[-0.0, 0.6, 0.1]), ["a"]) == evidence_sha256(rows(ndvi=[0.0, 0.6, 0.1]), ["a"])
