"""Which parts of the limits are released, by what is seen in the field and by time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agrocredit.domain.summary import Summary

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


def pay_out(decisions: Path, *, policy: str, as_of: date, out: Path, seen: Path | None = None) -> Summary:
    """Write the parts of every approved limit and whether each is released, as `agrocredit.credit.TRANCHES`.

    Parameters
    ----------
    decisions : Path
        As `assess` writes them.
    policy : str
        Name of the policy they were made under, or its TOML file.
    as_of : date
        Nothing that was seen later enters.
    out : Path
        Parquet file.
    seen : Path, optional
        What was seen on the fields, CSV or Parquet: ``farmer_id``, ``season``, ``event``, ``seen_on``.

    Raises
    ------
    InputUnusableError
        What `agrocredit.credit.tranches`, readers and the policy raise; nothing is written then.
    """
    from agrocredit.credit import SEEN, load_policy, tranches
    from agrocredit.domain.tables import DECISIONS
    from agrocredit.store.farm_tables import read_rows
    from agrocredit.store.lock import hold
    from agrocredit.store.tables import read_parquet_table, write_parquet

    with hold(out):
        paid = tranches(
            read_parquet_table(decisions, DECISIONS, "decisions"),
            seen=read_rows(seen, SEEN, name="seen") if seen else None,
            policy=load_policy(policy),
            as_of=as_of,
        )
        write_parquet(paid.tranches, out)
    because = Counter(paid.tranches["because"].to_pylist())
    counts = {"tranches": paid.tranches.num_rows, **dict(sorted(because.items()))}
    return Summary(counts=counts, refused=paid.refused)
