"""Checks of a whole policy pack: every value of every date is read once, and what is wrong only together is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.credit.field_events import FieldEvent
from agrocredit.credit.policy_schema import kind_of
from agrocredit.credit.quantities import QuantityError, read_quantity
from agrocredit.domain.decision import CapName
from agrocredit.domain.estimate import QUANTILE_LEVELS

if TYPE_CHECKING:
    from agrocredit.credit.pack import PackText
    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.credit.terms import Evidence, PolicyInForce, Risk, ScaleOfFinance, Simulation

DRAWS_MIN = 2_048
CARD_YEARS = 5


def check_every_day(policy: CreditPolicy) -> None:
    """Read every value of every date once, and refuse what only shows when values stand side by side."""
    pack = policy.pack
    since_versions = {since for since, _ in policy.versions}
    if len({version for _, version in policy.versions}) != len(policy.versions):
        pack.refuse("versions", "one version stands twice, expected a new one at every date")
    for path, parameter in policy.parameters.items():
        for since, value in parameter.values:
            if since not in since_versions:
                pack.refuse(f"{path}.values", f"a value from {since}, but no version from that day")
            try:
                read_quantity(kind_of(path), value, parameter.unit, currency=policy.currency)
            except QuantityError as error:
                pack.refuse(path, f"from {since}: {error}")
    for since in sorted(since_versions):
        if all(parameter.values[0][0] <= since for parameter in policy.parameters.values()):
            _check_terms(pack, policy.on(since))
    if any(parameter.values[0][0] > policy.versions[-1][0] for parameter in policy.parameters.values()):
        pack.refuse("versions", "no version with every value in force")


def _check_terms(pack: PackText, terms: PolicyInForce) -> None:
    """Refuse values that are sound alone and wrong together."""
    if terms.repayment.dscr_min <= 0:
        pack.refuse("repayment.dscr_min", f"{terms.repayment.dscr_min}, expected above 0")
    if not 0 < terms.product.rounding_step_minor <= terms.product.minimum_ticket_minor:
        pack.refuse("product.rounding_step", "expected above 0 and not above the minimum ticket")
    if terms.area.cropped_fraction_low <= 0:
        pack.refuse("area.cropped_fraction_low", f"{terms.area.cropped_fraction_low}, expected above 0")
    if terms.area.crops_per_plot_max < 1 or terms.area.plots_per_farmer_max < 1:
        pack.refuse("area.crops_per_plot_max", "expected 1 or more crops a plot and plots a farmer")
    for crop, crop_terms in terms.crops.items():
        if crop_terms.price <= 0:
            pack.refuse(f"crop.{crop}.price", f"{crop_terms.price}, expected above 0")
    _check_simulation(pack, terms.simulation)
    if CapName.EVIDENCE_GRADE in terms.caps:
        _check_grades(pack, terms.evidence)
    if CapName.SCALE_OF_FINANCE in terms.caps:
        _check_card(pack, terms.scale_of_finance)
    _check_beside(pack, terms)


def _check_beside(pack: PackText, terms: PolicyInForce) -> None:
    """Refuse what prices, stresses and pays out wrongly."""
    if terms.risk is not None:
        _check_risk(pack, terms.risk)
    if terms.scorecard is not None and terms.scorecard.half_weight_loans <= 0:
        pack.refuse("scorecard.half_weight_loans", f"{terms.scorecard.half_weight_loans}, expected above 0")
    if terms.tranches is not None and terms.tranches.event not in set(FieldEvent):
        pack.refuse("tranches.event", f"{terms.tranches.event!r}, expected one of {', '.join(FieldEvent)}")


def _check_risk(pack: PackText, risk: Risk) -> None:
    if risk.pd_floor >= 0.5:
        pack.refuse("risk.pd_floor", f"{risk.pd_floor}, expected under one half")
    if risk.correlation_low > risk.correlation_high:
        pack.refuse("risk.correlation_low", f"{risk.correlation_low}, expected not above {risk.correlation_high}")
    if risk.correlation_high >= 1 or risk.correlation_decay <= 0:
        pack.refuse("risk.correlation_high", "expected a correlation under 1 and a decay above 0")
    if risk.score_doubling <= 0 or risk.drawn_share + risk.ccf <= 0:
        pack.refuse("risk.score_doubling", "expected points above 0, and some of a limit drawn")


def _check_simulation(pack: PackText, simulation: Simulation) -> None:
    draws = simulation.draws
    if draws < DRAWS_MIN or draws & (draws - 1):
        pack.refuse("simulation.draws", f"{draws}, expected a power of two of {DRAWS_MIN} or more")
    if simulation.yield_counted_to not in QUANTILE_LEVELS:
        found = simulation.yield_counted_to
        pack.refuse("simulation.yield_counted_to", f"{found}, expected one of {QUANTILE_LEVELS}")
    if simulation.yield_zero_level >= QUANTILE_LEVELS[0]:
        found = simulation.yield_zero_level
        pack.refuse("simulation.yield_zero_level", f"{found}, expected under {QUANTILE_LEVELS[0]}")


def _check_grades(pack: PackText, evidence: Evidence) -> None:
    grades = [evidence.grade_a or 0.0, evidence.grade_b or 0.0, evidence.grade_c or 0.0]
    if grades != sorted(grades, reverse=True):
        pack.refuse("evidence.grade_a", "expected grade a >= grade b >= grade c")


def _check_card(pack: PackText, rule: ScaleOfFinance) -> None:
    if rule.increase_on not in {"whole_limit", "crop_part"}:
        pack.refuse("scale_of_finance.increase_on", f"{rule.increase_on!r}, expected whole_limit or crop_part")
    if not 1 <= (rule.card_year or 0) <= CARD_YEARS:
        pack.refuse("scale_of_finance.card_year", f"{rule.card_year}, expected 1 to {CARD_YEARS}")
