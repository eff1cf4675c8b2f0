"""Price of risk: probability of default, expected loss, capital and a rate, number by number.

A loan fails where the cash at harvest falls short of what is due, so its probability of default is counted in the very
draws that set its limit. Exposure, loss and capital follow from it by the formulas of Basel's approach for other retail
(Basel Committee on Banking Supervision, Basel Framework CRE31 and CRE32); the rate is what covers money, work, loss and
capital. All parameters are policy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from agrocredit.credit.rounding import DAYS_A_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agrocredit.credit.terms import Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRisk:
    """Risk of many loans, one number a loan in each array, (loans,)."""

    pd: NDArray[np.float64]
    """Probability that the cash falls short of what is due, within the policy's floor and ceiling."""
    ead_minor: NDArray[np.int64]
    """Exposure at default."""
    expected_loss_minor: NDArray[np.int64]
    capital_minor: NDArray[np.int64]
    rate: NDArray[np.float64]
    """Yearly rate that covers funding, work, expected loss and capital over the loan's days, as a share."""
    score: NDArray[np.float64]


def risk_of_loans(
    pd: NDArray[np.float64], *, limit_minor: NDArray[np.int64], days: NDArray[np.int64], risk: Risk
) -> LoanRisk:
    """Return what each loan's risk is worth.

    Parameters
    ----------
    pd : ndarray of float, (loans,)
        Probability of default; what lies outside the policy's bounds counts as `bounded_pd` of it.
    limit_minor : ndarray of int, (loans,)
        Above 0.
    days : ndarray of int, (loans,)
        Days until the loan falls due, above 0.
    risk : Risk
        From policy.
    """
    pd = bounded_pd(pd, risk=risk)
    ead_minor = exposure_at_default(limit_minor, risk=risk)
    capital = retail_capital(pd, risk=risk)
    return LoanRisk(
        pd=pd,
        ead_minor=ead_minor,
        expected_loss_minor=np.rint(pd * risk.lgd * ead_minor).astype(np.int64),
        capital_minor=np.rint(capital * ead_minor).astype(np.int64),
        rate=rate_that_covers(pd, capital=capital, opex_share=risk.opex_minor / ead_minor, days=days, risk=risk),
        score=score(pd, risk=risk),
    )


def bounded_pd(shortfall_share: NDArray[np.float64], *, risk: Risk) -> NDArray[np.float64]:
    """Return the share of draws that fall short as a probability within the policy's floor and ceiling, (loans,)."""
    pd: NDArray[np.float64] = np.clip(shortfall_share, risk.pd_floor, 1.0 - risk.pd_floor)
    return pd


def exposure_at_default(limit_minor: NDArray[np.int64], *, risk: Risk) -> NDArray[np.int64]:
    """Return what is owed where a loan fails, minor units: the part drawn and a share of what may still be drawn."""
    exposed = risk.drawn_share + risk.ccf * (1.0 - risk.drawn_share)
    ead_minor: NDArray[np.int64] = np.rint(limit_minor * exposed).astype(np.int64)
    return ead_minor


def asset_correlation(pd: NDArray[np.float64], *, risk: Risk) -> NDArray[np.float64]:
    """Return Basel's asset correlation: ``low * w + high * (1 - w)``, ``w = (1 - e^(-k pd)) / (1 - e^-k)`` (CRE31)."""
    decay = risk.correlation_decay
    weight = np.expm1(-decay * pd) / math.expm1(-decay)
    return risk.correlation_low * weight + risk.correlation_high * (1.0 - weight)


def retail_capital(pd: NDArray[np.float64], *, risk: Risk) -> NDArray[np.float64]:
    """Return the capital of a retail loan as a share of its exposure (CRE31): what outlasts one bad common factor.

    ``K = LGD * (N((N_inv(pd) + sqrt(R) * N_inv(level)) / sqrt(1 - R)) - pd)``

    Parameters
    ----------
    pd : ndarray of float
        Between 0 and 1, both excluded.
    risk : Risk
        From policy.
    """
    together = asset_correlation(pd, risk=risk)
    stressed = ndtr((ndtri(pd) + np.sqrt(together) * ndtri(risk.capital_level)) / np.sqrt(1.0 - together))
    capital: NDArray[np.float64] = risk.lgd * (stressed - pd)
    return capital


def rate_that_covers(
    pd: NDArray[np.float64],
    *,
    capital: NDArray[np.float64],
    opex_share: NDArray[np.float64],
    days: NDArray[np.int64],
    risk: Risk,
) -> NDArray[np.float64]:
    """Return the yearly rate at which the loans that are repaid carry all costs.

    ``(funding * t + opex + pd * LGD + capital * hurdle * t) / ((1 - pd) * t)`` with ``t = days / 365``. Work and loss
    come once a loan, however short; money and capital are tied for its days. A loan of a year has the textbook form.

    Parameters
    ----------
    pd, capital : ndarray of float, (loans,)
        Shares; capital of the exposure.
    opex_share : ndarray of float, (loans,)
        Cost of the work over the exposure.
    days : ndarray of int, (loans,)
        Above 0.
    risk : Risk
        From policy.
    """
    years = days / DAYS_A_YEAR
    tied = (float(risk.funding) + capital * float(risk.hurdle)) * years
    rate: NDArray[np.float64] = (tied + opex_share + pd * risk.lgd) / ((1.0 - pd) * years)
    return rate


def score(pd: NDArray[np.float64], *, risk: Risk) -> NDArray[np.float64]:
    """Return points: the policy's offset at even odds, and its doubling more where good against bad is twice that."""
    points: NDArray[np.float64] = risk.score_offset + risk.score_doubling * np.log2((1.0 - pd) / pd)
    return points
