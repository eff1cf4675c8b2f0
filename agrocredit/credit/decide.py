"""From caps to answers: the least of the named caps, the outcome it leads to, and the reasons that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agrocredit.credit.caps import bullet_capacity
from agrocredit.credit.cashflow import cash_quantiles, usual_worth
from agrocredit.credit.evidence import gap_reasons, gaps
from agrocredit.credit.in_force import settle
from agrocredit.credit.kisan_credit_card import short_term_limit
from agrocredit.credit.lines import Land, Lines, add_up
from agrocredit.credit.reasons import ReasonCode, limited_by
from agrocredit.credit.rounding import floor_to_minor
from agrocredit.credit.schedule import Bullet, bullets
from agrocredit.credit.verdict import Verdict
from agrocredit.domain.decision import REASONS_MAX, CapName, Decision, Outcome
from agrocredit.domain.money import floor_to_step, minor_per_major

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.case import Case, Finances
    from agrocredit.credit.terms import PolicyInForce

_GROWS_WITH_LAND = {
    CapName.REPAYMENT_CAPACITY,
    CapName.WORKING_CAPITAL_NEED,
    CapName.SCALE_OF_FINANCE,
    CapName.EVIDENCE_GRADE,
}


class _Repayment(NamedTuple):
    """The repayment side of one case; a tuple, since a region makes one a farmer."""

    capacity_minor: int
    """0 or more."""
    last_line: int
    """The line whose date carries most: the loan falls due with it."""
    cash: float
    """The cash quantile at that date, major units; may be negative."""


def decide(cases: Sequence[Case], *, terms: PolicyInForce) -> list[Verdict]:
    """Return the verdict of each case, in their order. One case or many: the same arithmetic, number for number.

    Parameters
    ----------
    cases : sequence of Case
        Each with at least one stake.
    terms : PolicyInForce
        The policy on the cases' day.
    """
    found = [gaps(case, terms=terms) for case in cases]
    lines, land = add_up(cases, found, terms=terms)
    repayments = _repayments(cases, lines, terms)
    columns = zip(
        cases,
        found,
        _caps(cases, land, repayments, terms),
        np.searchsorted(lines.case, np.arange(len(cases))).tolist(),
        land.differs.tolist(),
        land.area_m2.tolist(),
        strict=True,
    )
    return [
        _verdict(
            case,
            found=gaps_found,
            caps=caps,
            repayment=repayments.get(i),
            lines=lines,
            first_line=first_line,
            differs=differs,
            area_eff_m2=area_eff_m2,
            terms=terms,
        )
        for i, (case, gaps_found, caps, first_line, differs, area_eff_m2) in enumerate(columns)
    ]


def fixed_cash(finances: Finances, *, terms: PolicyInForce) -> float:
    """Return the cash that no crop decides, major units: off-farm income less household floor and other debt."""
    per_major = minor_per_major(terms.currency)
    income = finances.off_farm_income_minor * (1.0 - terms.repayment.off_farm_haircut) / per_major
    return income - household_need(terms) - finances.existing_debt_service_minor / per_major


def household_need(terms: PolicyInForce) -> float:
    """Return what the field must leave the household until the loan is due, major units."""
    return terms.repayment.household_floor * terms.repayment.household_months


def _repayments(cases: Sequence[Case], lines: Lines, terms: PolicyInForce) -> dict[int, _Repayment]:
    """Return the repayment side of each case with a line and known finances.

    A loan due with the m-th crop can count only crops sold by then. The date that carries most is taken, the earliest
    of equals: so more of a later crop never lowers what the earlier ones carry.
    """
    if not len(lines.case):
        return {}
    fixed = np.array([np.nan if c.finances is None else fixed_cash(c.finances, terms=terms) for c in cases])
    cash = cash_quantiles(lines, terms=terms) + fixed[lines.case]
    as_of = np.array([case.as_of.toordinal() for case in cases], dtype=np.int64)
    capacity = bullet_capacity(
        cash,
        dscr_min=terms.repayment.dscr_min,
        rate=float(terms.product.rate),
        days=lines.due - as_of[lines.case],
    )
    best: dict[int, int] = {}
    for line, i in enumerate(lines.case.tolist()):
        if cases[i].finances is not None and (i not in best or capacity[line] > capacity[best[i]]):
            best[i] = line
    minor = _floor(np.maximum(np.nan_to_num(capacity), 0.0), terms)
    return {
        i: _Repayment(capacity_minor=int(minor[line]), last_line=line, cash=float(cash[line]))
        for i, line in best.items()
    }


def _floor(amount_major: NDArray[np.float64], terms: PolicyInForce) -> NDArray[np.int64]:
    return floor_to_minor(amount_major, minor_per_major=minor_per_major(terms.currency))


def _caps(
    cases: Sequence[Case], land: Land, repayments: dict[int, _Repayment], terms: PolicyInForce
) -> list[dict[CapName, int | None]]:
    """Return each case's caps in minor units, all that the policy switches on; None where the data is missing."""
    by_land: dict[CapName, NDArray[np.int64]] = {}
    if CapName.WORKING_CAPITAL_NEED in terms.caps:
        by_land[CapName.WORKING_CAPITAL_NEED] = _floor(land.costs * (terms.need.ltc_max or 0.0), terms)
    if CapName.SCALE_OF_FINANCE in terms.caps:
        rule = terms.scale_of_finance
        year = rule.card_year or 1
        by_land[CapName.SCALE_OF_FINANCE] = _floor(short_term_limit(land.scale_amount, rule=rule, year=year), terms)
    if CapName.EVIDENCE_GRADE in terms.caps:
        by_land[CapName.EVIDENCE_GRADE] = _floor(land.grade_amount, terms)

    finances = [case.finances for case in cases]
    room = terms.product.exposure_maximum_minor or 0
    alone: dict[CapName, list[int | None]] = {
        CapName.REPAYMENT_CAPACITY: [
            repayments[i].capacity_minor if i in repayments else None for i in range(len(cases))
        ],
        CapName.EXPOSURE: [None if known is None else max(room - known.outstanding_minor, 0) for known in finances],
        CapName.PRODUCT_MAXIMUM: [terms.product.maximum_minor] * len(cases),
        CapName.LEGAL_MAXIMUM: [terms.product.legal_maximum_minor] * len(cases),
    }
    seen = (land.area_m2 > 0).tolist()
    columns = [
        [amount if has_land else None for amount, has_land in zip(by_land[name].tolist(), seen, strict=True)]
        if name in by_land
        else alone[name]
        for name in terms.caps
    ]
    return [dict(zip(terms.caps, amounts, strict=True)) for amounts in zip(*columns, strict=True)]


