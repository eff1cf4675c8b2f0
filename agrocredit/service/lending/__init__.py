"""Money, in order: lock the loan, let the ledger's rule decide, write what it says, all in the caller's transaction.

A module a step. Every step takes a `Session` and a `Stamp`, moves the money of one loan and returns a `Receipt`; none
commits, and none knows HTTP. Wrap it in `agrocredit.store.sql.idempotency.once` to move money once a key.
"""

from __future__ import annotations

from agrocredit.service.lending.correct import charge_loan_fee, restructure_loan, reverse_movement, write_off_loan
from agrocredit.service.lending.limit import change_limit
from agrocredit.service.lending.move import Receipt, Stamp, draw_on_loan, repay_loan
from agrocredit.service.lending.open import open_loan

__all__ = [
    "Receipt",
    "Stamp",
    "change_limit",
    "charge_loan_fee",
    "draw_on_loan",
    "open_loan",
    "repay_loan",
    "restructure_loan",
    "reverse_movement",
    "write_off_loan",
]
