"""What the risk of each approved loan costs, as a table beside the decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary
from pipelines.assess import AssessRequest, read_case_tables

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def price_loans(request: AssessRequest, *, loan_history: Path | None = None) -> Summary:
    """Write the price of each loan that `assess` would approve of the same tables to ``request.out``.

    Parameters
    ----------
    request : AssessRequest
        As for `pipelines.assess.assess`; a limit in force changes no price.
    loan_history : Path, optional
        Closed loans by farmer, CSV or Parquet.

    Raises
    ------
    InputUnusableError
        ``policy_prices_no_risk``, and what readers and the policy raise; nothing is written then.
    """
    from agrocredit.credit import LOAN_HISTORY, price
    from agrocredit.store.farm_tables import read_rows
    from agrocredit.store.lock import hold
    from agrocredit.store.tables import write_parquet

    with hold(request.out):
        tables = read_case_tables(request)
        history = read_rows(loan_history, LOAN_HISTORY, name="loan history") if loan_history else None
        priced = price(tables.cases, loan_history=history)
        write_parquet(priced.prices, request.out)
    return Summary(
        counts={"loans": priced.prices.num_rows},
        refused=(*tables.refused, *priced.refused),
        facts=_facts(priced.prices),
    )


def _facts(prices: pa.Table) -> dict[str, object]:
    """Return totals, and the range of rates."""
    import pyarrow.compute as pc

    if not prices.num_rows:
        return {}
    totals = {
        f"{name}": pc.sum(prices[name]).as_py() for name in ("limit_minor", "expected_loss_minor", "capital_minor")
    }
    rates = pc.min_max(prices["rate"]).as_py()
    return {
        "currency": prices["currency"][0].as_py(),
        **totals,
        "pd_mean": pc.mean(prices["pd"]).as_py(),
        "rate_min": rates["min"],
        "rate_max": rates["max"],
        "risk_sha256": prices["risk_sha256"][0].as_py(),
    }
