"""Simpler rules on the same seasons, scaled until they lose what the policy loses, and what the policy gains over them.

Every rule sells the policy's product: its rate and dates, its smallest ticket and its ceilings. They differ in the
limit alone. A flat rule gives an amount a square metre (a scale of finance) or an amount a farmer, whatever is known of
the place. Two rules that know more show where a gain comes from: one scales the amount an area by what the region is
expected to bring, the other lends a share of the farm's own expected harvest; neither knows how unsure that is. None is
rounded, which favours them. A scale is found by solving: the largest at which a rule loses no more of what falls due
than the policy does. Intervals come from resampling whole years, because farmers of a year share its weather; each
resample solves again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from agrocredit.domain.decision import Outcome
from agrocredit.domain.money import minor_per_major

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.backtest import LentSeason
    from agrocredit.credit.terms import PolicyInForce

FLAT_RULES: Final = ("flat_scale_of_finance", "flat_limit")
RULES: Final = (*FLAT_RULES, "scale_by_region", "share_of_expected_harvest")
SCALES: Final = 200
"""Steps of the ladder on which a scale is first looked for."""
HALVINGS: Final = 40
"""Bisections between two steps: the scale is then known to a part in 10^12 of a step."""
RESAMPLES: Final = 2_000
SEED: Final = 20_260
INTERVAL_PERCENT: Final = (5, 95)
"""Percentiles of the resamples that bound the interval: 90 % lie between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What rules lent and lost, one entry a harvest year and rule, (years, rules); amounts in major units."""

    years: tuple[int, ...]
    farmers: NDArray[np.int64]
    """(years, 1)."""
    approved: NDArray[np.float64]
    credit: NDArray[np.float64]
    due: NDArray[np.float64]
    loss: NDArray[np.float64]
    defaults: NDArray[np.float64]
    """Expected number, given harvests and prices."""

    def loss_rate(self) -> NDArray[np.float64]:
        """Return loss over what fell due in all years, (rules,); NaN where nothing was lent."""
        return _share(self.loss.sum(axis=0), self.due.sum(axis=0))

    def of(self, rule: int) -> Book:
        """Return the book of one rule alone."""
        columns = {name: getattr(self, name)[:, [rule]] for name in ("approved", "credit", "due", "loss", "defaults")}
        return Book(years=self.years, farmers=self.farmers, **columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much more the policy lends than a simpler rule that loses the same share, with an interval over years."""

    credit_share: float | None
    """0.1 is a tenth more; None where the other rule reaches this loss rate at no scale, or nothing was lent."""
    credit_low: float | None
    credit_high: float | None
    farmers_share: float | None
    """Likewise of farmers approved."""
    farmers_low: float | None
    farmers_high: float | None
    unmatched: int
    """Resamples in which the other rule reached the policy's loss rate at no scale; they count as the largest gains."""


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return share


def lent_by_policy(season: LentSeason) -> NDArray[np.float64]:
    """Return what `assess` lent, (1, farmers), major units."""
    approved = np.array(season.outcomes) == Outcome.APPROVED
    return np.where(approved, season.limit, 0.0)[None, :]


def size_by(rule: str, season: LentSeason) -> NDArray[np.float64]:
    """Return what a rule multiplies by its scale, (farmers,): m2 of effective area, farmers, or expected t."""
    if rule == "flat_scale_of_finance":
        return season.area_eff_m2
    if rule == "flat_limit":
        return np.ones(len(season.farmers))
    if rule == "share_of_expected_harvest":
        return season.expected_t
    _, of = np.unique(season.regions, return_inverse=True)
    brings = np.bincount(of, weights=season.expected_t) / np.bincount(of, weights=season.area_eff_m2)
    by_region: NDArray[np.float64] = season.area_eff_m2 * brings[of]
    return by_region


