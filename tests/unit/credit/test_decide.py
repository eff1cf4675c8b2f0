"""Outcomes and the reasons behind them; take a reason's cause away and the answer changes."""

from datetime import date, timedelta

import pytest

from agrocredit.credit import parse_policy
from agrocredit.domain.decision import CapName, Outcome

GAPS = ["not_observed", "too_few_clear_observations", "plot_too_small", "no_crop_seen", "out_of_distribution"]


def test_a_good_field_is_approved_and_the_binding_cap_leads_the_reasons(desk):
    decision = desk.decide([desk.plot(grade="A")])
    assert decision.outcome is Outcome.APPROVED
    assert decision.binding_cap is CapName.WORKING_CAPITAL_NEED
    assert decision.reasons == ("limited_by_working_capital_need",)
    assert decision.due_on == date(2024, 8, 1)


@pytest.mark.parametrize("reason", GAPS)
def test_a_farmer_of_whom_nothing_is_seen_is_referred_with_what_is_missing(desk, reason):
    decision = desk.decide([desk.plot(reason=reason)])
    assert decision.outcome is Outcome.REFERRED
    assert decision.reasons == (reason,)
    assert decision.limit_minor == 0
    assert decision.due_on is None


@pytest.mark.parametrize("reason", GAPS)
def test_a_limit_rests_on_the_plots_seen_and_seeing_the_rest_would_raise_it(desk, reason):
    seen, hidden = desk.plot("p1", area_m2=2_000.0), desk.plot("p2", area_m2=1_500.0)
    partly, record = desk.one([seen, {**hidden, "reason": reason}])
    alone = desk.decide([seen])
    assert partly.limit_minor == alone.limit_minor
    assert partly.reasons == (*alone.reasons, reason)
    assert (record["result"]["plots"], record["result"]["plots_missing"]) == (2, 1)
    assert desk.decide([seen, hidden]).limit_minor > partly.limit_minor


def test_missing_evidence_is_no_reason_where_it_would_change_nothing(desk):
    plots = [desk.plot("p1", area_m2=9_000.0, grade="A"), desk.plot("p2", reason="not_observed")]
    decision = desk.decide(plots)
    assert decision.binding_cap is CapName.PRODUCT_MAXIMUM
    assert decision.reasons == ("limited_by_product_maximum",)


def test_a_harvest_that_leaves_nothing_is_declined_only_with_full_evidence(desk):
    poor = desk.plot(area_m2=500.0, median=0.4, spread=0.1)
    decision = desk.decide([poor])
    assert decision.outcome is Outcome.DECLINED
    assert decision.reasons == ("harvest_cannot_carry_loan", "household_floor")
    assert desk.decide([poor], policy=desk.with_values(repayment__household_floor=0)).outcome is not Outcome.DECLINED
    with_gap = desk.decide([poor, desk.plot("p2", reason="not_observed")])
    assert with_gap.outcome is Outcome.REFERRED
    assert with_gap.reasons == ("limited_by_repayment_capacity", "below_minimum_ticket", "not_observed")


def test_debt_is_named_where_it_takes_the_cash(desk):
    plots = [desk.plot(area_m2=4_000.0)]
    decision = desk.decide(plots, finances=desk.finances(debt=10_000_000))
    assert decision.outcome is Outcome.DECLINED
    assert decision.reasons == ("harvest_cannot_carry_loan", "existing_debt_service")
    assert desk.decide(plots, finances=desk.finances(debt=0)).outcome is Outcome.APPROVED


def test_off_farm_income_carries_part_of_a_loan(desk):
    plots = [desk.plot(median=2.2, spread=0.8)]
    without = desk.decide(plots, finances=desk.finances())
    with_income = desk.decide(plots, finances=desk.finances(income=50_000))
    gained = with_income.caps["repayment_capacity"] - without.caps["repayment_capacity"]
    assert gained == pytest.approx(50_000 * 0.5 / (1.25 * (1 + 0.075 * 108 / 365)), abs=1)


def test_a_small_limit_goes_to_a_person_and_is_never_a_silent_zero(desk):
    decision = desk.decide(
        [desk.plot(area_m2=400.0, median=6.0, spread=0.3)], policy=desk.with_values(repayment__household_floor=0)
    )
    assert decision.outcome is Outcome.REFERRED
    assert decision.reasons == ("limited_by_evidence_grade", "below_minimum_ticket")
    assert decision.caps[decision.binding_cap] > 0


