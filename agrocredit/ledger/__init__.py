"""The rules of money: which account an amount leaves and reaches, and what a loan may do next. No SQL, no clock.

Every step takes a loan and its limit as they stand and returns a `LoanChange`: both as they will be, and the movement
that explains the difference. Whoever stores it holds the rows locked from reading to writing.
"""

from __future__ import annotations

from agrocredit.ledger.corrections import charge_fee, restructure, reverse, write_off
from agrocredit.ledger.draw import draw
from agrocredit.ledger.interest import FIRST_CARRY, accrue
from agrocredit.ledger.life_cycle import check_limit_in_force, cut, limit_in_force, roll
from agrocredit.ledger.repayment import Owed, allocation_order, repay

__all__ = [
    "FIRST_CARRY",
    "Owed",
    "accrue",
    "allocation_order",
    "charge_fee",
    "check_limit_in_force",
    "cut",
    "draw",
    "limit_in_force",
    "repay",
    "restructure",
    "reverse",
    "roll",
    "write_off",
]