def lent_at(season: LentSeason, *, rule: str, scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a rule lends, (scales, farmers), major units: within the product's smallest and largest ticket.

    Parameters
    ----------
    season : LentSeason
    rule : str
        One of `RULES`.
    scales : ndarray of float, (scales,)
        Amounts for each unit of `size_by`.
    """
    lent = np.minimum(scales[:, None] * size_by(rule, season), _ceiling(season.terms))
    return np.where(lent < _smallest(season.terms), 0.0, lent)


def _smallest(terms: PolicyInForce) -> float:
    return terms.product.minimum_ticket_minor / minor_per_major(terms.currency)


def _ceiling(terms: PolicyInForce) -> float:
    product = terms.product
    ceilings = [product.maximum_minor, product.legal_maximum_minor, product.exposure_maximum_minor]
    set_ones = [amount for amount in ceilings if amount is not None]
    return min(set_ones) / minor_per_major(terms.currency) if set_ones else np.inf


def keep_book(seasons: Sequence[LentSeason], lent: Sequence[NDArray[np.float64]]) -> Book:
    """Return the book of rules over seasons, by harvest year.

    Parameters
    ----------
    seasons : sequence of LentSeason
    lent : sequence of ndarray, (rules, farmers) each
        What each rule lent in each season.
    """
    years = tuple(sorted({season.harvest_year for season in seasons}))
    at = np.array([years.index(season.harvest_year) for season in seasons])
    columns: list[tuple[NDArray[np.float64], ...]] = []
    for season, amounts in zip(seasons, lent, strict=True):
        due = amounts * season.growth
        default, loss = season.realised(due)
        columns.append(tuple((part * (amounts > 0)).sum(axis=1) for part in (amounts**0, amounts, due, loss, default)))
    sums = np.zeros((5, len(years), lent[0].shape[0]))
    for place, parts in zip(at, columns, strict=True):
        sums[:, place] += parts
    farmers = np.bincount(at, weights=[len(season.farmers) for season in seasons], minlength=len(years))
    approved, credit, due_sum, loss_sum, defaults = sums
    return Book(
        years=years,
        farmers=farmers.astype(np.int64)[:, None],
        approved=approved,
        credit=credit,
        due=due_sum,
        loss=loss_sum,
        defaults=defaults,
    )


def scale_ladder(seasons: Sequence[LentSeason], *, rule: str) -> NDArray[np.float64]:
    """Return rising scales of a rule, from the first that lends to anybody to the best harvest's whole worth."""
    sizes = [size_by(rule, season) for season in seasons]
    largest, usual = max(float(size.max()) for size in sizes), float(np.concatenate(sizes).mean())
    if not largest > 0:  # nothing is expected of anybody: every scale lends nothing
        return np.geomspace(1, 2, SCALES)
    first = max(_smallest(seasons[0].terms), 1.0) / largest
    worth = max(float(season.worth.max()) for season in seasons) / usual
    return np.geomspace(first, max(2 * first, worth), SCALES)


def solve_scale(
    seasons: Sequence[LentSeason], ladder: Book, *, rule: str, scales: NDArray[np.float64], loss_rate: float
) -> float | None:
    """Return the largest scale at which a rule loses no more of what falls due than `loss_rate`.

    Parameters
    ----------
    seasons : sequence of LentSeason
    ladder : Book
        Of the rule at `scales`.
    rule : str
        One of `RULES`.
    scales : ndarray of float, rising
    loss_rate : float

    Returns
    -------
    float or None
        None where even the smallest loans lose more.
    """
    within = np.flatnonzero(ladder.loss_rate() <= loss_rate)
    if within.size == 0:
        return None
    low = float(scales[within[-1]])
    high = float(scales[min(within[-1] + 1, len(scales) - 1)])
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        book = keep_book(seasons, [lent_at(season, rule=rule, scales=np.array([middle])) for season in seasons])
        if book.loss_rate()[0] <= loss_rate:
            low = middle
        else:
            high = middle
    return low


def gain_over(policy: Book, other: Book, ladder: Book) -> Gain:
    """Return the policy's gain over a simpler rule at equal loss, with an interval by resampling years.

    Parameters
    ----------
    policy, other : Book
        One rule each; `other` at the scale that was solved, with nothing lent where none was found.
    ladder : Book
        The other rule at rising scales, on which each resample solves again, straight between two steps.
    """
    ours, theirs = _totals(policy), _totals(other)
    credit, farmers = (_share(ours[i], theirs[i])[0] - 1.0 for i in (0, 1))
    bounds: list[float | None] = [None] * 4
    unmatched = 0
    if len(policy.years) > 1 and np.isfinite(credit):
        weights = _resampled_years(len(policy.years))
        at_equal_loss = _solve_on_ladder(ladder, weights, loss_rate=_rate(policy, weights)[:, 0])
        shares = [
            _gain_or_all(weights @ mine[:, 0], other)
            for mine, other in zip((policy.credit, policy.approved), at_equal_loss, strict=True)
        ]
        unmatched = int((at_equal_loss[0] <= 0).sum())
        bounds = [
            _finite(np.percentile(share, level, method="nearest")) for share in shares for level in INTERVAL_PERCENT
        ]
    return Gain(
        credit_share=_finite(credit),
        credit_low=bounds[0],
        credit_high=bounds[1],
        farmers_share=_finite(farmers),
        farmers_low=bounds[2],
        farmers_high=bounds[3],
        unmatched=unmatched,
    )


def _totals(book: Book) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return book.credit.sum(axis=0), book.approved.sum(axis=0)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _gain_or_all(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares gained, infinite where the other rule cannot lend at this loss and the policy does."""
    alone = np.where(ours > 0, np.inf, 0.0)
    return np.where(theirs > 0, ours / np.where(theirs > 0, theirs, 1.0) - 1.0, alone)


def _resampled_years(years: int) -> NDArray[np.float64]:
    """Return how often each year is drawn in each resample, (resamples, years)."""
    chosen = np.random.default_rng(SEED).integers(0, years, size=(RESAMPLES, years))
    return np.array([np.bincount(row, minlength=years) for row in chosen], dtype=np.float64)


def _rate(book: Book, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return _share(weights @ book.loss, weights @ book.due)


def _solve_on_ladder(
    ladder: Book, weights: NDArray[np.float64], *, loss_rate: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return credit and farmers of the largest scale that loses no more, (resamples,) each; 0 where there is none."""
    rates = _rate(ladder, weights)
    rows = np.arange(len(weights))
    within = rates <= loss_rate[:, None]
    last = rates.shape[1] - 1 - np.argmax(within[:, ::-1], axis=1)
    following = np.minimum(last + 1, rates.shape[1] - 1)
    rise = rates[rows, following] - rates[rows, last]
    part = np.divide(loss_rate - rates[rows, last], rise, out=np.zeros(len(rows)), where=rise > 0)
    found = []
    for column in (ladder.credit, ladder.approved):
        sums = weights @ column
        between = sums[rows, last] + part * (sums[rows, following] - sums[rows, last])
        found.append(np.where(within.any(axis=1), between, 0.0))
    return found[0], found[1]