def _verdict(
    case: Case,
    *,
    found: Sequence[ReasonCode | None],
    caps: dict[CapName, int | None],
    repayment: _Repayment | None,
    lines: Lines,
    first_line: int,
    differs: bool,
    area_eff_m2: float,
    terms: PolicyInForce,
) -> Verdict:
    known = {name: amount for name, amount in caps.items() if amount is not None}
    binding = min(known, key=known.__getitem__) if len(known) == len(caps) else None
    offer_minor = floor_to_step(known[binding], terms.product.rounding_step_minor) if binding else 0
    missing = list(gap_reasons(case.stakes, found))
    outcome, reasons = _answer(
        case,
        missing=missing,
        binding=binding,
        offer_minor=offer_minor,
        repayment=repayment,
        differs=differs,
        terms=terms,
    )
    approved = outcome is Outcome.APPROVED
    repaid: tuple[Bullet, ...] = ()
    if approved and repayment is not None:
        repaid = _bullets(offer_minor, lines, first_line, repayment.last_line, terms)
    today = Decision(
        farmer_id=case.farmer_id,
        season=case.season,
        as_of=case.as_of,
        outcome=outcome,
        limit_minor=offer_minor if approved else 0,
        currency=terms.currency,
        binding_cap=binding,
        caps=known,
        reasons=tuple(reasons[:REASONS_MAX]),
        due_on=repaid[-1].due_on if repaid else None,
        policy=terms.name,
        policy_version=terms.version,
    )
    looks = None if missing or differs or binding is None else min([s.clear_observations for s in case.stakes])
    settled = settle(today, case.in_force, clear_looks=looks, product=terms.product)
    plots = {stake.plot_id for stake in case.stakes}
    return Verdict(
        case=case,
        decision=settled.decision,
        today=today,
        change=settled.change,
        cut_pending_looks=settled.cut_pending_looks,
        bullets=() if settled.held else repaid,
        plots=len(plots),
        plots_missing=len(plots - _seen(case, found)) if missing else 0,
        area_eff_m2=area_eff_m2,
    )


