"""A history meets the simulation on log-odds; without one nothing changes."""

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agrocredit.credit import LOAN_HISTORY, load_policy, price
from agrocredit.credit.reasons import ReasonCode
from agrocredit.domain.errors import InputUnusableError


def history(*rows):
    return pa.Table.from_pylist([dict(zip(LOAN_HISTORY.names, row, strict=True)) for row in rows], schema=LOAN_HISTORY)


def priced(desk, past=None, *, grade="C", policy=None):
    plots = [desk.plot(median=3.0, spread=1.3, grade=grade)]
    tables = desk.case_tables(plots, policy=policy or desk.policy)
    return price(tables, loan_history=past).prices.to_pylist()[0]


def log_odds(pd):
    return math.log((1 - pd) / pd)


def test_no_history_is_no_reason_to_price_anybody_otherwise(desk):
    without = priced(desk)
    for past in (history(), history(("f1", 0, 0)), history(("somebody else", 9, 9))):
        assert priced(desk, past) == without
    assert without["pd"] == without["pd_simulated"]
    assert not [code for code in ReasonCode if "history" in code]


def test_the_blend_is_the_sum_that_a_hand_gets(desk):
    row = priced(desk, history(("f1", 3, 1)), grade="B")
    simulated = log_odds(row["pd_simulated"])
    late, repaid = 0.5 * 1 / (1 + 3), 0.5 * 3 / (3 + 3)
    expected = (1 - late) * simulated + late * min(simulated, 2.5 - 0.9) + repaid * (3 * 0.25 + 0.2)
    assert log_odds(row["pd"]) == pytest.approx(expected)
    assert row["score"] == pytest.approx(500 + 20 / math.log(2) * expected)


@settings(max_examples=50, deadline=None)
@given(repaid=st.integers(0, 20), late=st.integers(0, 20), more=st.integers(0, 20))
def test_a_loan_repaid_never_counts_against_and_a_late_one_never_for(desk, repaid, late, more):
    here = priced(desk, history(("f1", repaid, late)))["pd"]
    assert priced(desk, history(("f1", repaid + more, late)))["pd"] <= here + 1e-15
    assert priced(desk, history(("f1", repaid, late + more)))["pd"] >= here - 1e-15


def test_better_evidence_never_raises_a_price(desk):
    past = history(("f1", 2, 0))
    pds = [priced(desk, past, grade=grade) for grade in "ABC"]
    assert pds[0]["pd"] < pds[1]["pd"]
    limits = [row["limit_minor"] for row in pds]
    assert limits == sorted(limits, reverse=True)


@pytest.mark.parametrize("rows", [[("f1", -1, 0)], [("f1", 0, -1)], [("f1", 1, 0), ("f1", 2, 0)]])
def test_a_history_that_cannot_be_is_refused(desk, rows):
    with pytest.raises(InputUnusableError, match="history_invalid"):
        priced(desk, history(*rows))


def test_a_policy_without_a_scorecard_reads_no_history(desk):
    swiss = load_policy("winter-wheat-ch")
    with pytest.raises(InputUnusableError, match=r"policy_prices_no_risk.*scorecard"):
        priced(desk, history(), policy=swiss)


def test_a_price_names_the_terms_that_made_it(desk):
    row = priced(desk)
    terms = desk.policy.on(desk.plot()["as_of"])
    assert (row["terms_sha256"], row["risk_sha256"]) == (terms.sha256, terms.beside_sha256)
    dearer = priced(desk, policy=desk.with_values(risk__lgd=0.5))
    assert dearer["terms_sha256"] == row["terms_sha256"]
    assert dearer["risk_sha256"] != row["risk_sha256"]
