"""One farmer decided from a few rows, as the service has them, by the arithmetic of `agrocredit.credit.assess`.

Tables pay off from a few dozen rows; joins over two cost more than the decision. So where nothing in the rows can need
refusing, the case is put together from them directly. Anything else, however slightly off, goes the way of the tables:
they alone know what to refuse and by which name.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from agrocredit.credit.assess import assess_one
from agrocredit.credit.case import Case, Finances, Stake
from agrocredit.credit.case_tables import CaseTables
from agrocredit.credit.decide import decide
from agrocredit.credit.intake import harvest_window
from agrocredit.credit.record import build_record
from agrocredit.credit.usable import LATITUDE_MAX_DEG, PLOTS, YEARS
from agrocredit.domain.estimate import QUANTILE_COLUMNS, AbstainReason, EstimateStatus
from agrocredit.domain.tables import ESTIMATES, FINANCES, HOLDINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.domain.crop import Crop

    Row = Mapping[str, Any]
    Rows = Sequence[Row]

_TEXTS = ("crop", "release", "evidence_sha256", "season")
_GRADES = frozenset({"A", "B", "C"})
_REASONS = frozenset(map(str, AbstainReason))


def assess_rows(
    estimates: Rows,
    plots: Rows,
    *,
    holdings: Rows,
    finances: Row | None,
    policy: CreditPolicy,
    crops: Mapping[str, Crop],
    as_of: date,
) -> dict[str, Any]:
    """Return the record of one farmer's decision.

    Parameters
    ----------
    estimates, plots, holdings : sequence of mapping
        Rows of the tables of `agrocredit.credit.assess_one`; what its schemas do not name is left aside.
    finances : mapping, optional
        The farmer's row of `agrocredit.domain.tables.FINANCES`; None where the lender has nothing on record.
    policy, crops, as_of
        As for `agrocredit.credit.assess_one`, whose errors are these too.
    """
    terms = policy.on(as_of)
    case = None
    if len(plots) <= terms.area.plots_per_farmer_max:
        known = _finances(finances, holdings, currency=terms.currency)
        if known is not None:
            case = _case(estimates, plots, holdings, finances=known, crops=crops, as_of=as_of)
    if case is not None:
        verdict = decide([case], terms=terms)[0]
        return build_record(verdict.case, terms=terms, result=verdict.result())
    tables = CaseTables(
        estimates=pa.Table.from_pylist(list(estimates), schema=ESTIMATES),
        plots=pa.Table.from_pylist(list(plots), schema=PLOTS),
        holdings=pa.Table.from_pylist(list(holdings), schema=HOLDINGS),
        finances=None if finances is None else pa.Table.from_pylist([finances], schema=FINANCES),
        policy=policy,
        crops=crops,
        as_of=as_of,
    )
    _, record = assess_one(tables)
    return record


def _finances(row: Row | None, holdings: Rows, *, currency: str) -> Finances | None:
    """Return what is known of the holder's money, None where a table has to judge it."""
    if row is None:
        return Finances()
    amounts = {name: row[name] for name in FINANCES.names[2:]}
    ours = row["currency"] == currency and all(held["farmer_id"] == row["farmer_id"] for held in holdings)
    sound = all(type(amount) is int and 0 <= amount < 2**63 for amount in amounts.values())
    return Finances(**amounts) if ours and sound else None


def _case(
    estimates: Rows, plots: Rows, holdings: Rows, *, finances: Finances, crops: Mapping[str, Crop], as_of: date
) -> Case | None:
    """Return the case of sound rows of one farmer and season, None of any other rows."""
    plot_of = {row["plot_id"]: row for row in plots}
    share_of = {row["plot_id"]: row for row in holdings}
    stakes = {(row["crop"], row["plot_id"]): row for row in estimates}
    one_each = len(plot_of) == len(plots) and len(share_of) == len(holdings) and len(stakes) == len(estimates)
    all_known = plot_of.keys() == share_of.keys() == {row["plot_id"] for row in estimates}
    whose = {row["farmer_id"] for row in holdings}
    when = {row["season"] for row in estimates}
    if not (one_each and all_known and len(whose) == len(when) == 1):
        return None
    sound = (
        all(map(_is_sound_plot, plots))
        and all(map(_is_sound_share, holdings))
        and all(_is_sound_estimate(row, as_of) for row in estimates)
    )
    if not sound:
        return None
    return Case(
        farmer_id=whose.pop(),
        season=when.pop(),
        as_of=as_of,
        stakes=tuple(
            _stake(row, plot_of[row["plot_id"]], share_of[row["plot_id"]], crops) for _, row in sorted(stakes.items())
        ),
        finances=finances,
    )


def _is_sound_plot(row: Row) -> bool:
    latitude_deg = row["latitude_deg"]
    place = type(latitude_deg) is float and abs(latitude_deg) <= LATITUDE_MAX_DEG
    return place and _is_text(row["plot_id"]) and _is_area(row["area_m2"]) and _is_area_or_none(row["declared_area_m2"])


def _is_sound_share(row: Row) -> bool:
    share = row["tenure_share"]
    known = type(share) is float and 0 < share <= 1 and row["grade"] in _GRADES
    return known and _is_text(row["farmer_id"]) and _is_area_or_none(row["documented_area_m2"])


def _is_sound_estimate(row: Row, as_of: date) -> bool:
    year, clear = row["harvest_year"], row["clear_observations"]
    counted = type(year) is int and YEARS[0] <= year <= YEARS[1] and type(clear) is int and 0 <= clear < 2**31
    dated = type(row["as_of"]) is date and row["as_of"] <= as_of
    return counted and dated and all(_is_text(row[name]) for name in _TEXTS) and _is_whole(row)


def _is_whole(row: Row) -> bool:
    """Say whether there are seven rising yields, or none and a known reason."""
    yields_t_ha = [row[name] for name in QUANTILE_COLUMNS]
    if row["status"] == EstimateStatus.ABSTAINED:
        return row["reason"] in _REASONS and all(value is None for value in yields_t_ha)
    if row["status"] != EstimateStatus.ESTIMATED or row["reason"] is not None:
        return False
    numbers = all(type(value) is float and isfinite(value) for value in yields_t_ha)
    return numbers and yields_t_ha[0] >= 0 and all(low <= high for low, high in pairwise(yields_t_ha))


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_area(value: object) -> bool:
    return type(value) is float and 0 < value < inf


def _is_area_or_none(value: object) -> bool:
    return value is None or _is_area(value)


def _stake(estimate: Row, plot: Row, share: Row, crops: Mapping[str, Crop]) -> Stake:
    crop, year = estimate["crop"], estimate["harvest_year"]
    harvest_from_on, harvest_end_on = harvest_window(crops, crop, year, plot["latitude_deg"])
    estimated = estimate["status"] == EstimateStatus.ESTIMATED
    return Stake(
        plot_id=plot["plot_id"],
        crop=crop,
        harvest_year=year,
        estimate_as_of=estimate["as_of"],
        status=estimate["status"],
        reason=estimate["reason"],
        quantiles_t_ha=tuple(estimate[name] for name in QUANTILE_COLUMNS) if estimated else None,
        clear_observations=estimate["clear_observations"],
        release=estimate["release"],
        evidence_sha256=estimate["evidence_sha256"],
        area_m2=plot["area_m2"],
        declared_area_m2=plot["declared_area_m2"],
        documented_area_m2=share["documented_area_m2"],
        tenure_share=share["tenure_share"],
        grade=share["grade"],
        harvest_from_on=harvest_from_on,
        harvest_end_on=harvest_end_on,
    )