def test_areas_too_far_apart_are_verified_not_declined(desk):
    decision = desk.decide([desk.plot(declared_area_m2=5_000.0)])
    assert decision.outcome is Outcome.REFERRED
    assert decision.reasons[0] == "declared_area_differs"
    assert desk.decide([desk.plot(declared_area_m2=4_100.0)]).outcome is Outcome.APPROVED
    hopeless = desk.plot(area_m2=500.0, median=0.4, spread=0.1, declared_area_m2=5_000.0)
    assert desk.decide([hopeless]).outcome is Outcome.REFERRED


def test_the_least_of_drawn_declared_and_documented_area_counts(desk):
    least = desk.one([desk.plot(area_m2=3_000.0)])[1]["result"]
    for areas in (
        {"area_m2": 3_000.0, "declared_area_m2": 3_100.0, "documented_area_m2": 3_200.0},
        {"area_m2": 3_100.0, "declared_area_m2": 3_000.0, "documented_area_m2": 3_200.0},
        {"area_m2": 3_100.0, "declared_area_m2": None, "documented_area_m2": 3_000.0},
    ):
        result = desk.one([desk.plot(**areas)])[1]["result"]
        assert (result["area_eff_m2"], result["limit_minor"]) == (least["area_eff_m2"], least["limit_minor"])


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1), ("CNY", 100), ("BHD", 1_000)])
def test_currencies_of_no_two_and_three_decimals_keep_their_minor_units(desk, currency, minor):
    policy = parse_policy(desk.text.replace("CNY", currency), source="other.toml")
    decision = desk.decide([desk.plot(), desk.plot("p2", crop="maize")], policy=policy)
    yuan = desk.decide([desk.plot(), desk.plot("p2", crop="maize")])
    assert decision.limit_minor * 100 == yuan.limit_minor * minor
    assert all(abs(cap / minor - yuan.caps[name] / 100) <= 1 / min(minor, 100) for name, cap in decision.caps.items())
    record = desk.one([desk.plot(), desk.plot("p2", crop="maize")], policy=policy)[1]["result"]
    assert sum(bullet["principal_minor"] for bullet in record["bullets"]) == decision.limit_minor


def test_a_missing_record_of_finances_is_named_not_skipped(desk):
    decision = desk.decide([desk.plot()], finances=desk.finances(farmer="somebody else"))
    assert decision.outcome is Outcome.REFERRED
    assert decision.reasons == ("finances_missing",)
    assert decision.binding_cap is None
    assert CapName.REPAYMENT_CAPACITY not in decision.caps
    assert CapName.EXPOSURE not in decision.caps


def test_a_harvest_already_paid_for_carries_no_new_loan(desk):
    decision = desk.decide([desk.plot()], as_of=date(2024, 8, 1))
    assert decision.outcome is Outcome.REFERRED
    assert decision.reasons == ("season_over",)


def test_an_estimate_older_than_the_policy_lends_on_is_referred_as_stale(desk):
    day = desk.plot()["as_of"]
    allowed = desk.policy.on(day).evidence.estimate_age_max_days
    fresh, last, stale = (
        desk.decide([desk.plot(as_of=day - timedelta(days=days))], as_of=day) for days in (0, allowed, allowed + 1)
    )
    assert last.outcome is Outcome.APPROVED
    assert last.limit_minor == fresh.limit_minor
    assert (stale.outcome, stale.limit_minor, stale.reasons) == (Outcome.REFERRED, 0, ("imagery_stale",))


def test_more_crops_than_a_plot_can_bear_count_for_nothing(desk):
    both = [desk.plot(crop="winter_wheat"), desk.plot(crop="maize")]
    assert desk.decide(both).outcome is Outcome.APPROVED
    decision = desk.decide(both, policy=desk.with_values(area__crops_per_plot_max=1))
    assert decision.outcome is Outcome.REFERRED
    assert decision.reasons == ("crops_overlap",)


def test_a_better_grade_of_evidence_raises_a_limit_that_evidence_set(desk):
    decision = desk.decide([desk.plot(grade="C")])
    assert decision.reasons == ("limited_by_evidence_grade",)
    assert desk.decide([desk.plot(grade="B")]).limit_minor > decision.limit_minor


def test_two_equal_fields_of_two_farmers_get_equal_limits(desk):
    table = desk.assess([desk.plot(f"p{i}", farmer_id=f"farmer {i}", spread=1.9) for i in range(20)]).decisions
    assert len(set(table["caps"].to_pylist())) == 1


def test_at_most_four_reasons_and_the_ones_over_most_land(desk):
    plots = [desk.plot(f"p{i}", area_m2=1_000.0 + i, reason=reason) for i, reason in enumerate(GAPS)]
    assert desk.decide(plots).reasons == tuple(reversed(GAPS[1:]))
