"""What comes in wrong is refused by code and named; what is left decides."""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from agrocredit.credit import FINANCES
from agrocredit.domain.errors import AgrocreditError, InputUnusableError, RefusedError
from agrocredit.domain.tables import HOLDINGS


def codes(assessment):
    return [(refusal.code, refusal.plot_id) for refusal in assessment.refused]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"area_m2": 0.0}, "area_invalid"),
        ({"area_m2": -5.0}, "area_invalid"),
        ({"area_m2": float("nan")}, "area_invalid"),
        ({"area_m2": None}, "area_invalid"),
        ({"area_m2": float("inf")}, "area_invalid"),
        ({"declared_area_m2": -1.0}, "declared_area_invalid"),
        ({"latitude_deg": None}, "latitude_invalid"),
        ({"latitude_deg": 91.0}, "latitude_invalid"),
        ({"as_of": date(2024, 4, 16)}, "date_out_of_range"),
        ({"quantiles": np.array([1.0, 2.0, 1.5, 3.0, 4.0, 5.0, 6.0])}, "estimate_invalid"),
        ({"quantiles": np.array([-1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0])}, "estimate_invalid"),
        ({"quantiles": np.array([1.0, 2.0, 2.5, np.nan, 4.0, 5.0, 6.0])}, "estimate_invalid"),
        ({"quantiles": np.array([1.0, 2.0, 2.5, 3.0, 4.0, 5.0, np.inf])}, "estimate_invalid"),
        ({"status": "guessed"}, "estimate_invalid"),
        ({"reason": "cloudy", "status": "abstained"}, "estimate_invalid"),
        ({"harvest_year": 0}, "estimate_invalid"),
        ({"clear_observations": -1}, "estimate_invalid"),
    ],
)
def test_a_wrong_plot_is_refused_and_the_others_decide(desk, change, code):
    result = desk.assess([desk.plot("bad", **change), desk.plot("good")])
    assert (code, "bad") in codes(result)
    alone = desk.assess([desk.plot("good")]).decisions
    assert result.decisions["limit_minor"].to_pylist() == alone["limit_minor"].to_pylist()


def test_two_estimates_of_one_plot_and_crop_are_both_refused(desk):
    result = desk.assess([desk.plot("p1"), desk.plot("p1", median=9.0), desk.plot("p2")])
    assert codes(result) == [("estimate_duplicated", "p1"), ("estimate_duplicated", "p1")]


def test_plots_and_estimates_that_miss_each_other_are_named(desk):
    estimates, _ = desk.tables([desk.plot("p1"), desk.plot("p2")])
    _, plots = desk.tables([desk.plot("p1"), desk.plot("p3")])
    result = desk.assess([], estimates=estimates, plots=plots, holdings=None)
    assert codes(result) == [("estimate_missing", "p3"), ("plot_unknown", "p2")]


def test_a_plot_that_stands_twice_is_refused(desk):
    rows = [desk.plot("p1"), desk.plot("p2")]
    _, plots = desk.tables(rows)
    twice = pa.concat_tables([plots, plots.slice(0, 1)])
    result = desk.assess(rows, plots=twice, holdings=None)
    assert codes(result) == [("id_duplicated", "p1")]


def test_a_plot_without_a_farmer_is_its_own_farmer(desk):
    rows = [desk.plot("p1", farmer_id=None), desk.plot("p2", farmer_id="f2")]
    result = desk.assess(rows, holdings=None)
    assert result.decisions["farmer_id"].to_pylist() == ["f2", "p1"]


def test_data_frames_come_in_like_tables(desk):
    rows = [desk.plot("p1"), desk.plot("p2", declared_area_m2=3_900.0)]
    _, plots = desk.tables(rows)
    frame = plots.to_pandas()
    frame["geometry"] = object()
    assert isinstance(frame, pd.DataFrame)
    assert desk.assess(rows, plots=frame).decisions.equals(desk.assess(rows).decisions)


