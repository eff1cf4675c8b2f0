from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.estimate import QUANTILE_COLUMNS, EstimateStatus, YieldEstimate
from agrocredit.domain.tables import ESTIMATES
from agrocredit.yields import prediction
from agrocredit.yields.credibility import AreaOutlook
from agrocredit.yields.prediction import PlotFacts, predict, unknown_crop

from .conftest import bell_season, training_seasons

OUTLOOK = AreaOutlook(expected_t_ha=5.0, s2_year=0.25, s2_plot=1.0, years=20)


def facts_of(n, *, outlook=None, area_m2=6000.0):
    return PlotFacts(
        area_m2=np.full(n, area_m2),
        latitude_deg=np.full(n, 47.0),
        outlooks=[outlook] * n,
        evidence=[f"seen {k}" for k in range(n)],
    )


def rows_of(season, release, **facts):
    plots = facts_of(season.sizes["plot"], **facts)
    return predict(season, release=release, plots=plots, harvest_year=2022)


def test_every_plot_has_a_row_of_the_contract_in_order(release):
    table = rows_of(bell_season([0.8, 0.2, 0.6]), release)
    assert table.schema == ESTIMATES
    assert table["plot_id"].to_pylist() == ["p00000", "p00001", "p00002"]
    assert table["status"].to_pylist() == ["estimated", "abstained", "estimated"]
    assert table["reason"].to_pylist() == [None, "no_crop_seen", None]
    assert table["release"].to_pylist() == ["tiny"] * 3
    assert table["as_of"].to_pylist() == [date(2022, 9, 1)] * 3


@pytest.mark.parametrize("outlook", [None, OUTLOOK])
def test_rows_are_estimates_that_the_domain_accepts(release, outlook):
    for row in rows_of(bell_season([0.8, 0.2, 0.6, 0.95]), release, outlook=outlook).to_pylist():
        quantiles = tuple(row.pop(column) for column in QUANTILE_COLUMNS)
        row["status"] = EstimateStatus(row["status"])
        abstained = row["status"] is EstimateStatus.ABSTAINED
        assert all(value is None for value in quantiles) == abstained
        estimate = YieldEstimate(**row, quantiles_t_ha=None if abstained else quantiles)
        assert estimate.plot_id == row["plot_id"]


def test_a_plot_alone_has_the_same_bytes_as_among_thousands(release):
    season = training_seasons(prediction.BATCH_ROWS + 37)
    among = rows_of(season, release, outlook=OUTLOOK).to_pylist()
    for row in (0, 1, 300, prediction.BATCH_ROWS - 1, prediction.BATCH_ROWS, prediction.BATCH_ROWS + 36):
        alone = predict(
            season.isel(plot=slice(row, row + 1)),
            release=release,
            plots=PlotFacts(
                area_m2=np.array([6000.0]), latitude_deg=np.array([47.0]), outlooks=[OUTLOOK], evidence=[f"seen {row}"]
            ),
            harvest_year=2022,
        ).to_pylist()[0]
        assert alone == among[row]


def test_the_order_of_plots_and_the_size_of_chunks_change_no_row(release, monkeypatch):
    season = training_seasons(700)
    plain = rows_of(season, release).to_pandas().set_index("plot_id")
    order = np.random.default_rng(1).permutation(700)
    monkeypatch.setattr(prediction, "CHUNK_ROWS", 101)
    shuffled = predict(
        season.isel(plot=order),
        release=release,
        plots=PlotFacts(
            area_m2=np.full(700, 6000.0),
            latitude_deg=np.full(700, 47.0),
            outlooks=[None] * 700,
            evidence=[f"seen {k}" for k in order],
        ),
        harvest_year=2022,
    )
    assert shuffled.to_pandas().set_index("plot_id").loc[plain.index].equals(plain)


def test_without_weight_for_the_model_the_row_is_its_region(release):
    credibility = replace(release.facts.credibility, w_max=0.0)
    sceptic = replace(release, facts=replace(release.facts, credibility=credibility))
    row = rows_of(bell_season([0.8]), sceptic, outlook=OUTLOOK).to_pylist()[0]
    assert [row[column] for column in QUANTILE_COLUMNS] == pytest.approx(OUTLOOK.quantiles_t_ha, abs=0)


def test_yields_scale_with_the_reference_where_no_region_is_known(release):
    double = replace(release, facts=replace(release.facts, reference_t_ha=8.0))
    one, two = (rows_of(bell_season([0.8]), each).to_pylist()[0]["q50"] for each in (release, double))
    assert two == pytest.approx(2 * one)


def test_the_evidence_hash_changes_with_everything_the_row_rests_on(release):
    base = bell_season([0.8])
    darker = base.copy(deep=True)
    darker["curve"][0, 20, 1] += 0.01
    retrained = replace(release, sha256="1" * 64)
    tables = [
        rows_of(base, release),
        rows_of(darker, release),
        rows_of(base, retrained),
        rows_of(base, release, outlook=OUTLOOK),
        rows_of(base, release, area_m2=7000.0),
        predict(base, release=release, plots=replace(facts_of(1), evidence=["seen otherwise"]), harvest_year=2022),
    ]
    hashes = [table["evidence_sha256"][0].as_py() for table in tables]
    assert len(set(hashes)) == len(hashes)
    assert rows_of(base, release)["evidence_sha256"][0].as_py() == hashes[0]


def test_no_plots_give_no_rows(release):
    table = rows_of(bell_season([]), release)
    assert table.schema == ESTIMATES
    assert table.num_rows == 0


def test_facts_about_other_plots_are_refused(release):
    with pytest.raises(WrongUsageError, match="plots_invalid"):
        predict(bell_season([0.8, 0.6]), release=release, plots=facts_of(3), harvest_year=2022)
    with pytest.raises(WrongUsageError, match="plots_invalid"):
        PlotFacts(area_m2=np.ones(2), latitude_deg=np.ones(2), outlooks=[None], evidence=["a", "b"])


def test_a_crop_without_release_is_answered_by_abstaining_rows():
    table = unknown_crop(["a", "b"], crop="quinoa", harvest_year=2022, as_of=date(2022, 7, 1))
    assert table.schema == ESTIMATES
    assert table["reason"].to_pylist() == ["crop_unknown"] * 2
    assert table["q50"].null_count == 2
    assert len(set(table["evidence_sha256"].to_pylist())) == 2
