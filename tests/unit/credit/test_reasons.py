"""Reasons in words."""

import pytest

from agrocredit.credit import ReasonCode, explain, facts_of
from agrocredit.credit.reasons import limited_by
from agrocredit.domain.decision import CapName
from agrocredit.domain.errors import WrongUsageError
from agrocredit.domain.estimate import AbstainReason


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_a_sentence(code):
    text = explain(code)
    assert text.endswith(".")
    assert "{" not in text


def test_every_abstention_and_every_cap_is_a_reason():
    assert {str(reason) for reason in AbstainReason} <= {str(code) for code in ReasonCode}
    assert len({limited_by(cap) for cap in CapName}) == len(CapName)


def test_no_reason_speaks_of_credit_history():
    assert not [code for code in ReasonCode if "history" in code or "history" in explain(code)]


def test_a_decision_explains_itself_with_its_own_numbers(desk):
    decision, record = desk.one([desk.plot("p1", area_m2=3_000.0), desk.plot("p2", reason="not_observed")])
    facts = facts_of(record, policy=desk.policy)
    said = [explain(reason, **facts) for reason in decision.reasons]
    assert "CNY 1,573.20" in said[0]
    assert "1 of 2 plots" in said[1]
    assert facts["area"] == "4.14"
    assert facts["area_unit"] == "mu"


def test_a_farmer_who_cannot_be_answered_has_no_cap_to_name(desk):
    _, record = desk.one([desk.plot(reason="not_observed")])
    assert "cap" not in facts_of(record, policy=desk.policy)


def test_what_nobody_can_say_is_an_error():
    with pytest.raises(WrongUsageError, match="language_unknown"):
        explain("not_observed", language="xx")
    with pytest.raises(WrongUsageError, match="reason_unknown"):
        explain("score_too_low")
