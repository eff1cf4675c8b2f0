"""Rates: a bucket of tokens for each key, each tenant and each address that guesses; bounded in memory."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING

from agrocredit.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_BUCKETS_MAX = 100_000


class RateLimit:
    """So many a second, with a reserve.

    The fixed windows of the usual library let twice the rate through at a window's edge and cost more than the look-up
    that they guard; a bucket is one subtraction.

    Parameters
    ----------
    per_s : float
        Sustained rate.
    burst : int
        Reserve of one that was quiet.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, *, per_s: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_s, self._burst, self._clock = per_s, float(burst), clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, subject: Hashable) -> None:
        """Take one from a subject's bucket.

        Raises
        ------
        Problem
            ``rate_limited`` with the seconds to wait.
        """
        self.check(subject)
        self._buckets[subject] = (self._left(subject) - 1.0, self._clock())
        self._buckets.move_to_end(subject)  # who was quiet longest is forgotten first, and has a full bucket anyway
        if len(self._buckets) > _BUCKETS_MAX:
            self._buckets.popitem(last=False)

    def check(self, subject: Hashable) -> None:
        """Raise ``rate_limited`` where `take` would; take nothing."""
        short = 1.0 - self._left(subject)
        if short > 0.0:
            wait_s = max(1, math.ceil(short / self._per_s))
            raise Problem("rate_limited", "too many requests", headers={"Retry-After": str(wait_s)})

    def _left(self, subject: Hashable) -> float:
        found = self._buckets.get(subject)
        if found is None:
            return self._burst
        return min(self._burst, found[0] + (self._clock() - found[1]) * self._per_s)
