"""The records of a whole region's decisions, one after the other: what a store keeps so that each can be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agrocredit.credit.assess import CASES_AT_ONCE
from agrocredit.credit.decide import decide
from agrocredit.credit.intake import take_in
from agrocredit.credit.record import build_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    import pyarrow as pa

    from agrocredit.credit.policy import CreditPolicy
    from agrocredit.domain.crop import Crop


def decision_records(
    estimates: pa.Table,
    plots: Any,  # noqa: ANN401 - as for `agrocredit.credit.assess`
    *,
    holdings: pa.Table | None,
    policy: CreditPolicy,
    crops: Mapping[str, Crop],
    as_of: date,
) -> Iterator[dict[str, Any]]:
    """Yield the record of every decision that `agrocredit.credit.assess` makes of the tables, by farmer and season.

    Parameters are those of `agrocredit.credit.assess`; what it refuses has no record.

    Raises
    ------
    InputUnusableError
        As for `agrocredit.credit.assess`.
    """
    terms = policy.on(as_of)
    intake = take_in(
        estimates,
        plots,
        holdings=holdings,
        finances=None,
        crops=crops,
        currency=terms.currency,
        as_of=as_of,
        plots_max=terms.area.plots_per_farmer_max,
    )
    for cases in intake.cases(chunk=CASES_AT_ONCE):
        for verdict in decide(cases, terms=terms):
            yield build_record(verdict.case, terms=terms, result=verdict.result())