def _seen(case: Case, found: Sequence[ReasonCode | None]) -> set[str]:
    return {stake.plot_id for stake, gap in zip(case.stakes, found, strict=True) if gap is None}


def _answer(
    case: Case,
    *,
    missing: list[ReasonCode],
    binding: CapName | None,
    offer_minor: int,
    repayment: _Repayment | None,
    differs: bool,
    terms: PolicyInForce,
) -> tuple[Outcome, list[ReasonCode]]:
    """Return the outcome and its reasons, each of which would change the result if its cause were gone."""
    if binding is None:
        no_record = [ReasonCode.FINANCES_MISSING] if case.finances is None else []
        return Outcome.REFERRED, no_record + missing
    leading = [limited_by(binding)]
    would_help = missing if binding in _GROWS_WITH_LAND else []
    if (
        repayment is not None
        and repayment.capacity_minor == 0
        and binding is CapName.REPAYMENT_CAPACITY
        and not missing
    ):
        reasons = [ReasonCode.HARVEST_CANNOT_CARRY_LOAN, *_what_takes_the_cash(case, repayment, terms)]
        if differs:
            return Outcome.REFERRED, [ReasonCode.DECLARED_AREA_DIFFERS, *reasons]
        return Outcome.DECLINED, reasons
    if offer_minor < terms.product.minimum_ticket_minor:
        return Outcome.REFERRED, [*leading, ReasonCode.BELOW_MINIMUM_TICKET, *would_help]
    if differs:
        return Outcome.REFERRED, [ReasonCode.DECLARED_AREA_DIFFERS, *leading, *would_help]
    return Outcome.APPROVED, [*leading, *would_help]


def _what_takes_the_cash(case: Case, repayment: _Repayment, terms: PolicyInForce) -> list[ReasonCode]:
    """Return which of debt and household floor, taken away alone, would leave cash to repay with."""
    debt_minor = case.finances.existing_debt_service_minor if case.finances else 0
    takes = {
        ReasonCode.EXISTING_DEBT_SERVICE: debt_minor / minor_per_major(terms.currency),
        ReasonCode.HOUSEHOLD_FLOOR: household_need(terms),
    }
    return [reason for reason, amount in takes.items() if amount > 0 and repayment.cash + amount > 0]


def _bullets(limit_minor: int, lines: Lines, first: int, last: int, terms: PolicyInForce) -> tuple[Bullet, ...]:
    """Return the bullets of a limit over the lines up to the one it falls due with."""
    if first == last:  # one crop repays it all, whatever it is worth
        return (Bullet(crop=lines.names[last][0], due_on=lines.due_on(last), principal_minor=limit_minor),)
    crops = []
    for line in range(first, last + 1):
        crop = lines.names[line][0]
        worth = usual_worth(lines.quantiles_t[line], crop=terms.crops[crop], terms=terms)
        crops.append((crop, lines.due_on(line), int(_floor(np.array([worth]), terms)[0])))
    if not any(worth for _, _, worth in crops):
        crops[-1] = (*crops[-1][:2], 1)
    return bullets(limit_minor, crops=crops)