def test_two_farmers_share_a_plot_by_their_holdings(desk):
    rows = [desk.plot("p1", area_m2=9_000.0)]
    holdings = pa.Table.from_pylist(
        [
            {"farmer_id": "owner", "plot_id": "p1", "tenure_share": 0.4, "grade": "A"},
            {"farmer_id": "tenant", "plot_id": "p1", "tenure_share": 0.6, "grade": None},
        ],
        schema=HOLDINGS,
    )
    result = desk.assess(rows, holdings=holdings)
    assert result.decisions["farmer_id"].to_pylist() == ["owner", "tenant"]
    assert result.refused == ()
    greedy = holdings.set_column(2, "tenure_share", pa.array([0.6, 0.6]))
    refused = desk.assess(rows, holdings=greedy)
    assert codes(refused) == [("tenure_share_invalid", "p1")]
    assert refused.decisions.num_rows == 0


@pytest.mark.parametrize(
    ("holding", "code"),
    [
        ({"farmer_id": "f", "plot_id": "p1", "tenure_share": 0.0}, "tenure_share_invalid"),
        ({"farmer_id": "f", "plot_id": "p1", "grade": "Z"}, "grade_invalid"),
        ({"farmer_id": "f", "plot_id": "p1", "documented_area_m2": 0.0}, "documented_area_invalid"),
        ({"farmer_id": "f", "plot_id": "p1", "documented_area_m2": float("nan")}, "documented_area_invalid"),
    ],
)
def test_a_wrong_holding_is_refused_with_its_row(desk, holding, code):
    result = desk.assess([desk.plot("p1")], holdings=pa.Table.from_pylist([holding], schema=HOLDINGS))
    assert [(refusal.code, refusal.row) for refusal in result.refused] == [(code, 1)]


def test_a_holding_of_a_plot_that_is_not_there_is_refused_with_the_plot(desk):
    elsewhere = pa.Table.from_pylist([{"farmer_id": "f", "plot_id": "nowhere"}], schema=HOLDINGS)
    result = desk.assess([desk.plot("p1")], holdings=elsewhere)
    assert [(refusal.code, refusal.plot_id) for refusal in result.refused] == [("plot_unknown", "nowhere")]


def test_finances_in_another_currency_stop_the_run(desk):
    with pytest.raises(InputUnusableError, match="currency_mismatch"):
        desk.assess([desk.plot()], finances=desk.finances(currency="CHF"))


def test_negative_debt_is_refused_and_the_farmer_referred(desk):
    result = desk.assess([desk.plot()], finances=desk.finances(debt=-1))
    assert [refusal.code for refusal in result.refused] == ["amount_invalid"]
    assert result.decisions["reasons"].to_pylist() == [["finances_missing"]]


def test_half_a_record_of_finances_is_none(desk):
    half = pa.Table.from_pylist([{"farmer_id": "f1", "currency": "CNY", "outstanding_minor": 5}], schema=FINANCES)
    assert desk.assess([desk.plot()], finances=half).decisions["reasons"].to_pylist() == [["finances_missing"]]


def test_missing_columns_are_named(desk):
    estimates, plots = desk.tables([desk.plot()])
    with pytest.raises(InputUnusableError, match="area_m2"):
        desk.assess([desk.plot()], plots=plots.drop_columns(["area_m2"]))
    with pytest.raises(InputUnusableError, match="season"):
        desk.assess([desk.plot()], estimates=estimates.drop_columns(["season"]))


def test_one_farmer_means_one_farmer(desk):
    with pytest.raises(RefusedError, match="case_ambiguous"):
        desk.one([desk.plot("p1"), desk.plot("p2", farmer_id="f2")])
    with pytest.raises(AgrocreditError, match="area_invalid"):
        desk.one([desk.plot("p1", area_m2=-1.0)])


def test_a_farmer_with_ten_thousand_plots_is_refused_and_the_others_decided(desk):
    plots = [desk.plot(f"p{i}", area_m2=100.0) for i in range(10_000)]
    result = desk.assess([*plots, desk.plot("other", farmer_id="f2")])
    assert [refusal.code for refusal in result.refused] == ["plots_too_many"]
    assert "f1 holds 10000 plots, expected 1000 at most" in result.refused[0].detail
    assert result.decisions["farmer_id"].to_pylist() == ["f2"]


def test_as_many_plots_as_the_policy_allows_are_one_line(desk):
    plots = [desk.plot(f"p{i}", area_m2=100.0) for i in range(1_000)]
    decision = desk.decide(plots)
    assert decision.caps["product_maximum"] == decision.limit_minor == 300_000
