"""A loan offer as an Apache Fineract loan application: the body of its ``POST /loans``.

Names, enumerations and formats are Fineract's: days as 0, years as 3 in frequency types, flat or declining interest
as 1 or 0. The client, the product and the officer are the lender's own and stand as external ids.
Source: Fineract API documentation, Loans, "Submit a new Loan Application".
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agrocredit.domain.money import MINOR_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_DAYS = 0
_PER_YEAR = 3
_DECLINING = 0
_DAILY = 0
_EQUAL_PRINCIPAL = 0
_PERCENT = 100


def loan_application(decision: Mapping[str, Any], *, rate: Decimal) -> dict[str, Any]:
    """Return the application of one approved decision, repaid at once when it falls due.

    Parameters
    ----------
    decision : mapping
        ``id``, ``farmer_id``, ``as_of``, ``due_on``, ``limit_minor``, ``currency``, ``policy``.
    rate : Decimal
        Yearly, as a fraction.
    """
    days = (decision["due_on"] - decision["as_of"]).days
    digits = MINOR_DIGITS[decision["currency"]]
    return {
        "externalId": decision["id"],
        "clientExternalId": decision["farmer_id"],
        "productExternalId": decision["policy"],
        "loanType": "individual",
        "principal": f"{Decimal(decision['limit_minor']).scaleb(-digits):.{digits}f}",
        "currencyCode": decision["currency"],
        "loanTermFrequency": days,
        "loanTermFrequencyType": _DAYS,
        "numberOfRepayments": 1,
        "repaymentEvery": days,
        "repaymentFrequencyType": _DAYS,
        "interestRatePerPeriod": f"{(rate * _PERCENT).normalize():f}",
        "interestRateFrequencyType": _PER_YEAR,
        "interestType": _DECLINING,
        "interestCalculationPeriodType": _DAILY,
        "amortizationType": _EQUAL_PRINCIPAL,
        "expectedDisbursementDate": _day(decision["as_of"]),
        "submittedOnDate": _day(decision["as_of"]),
        "dateFormat": "yyyy-MM-dd",
        "locale": "en",
    }


def _day(on: date) -> str:
    return on.isoformat()
