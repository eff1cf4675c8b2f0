"""The back-test's answer: the policy and simpler rules on the same seasons, at the same loss rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agrocredit.credit.backtest_rules import (
    FLAT_RULES,
    RULES,
    Book,
    Gain,
    gain_over,
    keep_book,
    lent_at,
    lent_by_policy,
    scale_ladder,
    solve_scale,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agrocredit.credit.backtest import LentSeason


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The policy first, then `RULES`, each at the scale where it loses what the policy loses."""

    rules: tuple[str, ...]
    book: Book
    predicted: NDArray[np.float64]
    """Defaults expected before the seasons, (years, rules)."""
    scales: Mapping[str, float | None]
    """Solved scale of each rule, major units for each unit of `size_by`; None where none loses so little."""
    gains: Mapping[str, Gain]
    ladders: Mapping[str, Book]
    """Each rule at rising scales."""

    @property
    def toughest(self) -> str | None:
        """Return the flat rule that lends most at the policy's loss rate; None where none can."""
        credit = {rule: float(self.book.credit[:, place].sum()) for place, rule in enumerate(self.rules)}
        able = [rule for rule in FLAT_RULES if self.scales[rule] is not None]
        return max(able, key=lambda rule: credit[rule]) if able else None


def compare(seasons: Sequence[LentSeason]) -> Comparison:
    """Return the policy beside simpler rules at equal loss.

    Parameters
    ----------
    seasons : sequence of LentSeason
        At least one, all under one policy.
    """
    lent = [lent_by_policy(season) for season in seasons]
    policy = keep_book(seasons, lent)
    loss_rate = float(policy.loss_rate()[0])
    ladders, scales = {}, {}
    for rule in RULES:
        steps = scale_ladder(seasons, rule=rule)
        ladders[rule] = keep_book(seasons, [lent_at(season, rule=rule, scales=steps) for season in seasons])
        scales[rule] = solve_scale(seasons, ladders[rule], rule=rule, scales=steps, loss_rate=loss_rate)
        amount = np.array([scales[rule] or 0.0])
        other = [lent_at(season, rule=rule, scales=amount) for season in seasons]
        lent = [np.vstack(both) for both in zip(lent, other, strict=True)]
    book = keep_book(seasons, lent)
    books = {rule: book.of(place) for place, rule in enumerate(RULES, start=1)}
    return Comparison(
        rules=(seasons[0].terms.name, *RULES),
        book=book,
        predicted=_predicted(seasons, lent, years=book.years),
        scales=scales,
        gains={rule: gain_over(policy, books[rule], ladders[rule]) for rule in RULES},
        ladders=ladders,
    )


def _predicted(
    seasons: Sequence[LentSeason], lent: Sequence[NDArray[np.float64]], *, years: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the defaults that each rule's loans were expected to bring, (years, rules)."""
    expected = np.zeros((len(years), lent[0].shape[0]))
    for season, amounts in zip(seasons, lent, strict=True):
        default = season.predicted_default(amounts * season.growth)
        expected[years.index(season.harvest_year)] += (default * (amounts > 0)).sum(axis=1)
    return expected
