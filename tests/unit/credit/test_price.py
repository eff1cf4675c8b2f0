"""Prices stand beside decisions: same draws, same limits, and no decision moves for them."""

import re

import numpy as np
import pyarrow as pa
import pytest

from agrocredit.credit import parse_policy, price
from agrocredit.credit.assess import CASES_AT_ONCE
from agrocredit.credit.cashflow import quantile_index
from agrocredit.domain.errors import InputUnusableError


def priced(desk, plots, *, cases_at_once=CASES_AT_ONCE, **known):
    return price(desk.case_tables(plots, **known), cases_at_once=cases_at_once).prices


def without_risk(desk):
    return parse_policy(re.sub(r"\[risk\..*\]\n(.*\n)*?values = .*\n", "", desk.text), source="plain.toml")


def test_every_approved_loan_has_a_price_and_nobody_else(desk):
    plots = [
        desk.plot("p1", farmer_id="f1", area_m2=3_000.0),
        desk.plot("p2", farmer_id="f2", area_m2=100.0),
        desk.plot("p3", farmer_id="f3", reason="not_observed"),
        desk.plot("p4", farmer_id="f4", area_m2=3_000.0, median=1.5, spread=0.7, grade="A"),
    ]
    decisions = {row["farmer_id"]: row for row in desk.assess(plots).decisions.to_pylist()}
    rows = priced(desk, plots).to_pylist()
    assert [row["farmer_id"] for row in rows] == [f for f, d in decisions.items() if d["outcome"] == "approved"]
    for row in rows:
        assert row["limit_minor"] == decisions[row["farmer_id"]]["limit_minor"]
        assert row["due_minor"] > row["limit_minor"]


def test_a_limit_set_by_repayment_fails_no_more_often_than_the_policy_allows(desk):
    policy = desk.with_values(product__maximum=90_000, repayment__dscr_min=1)
    plots = [desk.plot(area_m2=8_000.0, median=2.4, spread=0.9, grade="A")]
    assert desk.decide(plots, policy=policy).binding_cap == "repayment_capacity"
    (row,) = priced(desk, plots, policy=policy).to_pylist()
    alpha, draws = 0.15, 2_048
    assert alpha / 2 < row["pd"] <= (quantile_index(draws, alpha=alpha) + 1) / draws


def test_a_wider_interval_costs_more(desk):
    rows = [
        priced(desk, [desk.plot(area_m2=3_000.0, median=7.0, spread=spread)]).to_pylist()[0] for spread in (0.5, 1.8)
    ]
    assert rows[0]["limit_minor"] == rows[1]["limit_minor"]
    assert rows[0]["pd"] < rows[1]["pd"]
    assert rows[0]["rate"] < rows[1]["rate"]


def test_two_crops_stand_against_the_loan_up_to_its_due_date(desk):
    plots = [
        desk.plot("p1", crop="winter_wheat", area_m2=2_000.0),
        desk.plot("p2", crop="maize", area_m2=2_000.0),
    ]
    decision = desk.decide(plots)
    (row,) = priced(desk, plots).to_pylist()
    assert row["days"] == (decision.due_on - decision.as_of).days


def test_one_farmer_alone_and_in_chunks_are_priced_alike(desk):
    rng = np.random.default_rng(5)
    plots = [
        desk.plot(f"p{i}", farmer_id=f"f{i:02}", area_m2=float(rng.uniform(1_500, 4_000)), median=3.0, spread=1.0)
        for i in range(40)
    ]
    table = priced(desk, plots)
    assert priced(desk, plots, cases_at_once=7).equals(table)
    assert priced(desk, plots[3:4]).to_pylist() == [row for row in table.to_pylist() if row["farmer_id"] == "f03"]


def test_nobody_to_price_gives_an_empty_table(desk):
    assert priced(desk, []).num_rows == 0
    assert isinstance(priced(desk, [desk.plot(reason="not_observed")]), pa.Table)


def test_a_pack_without_a_risk_section_decides_the_same_and_prices_nothing(desk):
    plain = without_risk(desk)
    plots = [desk.plot()]
    assert desk.assess(plots, policy=plain).decisions.equals(desk.assess(plots).decisions)
    with pytest.raises(InputUnusableError, match="policy_prices_no_risk"):
        priced(desk, plots, policy=plain)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[risk.lgd]", "[risk.loss]", "risk.lgd: missing"),
        ("2021-01-01 = 0.45", "2021-01-01 = 1.45", "risk.lgd.*1 or less"),
        ("2021-01-01 = 0.0005 }\n\n[risk.score", "2021-01-01 = 0.5 }\n\n[risk.score", "pd_floor.*one half"),
        ("2021-01-01 = 0.03 }\n\n[risk.correlation_high", "2021-01-01 = 0.3 }\n\n[risk.correlation_high", "not above"),
    ],
)
def test_a_faulty_risk_section_is_refused_with_its_line(desk, old, new, expected):
    assert old in desk.text
    with pytest.raises(InputUnusableError, match=rf"faulty.toml:\d+: .*{expected}"):
        parse_policy(desk.text.replace(old, new, 1), source="faulty.toml")
