"""Estimates, decisions, refusals and summaries cannot be born wrong."""

import pickle
from datetime import date

import pytest

from agrocredit.domain.decision import CapName, Decision, Outcome
from agrocredit.domain.errors import ExitCode, InputUnusableError, Refusal, RefusedError, RunInProgressError
from agrocredit.domain.estimate import AbstainReason, EstimateStatus, YieldEstimate
from agrocredit.domain.summary import Summary

ESTIMATE = {
    "plot_id": "p1",
    "crop": "winter_wheat",
    "season": "2022",
    "harvest_year": 2022,
    "as_of": date(2022, 7, 31),
    "clear_observations": 12,
    "release": "r",
    "evidence_sha256": "0" * 64,
}
DECISION = {
    "farmer_id": "f1",
    "season": "2022",
    "as_of": date(2022, 7, 31),
    "currency": "CHF",
    "reasons": ("repayment_capacity",),
    "policy": "p",
    "policy_version": "1",
}


def test_an_estimate_holds_seven_rising_quantiles():
    estimate = YieldEstimate(
        **ESTIMATE, status=EstimateStatus.ESTIMATED, reason=None, quantiles_t_ha=(3.0, 3.5, 4.0, 5.0, 6.0, 6.5, 7.0)
    )
    assert estimate.quantiles_t_ha[3] == 5.0


@pytest.mark.parametrize(
    "quantiles",
    [
        (3.0, 2.0, 4.0, 5.0, 6.0, 6.5, 7.0),
        (-0.1, 2.0, 4.0, 5.0, 6.0, 6.5, 7.0),
        (3.0, 3.5, 4.0, 5.0, 6.0, 6.5, float("nan")),
        (3.0, 4.0),
    ],
)
def test_crossing_negative_missing_or_too_few_quantiles_are_refused(quantiles):
    with pytest.raises(RefusedError, match="estimate_invalid"):
        YieldEstimate(**ESTIMATE, status=EstimateStatus.ESTIMATED, reason=None, quantiles_t_ha=quantiles)


def test_an_abstention_carries_a_reason_and_no_number():
    YieldEstimate(**ESTIMATE, status=EstimateStatus.ABSTAINED, reason=AbstainReason.NO_CROP_SEEN, quantiles_t_ha=None)
    with pytest.raises(RefusedError, match="estimate_invalid"):
        YieldEstimate(**ESTIMATE, status=EstimateStatus.ABSTAINED, reason=None, quantiles_t_ha=None)
    with pytest.raises(RefusedError, match="estimate_invalid"):
        YieldEstimate(**ESTIMATE, status=EstimateStatus.ESTIMATED, reason=None, quantiles_t_ha=None)


def approved(**changes):
    fields = {
        **DECISION,
        "outcome": Outcome.APPROVED,
        "limit_minor": 100_00,
        "binding_cap": CapName.REPAYMENT_CAPACITY,
        "caps": {CapName.REPAYMENT_CAPACITY: 105_00, CapName.PRODUCT_MAXIMUM: 900_00},
        "due_on": date(2022, 9, 30),
    }
    return Decision(**{**fields, **changes})


def test_an_approval_has_a_limit_under_every_cap_and_a_due_date():
    assert approved().limit_minor == 100_00


@pytest.mark.parametrize(
    "changes",
    [
        {"limit_minor": 0},
        {"limit_minor": 106_00},
        {"due_on": None},
        {"binding_cap": None},
        {"reasons": ()},
        {"reasons": ("a", "b", "c", "d", "e")},
        {"reasons": ("",)},
        {"outcome": Outcome.REFERRED},
    ],
)
def test_a_decision_that_contradicts_itself_cannot_be_made(changes):
    with pytest.raises(RefusedError, match="decision_invalid"):
        approved(**changes)


def test_caps_cannot_be_changed_afterwards():
    with pytest.raises(TypeError):
        approved().caps[CapName.EXPOSURE] = 1


def test_an_error_prints_one_line_with_its_code_and_survives_a_process_border():
    error = InputUnusableError("catalog_not_stac", "a.json:\n  a list,   expected a FeatureCollection")
    assert str(error) == "catalog_not_stac: a.json: a list, expected a FeatureCollection"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes
    assert str(pickle.loads(pickle.dumps(RunInProgressError("out")))) == "run_in_progress: out"  # noqa: S301


def test_a_code_is_snake_case():
    with pytest.raises(ValueError, match="snake_case"):
        InputUnusableError("Not A Code", "x")
    with pytest.raises(ValueError, match="snake_case"):
        Refusal(code="Not A Code", detail="x")


def test_a_refusal_prints_only_what_it_names():
    refusal = RefusedError("asset_unreadable", "0 bytes").refusal(scene_id="s1", asset="B04")
    assert refusal.as_dict() == {"code": "asset_unreadable", "detail": "0 bytes", "scene_id": "s1", "asset": "B04"}


def test_a_summary_with_a_refusal_or_a_failed_check_exits_with_one():
    assert Summary(counts={"plots": 1}).exit_code is ExitCode.DONE
    refused = Summary(counts={}, refused=(Refusal(code="plot_too_small", detail="x", plot_id="p"),))
    assert refused.exit_code is ExitCode.SOME_REFUSED
    assert refused.as_dict()["refused"] == [{"code": "plot_too_small", "detail": "x", "plot_id": "p"}]
    assert Summary(counts={}, failed_checks=("coverage low",)).exit_code is ExitCode.SOME_REFUSED
